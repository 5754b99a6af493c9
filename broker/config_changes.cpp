#include "broker/config_changes.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <map>

namespace vivavoce::broker {
namespace {

struct SecretKey {
    const char* name;
    core::Secret Config::*member;
};
constexpr std::array kSecrets{SecretKey{"provider.api_key", &Config::providerKey}, SecretKey{"secret", &Config::secret},
    SecretKey{"previous_secret", &Config::previousSecret}, SecretKey{"database.url", &Config::databaseUrl},
    SecretKey{"limits.redis_url", &Config::redisUrl}, SecretKey{"providers.gemini.api_key", &Config::geminiKey}};

/// Stores are opened once, sockets are bound once, and hashes in the store were made with one secret.
struct FixedKey {
    const char* name;
    void (*keep)(const Config& running, Config& wanted);
};
constexpr std::array kFixed{
    FixedKey{"listen",
        [](const Config& running, Config& wanted) {
            wanted.address = running.address;
            wanted.port = running.port;
        }},
    FixedKey{"metrics.listen",
        [](const Config& running, Config& wanted) {
            wanted.metricsAddress = running.metricsAddress;
            wanted.metricsPort = running.metricsPort;
        }},
    FixedKey{"secret",
        [](const Config& running, Config& wanted) {
            wanted.secret = running.secret.clone();
            // What is wanted as the one before is the one that goes on now.
            wanted.previousSecret = running.previousSecret.clone();
        }},
    FixedKey{"database.url",
        [](const Config& running, Config& wanted) { wanted.databaseUrl = running.databaseUrl.clone(); }},
    FixedKey{
        "limits.redis_url", [](const Config& running, Config& wanted) { wanted.redisUrl = running.redisUrl.clone(); }},
    FixedKey{"limits.without_redis",
        [](const Config& running, Config& wanted) { wanted.limitsDegrade = running.limitsDegrade; }},
    FixedKey{
        "limits.max_sessions", [](const Config& running, Config& wanted) { wanted.maxSessions = running.maxSessions; }},
    FixedKey{"limits.connections",
        [](const Config& running, Config& wanted) { wanted.maxConnections = running.maxConnections; }},
    FixedKey{"limits.connections_per_address",
        [](const Config& running, Config& wanted) { wanted.connectionsPerAddress = running.connectionsPerAddress; }},
    FixedKey{"usage.keep_days", [](const Config& running, Config& wanted) { wanted.usageKept = running.usageKept; }},
    FixedKey{"audit.folder", [](const Config& running, Config& wanted) { wanted.auditFolder = running.auditFolder; }},
};

/// Each key with its value as text; what is printed can be read again.
std::map<std::string, std::string> valuesOf(const Config& config)
{
    const auto text = [](const toml::node& node) {
        std::ostringstream out;
        node.visit([&](const auto& value) { out << value; });
        return out.str();
    };
    std::map<std::string, std::string> values;
    const toml::table table = toml::parse(printConfig(config));
    for (auto&& [name, node] : table) {
        const std::string key(name.str());
        const auto* inner = node.as_table();
        if (inner == nullptr) {
            values[key] = text(node);
            continue;
        }
        for (auto&& [innerName, value] : *inner) {
            values[key + "." + std::string(innerName.str())] = text(value);
        }
    }
    return values;
}

bool haveSame(const std::shared_ptr<const core::Secret>& one, const std::shared_ptr<const core::Secret>& other)
{
    return one != nullptr && other != nullptr ? one->equals(other->reveal()) : one == other;
}

bool haveSameIssuerSecrets(const Config& running, const Config& wanted)
{
    return std::equal(running.issuers.begin(), running.issuers.end(), wanted.issuers.begin(), wanted.issuers.end(),
        [](const auth::IssuerSettings& one, const auth::IssuerSettings& other) { return one.isSame(other); });
}

bool haveSameChannels(const Config& running, const Config& wanted)
{
    return std::equal(running.alerts.channels.begin(), running.alerts.channels.end(), wanted.alerts.channels.begin(),
        wanted.alerts.channels.end(),
        [](const alerts::ChannelSettings& one, const alerts::ChannelSettings& other) { return one.isSame(other); });
}

bool haveSameCompatible(const Config& running, const Config& wanted)
{
    return std::equal(running.compatible.begin(), running.compatible.end(), wanted.compatible.begin(),
        wanted.compatible.end(),
        [](const CompatibleProvider& one, const CompatibleProvider& other) { return one.isSame(other); });
}

} // namespace

std::vector<std::string> changedKeys(const Config& running, const Config& wanted)
{
    std::vector<std::string> changed;
    auto before = valuesOf(running);
    for (auto& [key, value] : valuesOf(wanted)) {
        const auto known = before.extract(key);
        if (known.empty() || known.mapped() != value) {
            changed.push_back(key);
        }
    }
    for (const auto& [key, value] : before) {
        changed.push_back(key);
    }
    for (const SecretKey& secret : kSecrets) {
        if (!(running.*secret.member).equals((wanted.*secret.member).reveal())) {
            changed.emplace_back(secret.name);
        }
    }
    const bool hasIssuers = std::find(changed.begin(), changed.end(), "issuers") != changed.end();
    if (!hasIssuers && !haveSameIssuerSecrets(running, wanted)) {
        changed.emplace_back("issuers");
    }
    const bool hasCompatible = std::find(changed.begin(), changed.end(), "providers.compatible") != changed.end();
    if (!hasCompatible && !haveSameCompatible(running, wanted)) {
        changed.emplace_back("providers.compatible");
    }
    const bool hasChannels = std::find(changed.begin(), changed.end(), "alerts.channels") != changed.end();
    if (!hasChannels && !haveSameChannels(running, wanted)) {
        changed.emplace_back("alerts.channels");
    }
    if (!haveSame(running.projects.webhookSecret, wanted.projects.webhookSecret)) {
        changed.emplace_back("projects.webhook_secret");
    }
    if (!haveSame(running.projects.webhookUrl, wanted.projects.webhookUrl)) {
        changed.emplace_back("projects.webhook_url");
    }
    std::sort(changed.begin(), changed.end());
    return changed;
}

std::vector<std::string> keepUntilRestart(const Config& running, Config& wanted)
{
    std::vector<std::string> kept;
    const auto changed = changedKeys(running, wanted);
    for (const FixedKey& fixed : kFixed) {
        if (std::find(changed.begin(), changed.end(), fixed.name) != changed.end()) {
            fixed.keep(running, wanted);
            kept.emplace_back(fixed.name);
        }
    }
    // Another certificate can be shown to whoever comes next; a port cannot change between http and https.
    if (running.tlsCertificate.empty() != wanted.tlsCertificate.empty()) {
        wanted.tlsCertificate = running.tlsCertificate;
        wanted.tlsKey = running.tlsKey;
        kept.emplace_back("tls.certificate");
    }
    return kept;
}

std::string listed(const std::vector<std::string>& keys)
{
    std::string text;
    for (const std::string& key : keys) {
        text += (text.empty() ? "" : ", ") + key;
    }
    return text;
}

} // namespace vivavoce::broker
