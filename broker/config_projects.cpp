#include "broker/config_projects.h"

#include "broker/config_toml.h"
#include "broker/config_values.h"
#include "broker/projects/policy_json.h"
#include "broker/webhook_signature.h"
#include "core/base/json.h"
#include "net/http_client.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

namespace vivavoce::broker {
namespace {

using Check = ProjectSettings::Check;

constexpr Range kWebhookTimeoutRange{100, 10'000};
/// Requests that come together share an answer, for which there has to be a place.
constexpr Range kKeptRange{1, 3'600};
constexpr const char* kWebhookSecretForm = "has to hold whsec_ and 24 to 64 bytes in base64 (Standard Webhooks)";

struct CheckName {
    std::string_view text;
    Check check;
};
constexpr std::array kChecks{CheckName{"none", Check::None}, CheckName{"claim", Check::Claim},
    CheckName{"table", Check::Table}, CheckName{"webhook", Check::Webhook}};

/// The file's names beside those that the same things have in JSON.
struct PolicyName {
    std::string_view file;
    const char* json;
};
constexpr std::array kPolicyNames{PolicyName{"providers", "providers"}, PolicyName{"models", "models"},
    PolicyName{"voices", "voices"}, PolicyName{"tools", "tools"}, PolicyName{"instructions", "instructions"},
    PolicyName{"relay", "relay"}, PolicyName{"transcripts", "transcripts"},
    PolicyName{"transcript_days", "transcriptDays"}, PolicyName{"longest_session", "longestSession"},
    PolicyName{"sessions_of_project", "sessionsOfProject"}, PolicyName{"sessions_per_user", "sessionsPerUser"},
    PolicyName{"user_dollars_per_day", "userDollarsPerDay"},
    PolicyName{"user_dollars_per_month", "userDollarsPerMonth"},
    PolicyName{"project_dollars_per_day", "projectDollarsPerDay"},
    PolicyName{"project_dollars_per_month", "projectDollarsPerMonth"},
    PolicyName{"user_minutes_per_day", "userMinutesPerDay"},
    PolicyName{"user_minutes_per_month", "userMinutesPerMonth"},
    PolicyName{"project_minutes_per_day", "projectMinutesPerDay"},
    PolicyName{"project_minutes_per_month", "projectMinutesPerMonth"}};

/// A value of a policy as JSON: a text, a number, true or false, a list of texts. Nothing for anything else.
std::optional<core::Json> jsonOf(const toml::node& node)
{
    if (const auto text = node.value_exact<std::string>()) {
        return core::Json(*text);
    }
    if (const auto number = node.value_exact<std::int64_t>()) {
        return core::Json(*number);
    }
    if (const auto decimal = node.value_exact<double>()) {
        return core::Json(*decimal);
    }
    if (const auto isSo = node.value_exact<bool>()) {
        return core::Json(*isSo);
    }
    const auto* list = node.as_array();
    if (list == nullptr) {
        return std::nullopt;
    }
    core::Json json = core::Json::array();
    for (const auto& item : *list) {
        const auto text = item.value_exact<std::string>();
        if (!text) {
            return std::nullopt;
        }
        json.push_back(*text);
    }
    return json;
}

Written readWebhookSecretKey(std::string_view key, toml::node& node, ProjectSettings& projects)
{
    auto* value = node.as_string();
    projects.webhookSecret = value != nullptr ? readWebhookSecret(value->get()) : nullptr;
    if (value != nullptr) {
        core::wipeString(value->get());
    }
    return projects.webhookSecret != nullptr ? Written() : Written(badConfig(key, kWebhookSecretForm));
}

void keepUrl(std::string_view key, core::Secret url, Config& config, Problems& problems)
{
    if (!net::isFetchable(url.reveal())) {
        problems.add(key, "has to be an https:// address (http:// on this computer)");
    }
    config.projects.webhookUrl = std::make_shared<const core::Secret>(std::move(url));
}

Written readCheck(std::string_view key, toml::node& node, ProjectSettings& projects)
{
    const auto name = node.value_exact<std::string>();
    const auto* const found =
        std::find_if(kChecks.begin(), kChecks.end(), [&](const CheckName& row) { return name == row.text; });
    if (found == kChecks.end()) {
        return badConfig(key, "has to be none, claim, table or webhook");
    }
    projects.check = found->check;
    return {};
}

void readRow(const std::string& prefix, toml::table& table, PolicyRow& row, Problems& problems)
{
    std::vector<std::string> known = policyKeys();
    for (std::string& one : known) {
        one.insert(0, prefix);
    }
    for (const auto& entry : inFileOrder(table)) {
        const std::string& name = entry.first;
        toml::node& node = *entry.second;
        const std::string key = prefix + name;
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            tellUnknownKey(key, node, known, problems);
            continue;
        }
        if (!enterKey(key, node, problems)) {
            continue;
        }
        std::string* const text = name == "project" ? &row.project
            : name == "issuer"                      ? &row.issuer
            : name == "user"                        ? &row.subject
                                                    : nullptr;
        const auto written = text != nullptr ? readText(key, node, *text) : readPolicyKey(name, key, node, row.policy);
        if (!written) {
            problems.add(key, written.error());
        }
    }
}

toml::table tableOf(const Policy& policy)
{
    toml::table table;
    const core::Json json = writePolicy(policy);
    for (const PolicyName& name : kPolicyNames) {
        const auto found = json.find(name.json);
        if (found == json.end()) {
            continue;
        }
        if (found->is_string()) {
            table.insert(name.file, found->get<std::string>());
        } else if (found->is_boolean()) {
            table.insert(name.file, found->get<bool>());
        } else if (found->is_array()) {
            toml::array list;
            for (const core::Json& item : *found) {
                list.push_back(item.get<std::string>());
            }
            table.insert(name.file, std::move(list));
        } else if (found->is_number_float()) {
            table.insert(name.file, found->get<double>());
        } else {
            table.insert(name.file, found->get<std::int64_t>());
        }
    }
    return table;
}

/// A project opts in for itself: nobody else's words are kept by a line that they do not see.
void checkTranscripts(const Config& config, Problems& problems)
{
    constexpr const char* kWhose =
        "true is for one project: a table of [[policies]] with a project and without issuer or user, or the project's own policy";
    if (config.policy.areTranscriptsKept()) {
        problems.add("policy.transcripts", kWhose);
    }
    for (std::size_t i = 0; i < config.policies.size(); ++i) {
        const PolicyRow& row = config.policies[i];
        const bool isOfProject = !row.project.empty() && row.issuer.empty() && row.subject.empty();
        if (row.policy.areTranscriptsKept() && !isOfProject) {
            problems.add("policies[" + std::to_string(i) + "].transcripts", kWhose);
        }
    }
}

} // namespace

Written readPolicyKey(std::string_view name, std::string_view key, toml::node& node, Policy& policy)
{
    const auto* const known =
        std::find_if(kPolicyNames.begin(), kPolicyNames.end(), [&](const PolicyName& row) { return row.file == name; });
    if (known == kPolicyNames.end()) {
        return badConfig(key, "is not a key of a policy");
    }
    const auto value = jsonOf(node);
    const auto read = value ? readPolicy(core::Json{{known->json, *value}}) : core::Expected<Policy, std::string>();
    if (!value || !read) {
        return badConfig(key,
            "does not do: lists of names, a text, true or false, or a number from 0 (a length: from 1 s to a year; days of transcripts: from 1 to 3650)");
    }
    policy = narrowed(std::move(policy), *read);
    return {};
}

void readPolicies(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    for (const auto& [prefix, table] : tablesOf(key, node, problems)) {
        readRow(prefix, *table, config.policies.emplace_back(), problems);
    }
}

std::vector<std::string> policyKeys()
{
    std::vector<std::string> names{"project", "issuer", "user"};
    for (const PolicyName& name : kPolicyNames) {
        names.emplace_back(name.file);
    }
    return names;
}

Written readProjectKey(std::string_view name, std::string_view key, toml::node& node, ProjectSettings& projects)
{
    if (name == "check") {
        return readCheck(key, node, projects);
    }
    if (name == "required") {
        const auto value = node.value_exact<bool>();
        projects.isRequired = value.value_or(false);
        return value ? Written() : Written(badConfig(key, "has to be true or false"));
    }
    if (name == "webhook_ca_file") {
        return readText(key, node, projects.webhookCaFile);
    }
    if (name == "webhook_secret") {
        return readWebhookSecretKey(key, node, projects);
    }
    if (name == "webhook_timeout_ms") {
        return readWhole(key, node, kWebhookTimeoutRange, projects.webhookTimeout);
    }
    return readWhole(key, node, kKeptRange, projects.webhookKeptFor);
}

void readWebhookUrl(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    if (auto url = readSecretText(std::string(key), node, problems)) {
        keepUrl(key, std::move(*url), config, problems);
    }
}

void readWebhookUrlFile(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    if (auto url = readSecretPath(std::string(key), node, problems)) {
        keepUrl(key, std::move(*url), config, problems);
    }
}

void readWebhookSecretFile(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    const auto secret = readSecretPath(std::string(key), node, problems);
    if (!secret) {
        return;
    }
    config.projects.webhookSecret = readWebhookSecret(secret->reveal());
    if (config.projects.webhookSecret == nullptr) {
        problems.add(key, kWebhookSecretForm);
    }
}

void checkProjects(const Config& config, Problems& problems)
{
    checkTranscripts(config, problems);
    const ProjectSettings& projects = config.projects;
    const bool hasWebhook = projects.check == Check::Webhook;
    if (hasWebhook && projects.webhookUrl == nullptr && !problems.has("projects.webhook_url")
        && !problems.has("projects.webhook_url_file")) {
        problems.add("projects.webhook_url", "is needed with projects.check = \"webhook\"");
    }
    if (hasWebhook && projects.webhookSecret == nullptr && !problems.has("projects.webhook_secret_file")) {
        problems.add("projects.webhook_secret", "is needed with projects.check = \"webhook\"");
    }
    const bool isClaimed = std::any_of(config.issuers.begin(), config.issuers.end(),
                               [](const auth::IssuerSettings& issuer) { return !issuer.projectsPointer.empty(); })
        || std::any_of(config.serviceAccounts.begin(), config.serviceAccounts.end(),
            [](const auth::ServiceAccount& account) { return !account.projects.empty(); });
    if (projects.check == Check::Claim && !isClaimed) {
        problems.add("projects.check",
            "is claim, but no issuer has a projects_claim and no service account has projects: nobody may use any",
            Problems::Severity::Warning);
    }
    if (!hasWebhook && projects.webhookUrl != nullptr && !problems.has("projects.check")) {
        problems.add("projects.webhook_url", "needs projects.check = \"webhook\"");
    }
}

void printProjects(const Config& config, toml::table& table)
{
    const ProjectSettings& projects = config.projects;
    const auto* const check =
        std::find_if(kChecks.begin(), kChecks.end(), [&](const CheckName& row) { return row.check == projects.check; });
    toml::table rows{{"check", check->text}, {"required", projects.isRequired}};
    if (projects.check == Check::Webhook) {
        rows.insert("webhook_timeout_ms", static_cast<std::int64_t>(projects.webhookTimeout.count()));
        rows.insert("cache_seconds", static_cast<std::int64_t>(projects.webhookKeptFor.count()));
    }
    if (!projects.webhookCaFile.empty()) {
        rows.insert("webhook_ca_file", projects.webhookCaFile);
    }
    table.insert("projects", std::move(rows));
    if (auto policy = tableOf(config.policy); !policy.empty()) {
        table.insert("policy", std::move(policy));
    }
    toml::array all;
    for (const PolicyRow& row : config.policies) {
        toml::table one = tableOf(row.policy);
        for (const auto& [name, text] :
            {std::pair("project", &row.project), std::pair("issuer", &row.issuer), std::pair("user", &row.subject)}) {
            if (!text->empty()) {
                one.insert(name, *text);
            }
        }
        all.push_back(std::move(one));
    }
    if (!all.empty()) {
        table.insert("policies", std::move(all));
    }
}

} // namespace vivavoce::broker
