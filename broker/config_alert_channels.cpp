#include "broker/config_alert_channels.h"

#include "broker/config_secrets.h"
#include "broker/config_toml.h"
#include "broker/webhook_signature.h"
#include "core/base/visible_ascii.h"
#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

namespace vivavoce::broker {
namespace {

using alerts::ChannelSettings;
using alerts::MailSecurity;
using Kind = ChannelSettings::Kind;

constexpr Range kChannelTimeoutRange{100, ChannelSettings::kLongestTimeout.count()};
constexpr std::size_t kMostChannels = 20;
constexpr std::size_t kLongestName = 32;
constexpr const char* kSecretForm = "has to hold whsec_ and 24 to 64 bytes in base64 (Standard Webhooks)";

struct KindName {
    std::string_view text;
    Kind kind;
};
constexpr std::array kKinds{
    KindName{"webhook", Kind::Webhook}, KindName{"slack", Kind::Slack}, KindName{"smtp", Kind::Smtp}};

/// What nobody else is to know of a kind; with "_file" behind it the key of a file that holds it.
struct SecretKey {
    Kind kind;
    std::string_view name;
    std::shared_ptr<const core::Secret> ChannelSettings::*member;
};
constexpr std::array kSecrets{SecretKey{Kind::Webhook, "url", &ChannelSettings::address},
    SecretKey{Kind::Webhook, "secret", &ChannelSettings::secret},
    SecretKey{Kind::Slack, "url", &ChannelSettings::address},
    SecretKey{Kind::Smtp, "password", &ChannelSettings::secret}};

struct SecurityName {
    std::string_view text;
    MailSecurity security;
};
constexpr std::array kSecurities{SecurityName{"starttls", MailSecurity::StartTls},
    SecurityName{"tls", MailSecurity::Tls}, SecurityName{"none", MailSecurity::None}};

std::string_view textOfKind(Kind kind)
{
    return std::find_if(kKinds.begin(), kKinds.end(), [&](const KindName& row) { return row.kind == kind; })->text;
}

struct SecretPlace {
    const SecretKey& row;
    /// It names a file that holds it.
    bool isFile = false;
};
/// Nothing: it is no secret of that kind.
std::optional<SecretPlace> placeOf(Kind kind, std::string_view name)
{
    constexpr std::string_view kFile = "_file";
    const bool isFile = name.ends_with(kFile);
    const std::string_view plain = isFile ? name.substr(0, name.size() - kFile.size()) : name;
    const auto* const found = std::find_if(
        kSecrets.begin(), kSecrets.end(), [&](const SecretKey& row) { return row.kind == kind && row.name == plain; });
    return found == kSecrets.end() ? std::nullopt : std::optional(SecretPlace{*found, isFile});
}

bool isName(std::string_view text)
{
    return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

/// "ALERTS_OPS_SECRET"; as a credential of systemd's "alerts_ops_secret".
std::string variableOf(const ChannelSettings& channel, std::string_view secret, bool isUpper)
{
    std::string name = "alerts_" + channel.name + "_" + std::string(secret);
    for (char& c : name) {
        c = c == '-' ? '_' : isUpper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return name;
}

std::string keyOf(std::size_t number)
{
    return "alerts.channels[" + std::to_string(number) + "].";
}

void keepSecret(
    const SecretKey& row, std::string_view spokenOf, core::Secret secret, ChannelSettings& channel, Problems& problems)
{
    if (row.name == "secret") {
        channel.secret = readWebhookSecret(secret.reveal());
        if (channel.secret == nullptr) {
            problems.add(spokenOf, kSecretForm);
        }
        return;
    }
    if (row.name == "url" && !net::isFetchable(secret.reveal())) {
        problems.add(spokenOf, "has to be an https:// address (http:// on this computer)");
    }
    channel.*row.member = std::make_shared<const core::Secret>(std::move(secret));
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

/// What each kind has beside its secrets.
bool belongs(Kind kind, std::string_view name)
{
    constexpr std::array<std::string_view, 5> kAll{"name", "kind", "events", "ca_file", "timeout_ms"};
    constexpr std::array<std::string_view, 5> kSmtp{"server", "security", "user", "from", "to"};
    const auto isIn = [&](const auto& names) { return std::find(names.begin(), names.end(), name) != names.end(); };
    return isIn(kAll) || (kind == Kind::Smtp && isIn(kSmtp));
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

/// A secret of its kind, or the file that holds it.
void readSecretAt(
    const SecretPlace& place, const std::string& key, toml::node& node, ChannelSettings& channel, Problems& problems)
{
    auto secret = place.isFile ? readSecretPath(key, node, problems) : readSecretText(key, node, problems);
    if (secret) {
        keepSecret(place.row, key, std::move(*secret), channel, problems);
    }
}

void readOne(const std::string& prefix, toml::table& table, ChannelSettings& channel, Problems& problems)
{
    const auto known = alertChannelKeys();
    readKind(prefix, table, channel, problems);
    for (const SecretKey& row : kSecrets) {
        const std::string name(row.name);
        if (row.kind == channel.kind && table.contains(name) && table.contains(name + "_file")) {
            problems.add(prefix + name + "_file", "and " + name + " cannot both be set");
        }
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
        if (const auto place = placeOf(channel.kind, name)) {
            readSecretAt(*place, key, node, channel, problems);
        } else if (!belongs(channel.kind, name)) {
            problems.add(key, "is not for " + std::string(textOfKind(channel.kind)));
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
        for (const SecretKey& row : kSecrets) {
            if (row.kind != channel.kind) {
                continue;
            }
            const SecretNames names{variableOf(channel, row.name, true), variableOf(channel, row.name, false)};
            if (auto found = secretOfEnvironment(environment, folder, names, problems)) {
                problems.setOrigin(keyOf(i) + std::string(row.name), found->origin);
                keepSecret(row, found->origin, std::move(found->value), channel, problems);
            }
        }
    }
}

std::vector<std::string> alertChannelKeys()
{
    return {"name", "kind", "events", "url", "url_file", "secret", "secret_file", "server", "security", "user",
        "password", "password_file", "from", "to", "ca_file", "timeout_ms"};
}

void checkAlertChannels(const Config& config, Problems& problems)
{
    const auto& channels = config.alerts.channels;
    if (channels.size() > kMostChannels) {
        problems.add("alerts.channels", "has more than 20 tables");
    }
    std::set<std::string> names;
    for (std::size_t i = 0; i < channels.size(); ++i) {
        const ChannelSettings& channel = channels[i];
        const std::string key = keyOf(i);
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
            continue;
        }
        for (const SecretKey& row : kSecrets) {
            const std::string secret = key + std::string(row.name);
            if (row.kind == channel.kind && channel.*row.member == nullptr && !problems.has(secret)
                && !problems.has(secret + "_file")) {
                problems.add(secret, "is needed (or " + variableOf(channel, row.name, true) + ")");
            }
        }
    }
}

toml::array alertChannelsOf(const Config& config)
{
    toml::array channels;
    for (const ChannelSettings& channel : config.alerts.channels) {
        toml::table one{{"name", channel.name}, {"kind", textOfKind(channel.kind)},
            {"timeout_ms", static_cast<std::int64_t>(channel.timeout.count())}};
        const std::array texts{std::pair("ca_file", &channel.caFile), std::pair("server", &channel.server),
            std::pair("user", &channel.user), std::pair("from", &channel.from)};
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
    return channels;
}

std::string urlHost(std::string_view url)
{
    url.remove_prefix(std::min(url.size(), std::min(url.find("://"), url.size()) + 3));
    url = url.substr(0, url.find_first_of("/?#"));
    // What stands before it is a name and a password.
    const std::size_t at = url.rfind('@');
    return std::string(at == std::string_view::npos ? url : url.substr(at + 1));
}

} // namespace vivavoce::broker
