#include "broker/config.h"
#include "broker/config_callers.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <functional>
#include <sstream>

namespace vivavoce::broker {
namespace {

using core::Unexpected;

/// Writes what one key says. The node is not const, so that a secret in it can be wiped.
using Reader = std::function<Written(std::string_view key, toml::node& node, Config& config)>;

struct Key {
    std::string_view name;
    Reader read;
};

Reader text(std::string Config::*member)
{
    return [member](std::string_view key, toml::node& node, Config& config) -> Written {
        const auto value = node.value_exact<std::string>();
        if (!value || value->empty()) {
            return badConfig(key, "has to be a text that is not empty");
        }
        config.*member = *value;
        return {};
    };
}

template <typename T>
Reader number(T Config::*member, Range range)
{
    return [member, range](std::string_view key, toml::node& node, Config& config) -> Written {
        const auto value = node.value_exact<std::int64_t>();
        if (!value) {
            return badConfig(key, "has to be a whole number");
        }
        if (auto checked = checkRange(key, *value, range); !checked) {
            return checked;
        }
        config.*member = static_cast<T>(*value);
        return {};
    };
}

Reader parsed(Written (*write)(std::string_view, const std::string&, Config&))
{
    return [write](std::string_view key, toml::node& node, Config& config) -> Written {
        const auto value = node.value_exact<std::string>();
        return value ? write(key, *value, config) : Written(badConfig(key, "has to be a text"));
    };
}

Written readApiKey(std::string_view key, toml::node& node, Config& config)
{
    auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
        return badConfig(key, "has to be a text that is not empty");
    }
    config.providerKey = core::Secret(value->get());
    core::wipeString(value->get());
    const std::string_view secret = config.providerKey.reveal();
    for (const char c : secret) {
        if (c <= 0x20 || c >= 0x7F) {
            return badConfig(key, "has to be one word of visible ASCII characters");
        }
    }
    return {};
}

Written readProxies(std::string_view key, toml::node& node, Config& config)
{
    const auto* list = node.as_array();
    if (list == nullptr) {
        return badConfig(key, "has to be a list of addresses");
    }
    for (const auto& item : *list) {
        const auto address = item.value_exact<std::string>();
        if (!address || address->empty()) {
            return badConfig(key, "has to be a list of addresses");
        }
        config.trustedProxies.push_back(*address);
    }
    return {};
}

Reader secret(core::Secret Config::*member)
{
    return [member](std::string_view key, toml::node& node, Config& config) -> Written {
        auto* value = node.as_string();
        if (value == nullptr || value->get().empty()) {
            return badConfig(key, "has to be a text that is not empty");
        }
        config.*member = core::Secret(value->get());
        core::wipeString(value->get());
        return {};
    };
}

Written readOrigins(std::string_view key, toml::node& node, Config& config)
{
    auto* list = node.as_array();
    if (list == nullptr) {
        return badConfig(key, "has to be a list of origins");
    }
    for (const auto& item : *list) {
        config.allowedOrigins.push_back(item.value_exact<std::string>().value_or(std::string()));
    }
    return {};
}

Written readOutage(std::string_view key, toml::node& node, Config& config)
{
    const auto value = node.value_exact<std::string>();
    if (value != "refuse" && value != "memory") {
        return badConfig(key, "has to be refuse or memory");
    }
    config.limitsDegrade = value == "memory";
    return {};
}

const std::array<Key, 25>& keys()
{
    static const std::array<Key, 25> all{
        Key{"listen", parsed(&writeListen)},
        Key{"trusted_proxies", &readProxies},
        Key{"tls.certificate", text(&Config::tlsCertificate)},
        Key{"tls.key", text(&Config::tlsKey)},
        Key{"provider.url", text(&Config::providerUrl)},
        Key{"provider.model", text(&Config::providerModel)},
        Key{"provider.ca_file", text(&Config::providerCaFile)},
        Key{"provider.timeout_ms", number(&Config::providerTimeout, kTimeoutRange)},
        Key{"provider.api_key", &readApiKey},
        Key{"issuers", &readIssuers},
        Key{"service_accounts", &readServiceAccounts},
        Key{"tokens.duration", number(&Config::tokenLife, kTokenLifeRange)},
        Key{"limits.mints_per_minute", number(&Config::mintsPerMinute, kRateRange)},
        Key{"limits.refreshes_per_minute", number(&Config::refreshesPerMinute, kRateRange)},
        Key{"limits.max_sessions", number(&Config::maxSessions, kMaxSessionsRange)},
        Key{"limits.strangers_per_minute", number(&Config::strangersPerMinute, kRateRange)},
        Key{"limits.sessions_per_user", number(&Config::sessionsPerUser, kRateRange)},
        Key{"limits.violations_to_block", number(&Config::violationsToBlock, kViolationsRange)},
        Key{"limits.block_duration", number(&Config::blockDuration, kBlockRange)},
        Key{"limits.redis_url", secret(&Config::redisUrl)},
        Key{"limits.without_redis", &readOutage},
        Key{"secret", secret(&Config::secret)},
        Key{"audit.folder", text(&Config::auditFolder)},
        Key{"allowed_origins", &readOrigins},
        Key{"log.level", parsed(&writeLogLevel)},
    };
    return all;
}

/// A key is foreign text: only a tame one is repeated.
std::string tame(const std::string& key)
{
    for (const char c : key) {
        if (c <= 0x20 || c >= 0x7F) {
            return "a key";
        }
    }
    return key.size() <= 128 ? key : "a key";
}

Written readTable(const std::string& prefix, toml::table& table, Config& config)
{
    for (auto&& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        if (auto* inner = node.as_table(); inner != nullptr && prefix.empty()) {
            if (auto written = readTable(key + ".", *inner, config); !written) {
                return written;
            }
            continue;
        }
        const auto known = std::find_if(keys().begin(), keys().end(), [&](const Key& k) { return k.name == key; });
        if (known == keys().end()) {
            return badConfig(tame(key), "is not a key of this file");
        }
        if (auto written = known->read(key, node, config); !written) {
            return written;
        }
    }
    return {};
}

const char* levelText(LogLevel level)
{
    constexpr std::array names{"error", "warning", "info", "debug"};
    return names.at(static_cast<std::size_t>(level));
}

} // namespace

core::Expected<void, core::Error> readConfigFile(const std::string& path, Config& config)
{
    try {
        toml::table table = toml::parse_file(path);
        return readTable({}, table, config);
    } catch (const toml::parse_error& error) {
        // Its text may quote the file; the place is enough.
        const auto line = error.source().begin.line;
        return badConfig("--config",
            line == 0 ? "names a file that cannot be read"
                      : "names a file that is not TOML: line " + std::to_string(line));
    }
}

std::string printConfig(const Config& config)
{
    const bool isV6 = config.address.find(':') != std::string::npos;
    toml::array proxies;
    for (const std::string& proxy : config.trustedProxies) {
        proxies.push_back(proxy);
    }
    const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
    toml::table provider{{"url", config.providerUrl}, {"model", config.providerModel},
        {"timeout_ms", whole(config.providerTimeout.count())}};
    if (!config.providerCaFile.empty()) {
        provider.insert("ca_file", config.providerCaFile);
    }
    toml::table table{
        {"listen", (isV6 ? "[" + config.address + "]" : config.address) + ":" + std::to_string(config.port)},
        {"trusted_proxies", proxies},
        {"provider", provider},
        {"tokens", toml::table{{"duration", whole(config.tokenLife.count())}}},
        {"limits",
            toml::table{{"mints_per_minute", whole(config.mintsPerMinute)},
                {"refreshes_per_minute", whole(config.refreshesPerMinute)},
                {"strangers_per_minute", whole(config.strangersPerMinute)},
                {"sessions_per_user", whole(config.sessionsPerUser)},
                {"violations_to_block", whole(config.violationsToBlock)},
                {"block_duration", whole(config.blockDuration.count())},
                {"without_redis", config.limitsDegrade ? "memory" : "refuse"},
                {"max_sessions", whole(config.maxSessions)}}},
        {"log", toml::table{{"level", levelText(config.logLevel)}}},
    };
    if (!config.tlsCertificate.empty()) {
        table.insert("tls", toml::table{{"certificate", config.tlsCertificate}, {"key", config.tlsKey}});
    }
    if (!config.auditFolder.empty()) {
        table.insert("audit", toml::table{{"folder", config.auditFolder}});
    }
    toml::array origins;
    for (const std::string& origin : config.allowedOrigins) {
        origins.push_back(origin);
    }
    table.insert("allowed_origins", std::move(origins));
    printCallers(config, table);
    std::ostringstream out;
    // A comment: a placeholder in the place of the key would be taken for one when the file is used.
    const auto isSet = [](const core::Secret& secret) { return secret.empty() ? "not set" : "set"; };
    out << "# provider.api_key is " << isSet(config.providerKey) << "\n# secret is " << isSet(config.secret)
        << "\n# limits.redis_url is " << isSet(config.redisUrl) << '\n'
        << table << '\n';
    return out.str();
}

} // namespace vivavoce::broker
