#include "broker/setup/init_config.h"

#include "broker/config_toml.h"
#include "broker/setup/init_keys.h"
#include "broker/setup/new_file.h"
#include "core/base/random_id.h"
#include "core/base/secret.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <sstream>

namespace vivavoce::broker {
namespace {

constexpr std::string_view kSecretMark = "<secret>";

constexpr std::string_view kHead =
    "# The configuration of a Vivavoce broker, made by `vivavoce-broker init`. docs/operations.md tells more.\n"
    "# `#key = value` is what holds without that line. `# e.g.` shows a key that has no value where nobody gives it one.\n"
    "# It holds a secret: keep it readable for the broker's user alone.\n";

constexpr std::string_view kCompatible =
    "# A further server that speaks OpenAI Realtime, or nearly: Azure, xAI, LocalAI, speaches, … One such table each.\n";
constexpr std::string_view kIssuers =
    "# Who vouches for users: an OpenID Connect provider. One such table each. OIDC_ISSUER and OIDC_AUDIENCE do for one.\n";
constexpr std::string_view kPolicies =
    "# Narrower rules for some. One such table each; docs/operations.md tells how they add up.\n";
constexpr std::string_view kRecipients =
    "# Who pays for a project: what stands on its invoices. One such table each; a project without one has its name there.\n";
constexpr std::string_view kAlertChannels =
    "# Who is told of budgets, blocks, providers that are down and the like. One such table each; docs/operations.md tells more.\n";
constexpr std::string_view kServiceAccounts =
    "# Programs of your own that call, and no issuer vouches for. One such table each.\n";

using Values = std::map<std::string, std::string, std::less<>>;

std::string textOf(const toml::node& node)
{
    if (const auto* text = node.as_string()) {
        return "\"" + text->get() + "\"";
    }
    std::ostringstream out;
    if (const auto* list = node.as_array()) {
        for (const toml::node& item : *list) {
            out << (out.tellp() > 0 ? ", " : "") << textOf(item);
        }
        return "[" + out.str() + "]";
    }
    node.visit([&](const auto& value) { out << value; });
    return out.str();
}

void addValues(const std::string& prefix, const toml::table& table, Values& values)
{
    for (auto&& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        const auto* list = node.as_array();
        if (const auto* inner = node.as_table()) {
            addValues(key + ".", *inner, values);
        } else if (list != nullptr && !list->empty() && list->front().is_table()) {
            addValues(key + "[].", *list->front().as_table(), values);
        } else {
            values[key] = textOf(node);
        }
    }
}

Values valuesOf(const Config& config)
{
    Values values;
    addValues({}, tableOf(config), values);
    return values;
}

/// What holds where the file says nothing, by key, in TOML.
Values builtIn()
{
    Config config;
    config.issuers.emplace_back();
    Values values = valuesOf(config);
    // Printed only where there is a webhook.
    config.projects.check = ProjectSettings::Check::Webhook;
    const Values withWebhook = valuesOf(config);
    for (const char* key : {"projects.webhook_timeout_ms", "projects.cache_seconds"}) {
        values.insert(*withWebhook.find(key));
    }
    return values;
}

/// 48 random bytes, base64url.
core::Secret newSecret()
{
    std::string text;
    text.reserve(128);
    for (int part = 0; part < 3; ++part) {
        std::string random = core::randomId();
        text += random;
        core::wipeString(random);
    }
    core::Secret secret{std::string_view(text)};
    core::wipeString(text);
    return secret;
}

void addSentence(std::string_view sentence, std::string& file)
{
    while (!sentence.empty()) {
        const std::size_t end = std::min(sentence.find('\n'), sentence.size());
        file.append("# ").append(sentence.substr(0, end)).append("\n");
        sentence.remove_prefix(std::min(end + 1, sentence.size()));
    }
}

void addKey(const InitKey& entry, std::string_view given, const Values& values, std::string& file)
{
    const std::size_t dot = entry.key.rfind('.');
    const std::string_view name = dot == std::string_view::npos ? entry.key : entry.key.substr(dot + 1);
    addSentence(entry.sentence, file);
    const auto value = values.find(entry.key);
    if (given == kSecretMark) {
        file.append(name).append(" = \"").append(newSecret().reveal()).append("\"\n");
    } else if (!given.empty()) {
        file.append(name).append(" = ").append(given).append("\n");
    } else if (entry.isNeeded || value == values.end()) {
        file.append(entry.isNeeded ? "#" : "# e.g. ").append(name).append(" = ").append(entry.example).append("\n");
    } else {
        file.append("#").append(name).append(" = ").append(value->second).append("\n");
    }
}

/// The line before the first key of a table.
void addTable(std::string_view table, bool isGiven, std::string& file)
{
    if (!table.ends_with("[]")) {
        file.append("\n[").append(table).append("]\n");
        return;
    }
    const std::string_view name = table.substr(0, table.size() - 2);
    file.append("\n").append(name == "providers.compatible" ? kCompatible
            : name == "issuers"                             ? kIssuers
            : name == "policies"                            ? kPolicies
            : name == "alerts.channels"                     ? kAlertChannels
            : name == "invoices.recipients"                 ? kRecipients
                                                            : kServiceAccounts);
    file.append(isGiven ? "[[" : "#[[").append(name).append("]]\n");
}

constexpr std::string_view kNextLocal =
    "Next:\n"
    "  1. export OIDC_ISSUER=… OIDC_AUDIENCE=…    (or fill in [[issuers]] or [[service_accounts]] in the file)\n"
    "  2. export OPENAI_API_KEY=…\n";
constexpr std::string_view kNextProduction =
    "Next:\n"
    "  1. Replace each CHANGE-ME in it, or delete its line.\n"
    "  2. Give OPENAI_API_KEY in the environment, OPENAI_API_KEY_FILE, or systemd's credential openai_api_key.\n";

} // namespace

std::string initialConfig(Profile profile)
{
    const Values values = builtIn();
    std::string file;
    // No reallocation leaves the secret behind.
    file.reserve(64 * 1024);
    file.append(kHead).append("\n");
    std::string_view table;
    for (const InitKey& entry : initKeys()) {
        const std::size_t dot = entry.key.rfind('.');
        const std::string_view own = dot == std::string_view::npos ? std::string_view() : entry.key.substr(0, dot);
        const std::string_view given = profile == Profile::Production ? entry.production : entry.local;
        if (own != table) {
            addTable(own, !given.empty(), file);
            table = own;
        }
        addKey(entry, given, values, file);
    }
    return file;
}

core::Expected<void, core::Error> runInit(const std::string& path, Profile profile, std::ostream& out)
{
    std::string text = initialConfig(profile);
    auto written = writeNewFile(path, text);
    core::wipeString(text);
    if (written) {
        out << "made " << path << ", with a new secret; nobody but you can read it\n"
            << (profile == Profile::Production ? kNextProduction : kNextLocal)
            << "  3. vivavoce-broker check-config --config " << path << "\n  4. vivavoce-broker --config " << path
            << '\n';
    }
    return written;
}

} // namespace vivavoce::broker
