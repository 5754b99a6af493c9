#include "broker/config_alerts.h"

#include "broker/config_secrets.h"
#include "broker/config_toml.h"
#include "broker/projects/webhook_projects.h"
#include "broker/setup/file_access.h"
#include "core/base/visible_ascii.h"
#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

namespace vivavoce::broker {
namespace {

using alerts::ChannelSettings;
using alerts::MailSecurity;
using Kind = ChannelSettings::Kind;

constexpr Range kPercentRange{1, 100};
constexpr Range kErrorRange{0, 100};
constexpr Range kErrorMinutesRange{1, 60};
constexpr Range kSettleRange{0, 3'600};
constexpr Range kAlertDaysRange{1, 3'650};
constexpr Range kChannelTimeoutRange{100, ChannelSettings::kLongestTimeout.count()};
constexpr std::size_t kMostThresholds = 20;
constexpr std::size_t kMostChannels = 20;
constexpr std::size_t kLongestName = 32;
constexpr const char* kSecretForm = "has to hold whsec_ and 24 to 64 bytes in base64 (Standard Webhooks)";

struct KindName {
    std::string_view text;
    Kind kind;
    /// The key of its secret.
    const char* secret;
};
constexpr std::array kKinds{KindName{"webhook", Kind::Webhook, "secret"}, KindName{"slack", Kind::Slack, "url"},
    KindName{"smtp", Kind::Smtp, "password"}};

struct SecurityName {
    std::string_view text;
    MailSecurity security;
};
constexpr std::array kSecurities{SecurityName{"starttls", MailSecurity::StartTls},
    SecurityName{"tls", MailSecurity::Tls}, SecurityName{"none", MailSecurity::None}};

const KindName& nameOf(Kind kind)
{
    return *std::find_if(kKinds.begin(), kKinds.end(), [&](const KindName& row) { return row.kind == kind; });
}

bool isName(std::string_view text)
{
    return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

/// "ALERTS_OPS_SECRET"; as a credential of systemd's "alerts_ops_secret".
std::string variableOf(const ChannelSettings& channel, bool isUpper)
{
    std::string name = "alerts_" + channel.name + "_" + nameOf(channel.kind).secret;
    for (char& c : name) {
        c = c == '-' ? '_' : isUpper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return name;
}

std::string keyOf(std::size_t number)
{
    return "alerts.channels[" + std::to_string(number) + "].";
}

void keepSecret(std::string_view spokenOf, core::Secret secret, ChannelSettings& channel, Problems& problems)
{
    if (channel.kind == Kind::Webhook) {
        channel.secret = readWebhookSecret(secret.reveal());
        if (channel.secret == nullptr) {
            problems.add(spokenOf, kSecretForm);
        }
        return;
    }
    if (channel.kind == Kind::Slack && !net::isFetchable(secret.reveal())) {
        problems.add(spokenOf, "has to be an https:// address (http:// on this computer)");
    }
    channel.secret = std::make_shared<const core::Secret>(std::move(secret));
}

void readSecretText(const std::string& key, toml::node& node, ChannelSettings& channel, Problems& problems)
{
    auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
        problems.add(key, "has to be a text that is not empty");
        return;
    }
    keepSecret(key, core::Secret(std::string_view(value->get())), channel, problems);
    core::wipeString(value->get());
}

void readSecretPath(const std::string& key, toml::node& node, ChannelSettings& channel, Problems& problems)
{
    std::string path;
    if (auto read = readText(key, node, path); !read) {
        problems.add(key, read.error());
    } else if (auto secret = readGuardedSecret(key, path, problems)) {
        keepSecret(key, std::move(*secret), channel, problems);
    }
}

Written readEvents(std::string_view key, toml::node& node, ChannelSettings& channel)
{
    std::vector<std::string> names;
    if (auto read = readTexts(key, node, names); !read) {
        return read;
    }
    for (const std::string& name : names) {
        const auto kind = alerts::alertKindOf(name);
        if (!kind) {
            std::string all;
            for (const alerts::AlertKind one : alerts::allAlertKinds()) {
                all += (all.empty() ? "" : ", ") + std::string(textOf(one));
            }
            return badConfig(key, "has to be a list of " + all);
        }
        channel.kinds.push_back(*kind);
    }
    return {};
}

Written readSecurity(std::string_view key, toml::node& node, ChannelSettings& channel)
{
    const auto text = node.value_exact<std::string>();
    const auto* const found =
        std::find_if(kSecurities.begin(), kSecurities.end(), [&](const SecurityName& row) { return text == row.text; });
    if (found == kSecurities.end()) {
        return badConfig(key, "has to be starttls, tls or none");
    }
    channel.security = found->security;
    return {};
}

/// What is not a secret.
Written readPlain(const std::string& name, const std::string& key, toml::node& node, ChannelSettings& channel)
{
    if (name == "name") {
        return readText(key, node, channel.name);
    }
    if (name == "url") {
        return readText(key, node, channel.url);
    }
    if (name == "ca_file") {
        return readText(key, node, channel.caFile);
    }
    if (name == "events") {
        return readEvents(key, node, channel);
    }
    if (name == "timeout_ms") {
        return readWhole(key, node, kChannelTimeoutRange, channel.timeout);
    }
    if (name == "server") {
        return readText(key, node, channel.server);
    }
    if (name == "security") {
        return readSecurity(key, node, channel);
    }
    if (name == "user") {
        return readText(key, node, channel.user);
    }
    return name == "from" ? readText(key, node, channel.from) : readTexts(key, node, channel.to);
}

/// What each kind has, beside what all have.
bool belongs(Kind kind, std::string_view name)
{
    constexpr std::array<std::string_view, 5> kAll{"name", "kind", "events", "ca_file", "timeout_ms"};
    constexpr std::array<std::string_view, 3> kWebhook{"url", "secret", "secret_file"};
    constexpr std::array<std::string_view, 2> kSlack{"url", "url_file"};
    constexpr std::array<std::string_view, 7> kSmtp{
        "server", "security", "user", "password", "password_file", "from", "to"};
    const auto isIn = [&](const auto& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
    return isIn(kAll) || (kind == Kind::Webhook && isIn(kWebhook)) || (kind == Kind::Slack && isIn(kSlack))
        || (kind == Kind::Smtp && isIn(kSmtp));
}

/// Before all others: it says what they mean.
void readKind(const std::string& prefix, toml::table& table, ChannelSettings& channel, Problems& problems)
{
    const std::string key = prefix + "kind";
    const auto text = table["kind"].value_exact<std::string>();
    const auto* const found =
        std::find_if(kKinds.begin(), kKinds.end(), [&](const KindName& row) { return text == row.text; });
    if (found == kKinds.end()) {
        problems.add(key, "has to be webhook, slack or smtp");
        return;
    }
    channel.kind = found->kind;
}

void readOne(const std::string& prefix, toml::table& table, ChannelSettings& channel, Problems& problems)
{
    const auto known = alertChannelKeys();
    readKind(prefix, table, channel, problems);
    const std::string secretName = nameOf(channel.kind).secret;
    if (table.contains(secretName) && table.contains(secretName + "_file")) {
        problems.add(prefix + secretName + "_file", "and " + secretName + " cannot both be set");
    }
    for (const auto& entry : inFileOrder(table)) {
        const std::string& name = entry.first;
        toml::node& node = *entry.second;
        const std::string key = prefix + name;
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            tellUnknownKey(key, node, prefixed(prefix, known), problems);
            continue;
        }
        if (!enterKey(key, node, problems) || name == "kind") {
            continue;
        }
        if (!belongs(channel.kind, name)) {
            problems.add(key, "is not for " + std::string(nameOf(channel.kind).text));
        } else if (name == secretName) {
            readSecretText(key, node, channel, problems);
        } else if (name == secretName + "_file") {
            readSecretPath(key, node, channel, problems);
        } else if (auto written = readPlain(name, key, node, channel); !written) {
            problems.add(key, written.error());
        }
    }
}

bool isMailAddress(const std::string& text)
{
    const std::size_t at = text.find('@');
    return core::isVisibleAscii(text) && at != std::string::npos && at > 0 && at + 1 < text.size()
        && text.find_first_of("<>,;\"\\()") == std::string::npos;
}

/// "mail.example:587".
bool isMailServer(const std::string& text)
{
    const std::size_t colon = text.rfind(':');
    return colon != std::string::npos && colon > 0 && core::isVisibleAscii(text)
        && text.find_first_of("/@?#\"\\") == std::string::npos
        && readNumber("", text.substr(colon + 1), Range{1, 65'535}).has_value();
}

bool isOnThisComputer(const std::string& server)
{
    const std::string host = server.substr(0, server.rfind(':'));
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

void checkMail(const ChannelSettings& channel, const std::string& key, Problems& problems)
{
    if (!isMailServer(channel.server) && !problems.has(key + "server")) {
        problems.add(key + "server", "has to be HOST:PORT, such as mail.example:587");
    } else if (channel.security == MailSecurity::None && !isOnThisComputer(channel.server)) {
        problems.add(key + "security", "can be none on this computer only");
    }
    if (!isMailAddress(channel.from) && !problems.has(key + "from")) {
        problems.add(key + "from", "has to be a mail address, such as vivavoce@mail.example");
    }
    const bool areGood = std::all_of(channel.to.begin(), channel.to.end(), &isMailAddress);
    if ((channel.to.empty() || !areGood) && !problems.has(key + "to")) {
        problems.add(key + "to", "has to be a list of mail addresses");
    }
    if (channel.user.empty() != (channel.secret == nullptr) && !problems.has(key + "password_file")) {
        problems.add(key + "user", "and password go together");
    }
}

} // namespace

Written readAlertKey(std::string_view key, toml::node& node, Config& config)
{
    alerts::AlertSettings& settings = config.alerts;
    if (key == "alerts.error_percent") {
        return readWhole(key, node, kErrorRange, settings.errorPercent);
    }
    if (key == "alerts.error_minutes") {
        return readWhole(key, node, kErrorMinutesRange, settings.errorWindow);
    }
    if (key == "alerts.settle_seconds") {
        return readWhole(key, node, kSettleRange, settings.settle);
    }
    if (key == "alerts.keep_days") {
        return readWhole(key, node, kAlertDaysRange, settings.kept);
    }
    auto* list = node.as_array();
    if (list == nullptr || list->size() > kMostThresholds) {
        return badConfig(key, "has to be a list of percents from 1 to 100");
    }
    std::set<int> thresholds;
    for (auto& item : *list) {
        int percent = 0;
        if (!readWhole(key, item, kPercentRange, percent)) {
            return badConfig(key, "has to be a list of percents from 1 to 100");
        }
        thresholds.insert(percent);
    }
    settings.thresholds.assign(thresholds.begin(), thresholds.end());
    return {};
}

void readAlertChannels(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    for (const auto& [prefix, table] : tablesOf(key, node, problems)) {
        readOne(prefix, *table, config.alerts.channels.emplace_back(), problems);
    }
}

void readAlertVariables(const Environment& environment, const std::string& folder, Config& config, Problems& problems)
{
    for (std::size_t i = 0; i < config.alerts.channels.size(); ++i) {
        ChannelSettings& channel = config.alerts.channels[i];
        if (!isName(channel.name)) {
            continue;
        }
        const SecretNames names{variableOf(channel, true), variableOf(channel, false)};
        if (auto found = secretOfEnvironment(environment, folder, names, problems)) {
            problems.setOrigin(keyOf(i) + nameOf(channel.kind).secret, found->origin);
            keepSecret(found->origin, std::move(found->value), channel, problems);
        }
    }
}

std::vector<std::string> alertChannelKeys()
{
    return {"name", "kind", "events", "url", "url_file", "secret", "secret_file", "server", "security", "user",
        "password", "password_file", "from", "to", "ca_file", "timeout_ms"};
}

void checkAlerts(const Config& config, Problems& problems)
{
    const auto& channels = config.alerts.channels;
    if (channels.size() > kMostChannels) {
        problems.add("alerts.channels", "has more than 20 tables");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const ChannelSettings& channel = channels[i];
        const std::string key = keyOf(i);
        const std::string secretKey = key + nameOf(channel.kind).secret;
        if (!isName(channel.name) && !problems.has(key + "name")) {
            problems.add(key + "name", "has to be made of a to z, 0 to 9 and dashes, at most 32");
        } else if (!names.insert(channel.name).second) {
            problems.add(key + "name", "is there twice");
        }
        if (problems.has(key + "kind")) {
            continue;
        }
        if (channel.kind == Kind::Smtp) {
            checkMail(channel, key, problems);
        } else if (channel.secret == nullptr && !problems.has(secretKey) && !problems.has(secretKey + "_file")) {
            problems.add(secretKey, "is needed (or " + variableOf(channel, true) + ")");
        }
        if (channel.kind == Kind::Webhook && !net::isFetchable(channel.url) && !problems.has(key + "url")) {
            problems.add(key + "url", "has to be an https:// address (http:// on this computer)");
        }
    }
}

void printAlerts(const Config& config, toml::table& table)
{
    const alerts::AlertSettings& settings = config.alerts;
    toml::array thresholds;
    for (const int percent : settings.thresholds) {
        thresholds.push_back(static_cast<std::int64_t>(percent));
    }
    const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
    toml::table printed{{"budget_thresholds", std::move(thresholds)}, {"error_percent", whole(settings.errorPercent)},
        {"error_minutes", whole(settings.errorWindow.count())}, {"settle_seconds", whole(settings.settle.count())},
        {"keep_days", whole(settings.kept.count())}};
    toml::array channels;
    for (const ChannelSettings& channel : settings.channels) {
        toml::table one{{"name", channel.name}, {"kind", nameOf(channel.kind).text},
            {"timeout_ms", whole(channel.timeout.count())}};
        const std::array texts{std::pair("url", &channel.url), std::pair("ca_file", &channel.caFile),
            std::pair("server", &channel.server), std::pair("user", &channel.user), std::pair("from", &channel.from)};
        for (const auto& [name, text] : texts) {
            if (!text->empty()) {
                one.insert(name, *text);
            }
        }
        toml::array events;
        for (const alerts::AlertKind kind : channel.kinds) {
            events.push_back(textOf(kind));
        }
        if (!events.empty()) {
            one.insert("events", std::move(events));
        }
        if (channel.kind == Kind::Smtp) {
            const auto* const security = std::find_if(kSecurities.begin(), kSecurities.end(),
                [&](const SecurityName& row) { return row.security == channel.security; });
            one.insert("security", security->text);
            one.insert("to", listOf(channel.to));
        }
        channels.push_back(std::move(one));
    }
    if (!channels.empty()) {
        printed.insert("channels", std::move(channels));
    }
    table.insert("alerts", std::move(printed));
}

} // namespace vivavoce::broker
