#include "broker/config.h"
#include "broker/config_alert_channels.h"
#include "broker/config_alerts.h"
#include "broker/config_callers.h"
#include "broker/config_invoices.h"
#include "broker/config_projects.h"
#include "broker/config_providers.h"
#include "broker/config_secrets.h"
#include "broker/config_toml.h"
#include "broker/config_values.h"
#include "broker/setup/file_access.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <system_error>
#include <vector>

namespace vivavoce::broker {
namespace {

/// Writes what one key says. The node is not const, so that a secret in it can be wiped.
using Reader = std::function<Written(std::string_view key, toml::node& node, Config& config)>;

struct Key {
    std::string_view name;
    Reader read;
    /// In place of it, for what can have more than one problem.
    std::function<void(std::string_view key, toml::node& node, Config& config, Problems& problems)> readAll = {};
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

/// A number of one bucket's own.
template <typename T>
Key ofBucket(std::string_view name, BucketConfig Config::*bucket, std::optional<T> BucketConfig::*member, Range range)
{
    return {name, [=](std::string_view key, toml::node& node, Config& config) -> Written {
                const auto value = node.value_exact<std::int64_t>();
                if (!value) {
                    return badConfig(key, "has to be a whole number");
                }
                auto checked = checkRange(key, *value, range);
                if (checked) {
                    config.*bucket.*member = T(*value);
                }
                return checked;
            }};
}

Reader parsed(Written (*write)(std::string_view, const std::string&, Config&))
{
    return [write](std::string_view key, toml::node& node, Config& config) -> Written {
        const auto value = node.value_exact<std::string>();
        return value ? write(key, *value, config) : Written(badConfig(key, "has to be a text"));
    };
}

Written readProxies(std::string_view key, toml::node& node, Config& config)
{
    const auto* list = node.as_array();
    if (list == nullptr) {
        return badConfig(key, "has to be a list of addresses");
    }
    for (const auto& item : *list) {
        const auto text = item.value_exact<std::string>();
        boost::system::error_code error;
        const auto address = boost::asio::ip::make_address(text.value_or(std::string()), error);
        if (error) {
            return badConfig(key, "has to be a list of addresses, as 192.0.2.1 or 2001:db8::1");
        }
        config.trustedProxies.push_back(address.to_string());
    }
    return {};
}

/// A secret, or the file that holds it.
Key secret(std::string_view name, std::size_t number, bool isFile)
{
    return {name, {}, [number, isFile](std::string_view key, toml::node& node, Config& config, Problems& problems) {
                const SecretSource& source = secretSources().at(number);
                const std::string written(key);
                auto read = isFile ? readSecretPath(written, node, problems) : readSecretText(written, node, problems);
                if (isFile) {
                    problems.setOrigin(source.key, written);
                }
                if (read) {
                    writeSecret(source, key, std::move(*read), config, problems);
                }
            }};
}

Written readTokenKeys(std::string_view key, toml::node& node, Config& config)
{
    const auto* list = node.as_array();
    if (list == nullptr) {
        return badConfig(key, "has to be a list of files");
    }
    for (const auto& item : *list) {
        const auto file = item.value_exact<std::string>();
        if (!file || file->empty()) {
            return badConfig(key, "has to be a list of files");
        }
        config.tokenKeys.push_back(*file);
    }
    return {};
}

/// What stands after the dot.
std::string_view nameIn(std::string_view key)
{
    return key.substr(key.find('.') + 1);
}

Written readPolicy(std::string_view key, toml::node& node, Config& config)
{
    return readPolicyKey(nameIn(key), key, node, config.policy);
}

Written readProjects(std::string_view key, toml::node& node, Config& config)
{
    return readProjectKey(nameIn(key), key, node, config.projects);
}

void readHold(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    const auto cents = node.value_exact<std::int64_t>();
    if (!cents || *cents < kHoldRange.lowest || *cents > kHoldRange.highest) {
        problems.add(key, "has to be a whole number of cents from 0 to 1000000");
        return;
    }
    config.holdCents = *cents;
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

const std::vector<Key>& keys()
{
    static const std::vector<Key> all{
        Key{"listen", parsed(&writeListen)},
        Key{"trusted_proxies", &readProxies},
        Key{"tls.certificate", text(&Config::tlsCertificate)},
        Key{"tls.key", text(&Config::tlsKey)},
        Key{"provider.url", text(&Config::providerUrl)},
        Key{"provider.model", text(&Config::providerModel)},
        Key{"provider.ca_file", text(&Config::providerCaFile)},
        Key{"provider.timeout_ms", number(&Config::providerTimeout, kTimeoutRange)},
        secret("provider.api_key", 0, false),
        secret("provider.api_key_file", 0, true),
        Key{"providers.gemini.url", text(&Config::geminiUrl)},
        Key{"providers.gemini.version", text(&Config::geminiVersion)},
        Key{"providers.gemini.model", text(&Config::geminiModel)},
        Key{"providers.gemini.ca_file", text(&Config::geminiCaFile)},
        secret("providers.gemini.api_key", 5, false),
        secret("providers.gemini.api_key_file", 5, true),
        Key{"providers.compatible", {}, &readCompatible},
        Key{"issuers", {}, &readIssuers},
        Key{"service_accounts", {}, &readServiceAccounts},
        secret("database.url", 3, false),
        secret("database.url_file", 3, true),
        Key{"public_url", text(&Config::publicUrl)},
        secret("previous_secret", 2, false),
        secret("previous_secret_file", 2, true),
        Key{"tokens.keys", &readTokenKeys},
        Key{"policy.providers", &readPolicy},
        Key{"policy.models", &readPolicy},
        Key{"policy.voices", &readPolicy},
        Key{"policy.tools", &readPolicy},
        Key{"policy.instructions", &readPolicy},
        Key{"policy.relay", &readPolicy},
        Key{"policy.transcripts", &readPolicy},
        Key{"policy.transcript_days", &readPolicy},
        Key{"policy.user_dollars_per_day", &readPolicy},
        Key{"policy.user_dollars_per_month", &readPolicy},
        Key{"policy.project_dollars_per_day", &readPolicy},
        Key{"policy.project_dollars_per_month", &readPolicy},
        Key{"policy.user_minutes_per_day", &readPolicy},
        Key{"policy.user_minutes_per_month", &readPolicy},
        Key{"policy.project_minutes_per_day", &readPolicy},
        Key{"policy.project_minutes_per_month", &readPolicy},
        Key{"policies", {}, &readPolicies},
        Key{"projects.check", &readProjects},
        Key{"projects.required", &readProjects},
        Key{"projects.webhook_url", {}, &readWebhookUrl},
        Key{"projects.webhook_url_file", {}, &readWebhookUrlFile},
        Key{"projects.webhook_secret", &readProjects},
        Key{"projects.webhook_secret_file", {}, &readWebhookSecretFile},
        Key{"projects.webhook_ca_file", &readProjects},
        Key{"projects.webhook_timeout_ms", &readProjects},
        Key{"projects.cache_seconds", &readProjects},
        Key{"sessions.relay_duration", number(&Config::relayTokenLife, kRelayRange)},
        Key{"sessions.relay_longest", number(&Config::longestRelay, kRelayRange)},
        Key{"usage.prices_file", text(&Config::pricesFile)},
        Key{"usage.hold_cents", {}, &readHold},
        Key{"usage.keep_days", number(&Config::usageKept, kKeptDaysRange)},
        Key{"transcripts.keep_days", number(&Config::transcriptsKept, kTranscriptDaysRange)},
        Key{"relay.messages_per_minute", number(&Config::relayMessagesPerMinute, kMessagesRange)},
        Key{"relay.audio_per_minute", number(&Config::relayAudioPerMinute, kAudioRange)},
        Key{"sessions.longest", number(&Config::longestSession, kSessionLengthRange)},
        Key{"tokens.duration", number(&Config::tokenLife, kTokenLifeRange)},
        Key{"limits.mints_per_minute", number(&Config::mintsPerMinute, kRateRange)},
        Key{"limits.refreshes_per_minute", number(&Config::refreshesPerMinute, kRateRange)},
        Key{"limits.max_sessions", number(&Config::maxSessions, kMaxSessionsRange)},
        Key{"limits.connections", number(&Config::maxConnections, kConnectionsRange)},
        Key{"limits.connections_per_address", number(&Config::connectionsPerAddress, kConnectionsRange)},
        Key{"limits.strangers_per_minute", number(&Config::strangersPerMinute, kRateRange)},
        Key{"limits.others_per_minute", number(&Config::othersPerMinute, kRateRange)},
        Key{"limits.sessions_per_user", number(&Config::sessionsPerUser, kRateRange)},
        Key{"limits.violations_to_block", number(&Config::violationsToBlock, kViolationsRange)},
        Key{"limits.block_duration", number(&Config::blockDuration, kBlockRange)},
        ofBucket("limits.mint.max_requests", &Config::mintBucket, &BucketConfig::maxRequests, kRateRange),
        ofBucket("limits.mint.window", &Config::mintBucket, &BucketConfig::window, kWindowRange),
        ofBucket("limits.mint.violations_to_block", &Config::mintBucket, &BucketConfig::violations, kViolationsRange),
        ofBucket("limits.mint.block_duration", &Config::mintBucket, &BucketConfig::blockDuration, kBlockRange),
        ofBucket("limits.session.max_requests", &Config::sessionBucket, &BucketConfig::maxRequests, kRateRange),
        ofBucket("limits.session.window", &Config::sessionBucket, &BucketConfig::window, kWindowRange),
        ofBucket(
            "limits.session.violations_to_block", &Config::sessionBucket, &BucketConfig::violations, kViolationsRange),
        ofBucket("limits.session.block_duration", &Config::sessionBucket, &BucketConfig::blockDuration, kBlockRange),
        ofBucket("limits.refresh.max_requests", &Config::refreshBucket, &BucketConfig::maxRequests, kRateRange),
        ofBucket("limits.refresh.window", &Config::refreshBucket, &BucketConfig::window, kWindowRange),
        ofBucket(
            "limits.refresh.violations_to_block", &Config::refreshBucket, &BucketConfig::violations, kViolationsRange),
        ofBucket("limits.refresh.block_duration", &Config::refreshBucket, &BucketConfig::blockDuration, kBlockRange),
        secret("limits.redis_url", 4, false),
        secret("limits.redis_url_file", 4, true),
        Key{"limits.without_redis", &readOutage},
        secret("secret", 1, false),
        secret("secret_file", 1, true),
        Key{"audit.folder", text(&Config::auditFolder)},
        Key{"allowed_origins", &readOrigins},
        Key{"log.level", parsed(&writeLogLevel)},
        Key{"metrics.listen", parsed(&writeMetricsListen)},
        Key{"alerts.budget_thresholds", &readAlertKey},
        Key{"alerts.error_percent", &readAlertKey},
        Key{"alerts.error_minutes", &readAlertKey},
        Key{"alerts.settle_seconds", &readAlertKey},
        Key{"alerts.keep_days", &readAlertKey},
        Key{"alerts.channels", {}, &readAlertChannels},
        Key{"invoices.issuer", &readInvoiceKey},
        Key{"invoices.number_prefix", &readInvoiceKey},
        Key{"invoices.tax_label", &readInvoiceKey},
        Key{"invoices.tax_basis_points", &readInvoiceKey},
        Key{"invoices.currency", &readInvoiceKey},
        Key{"invoices.rate", &readInvoiceKey},
        Key{"invoices.rate_date", &readInvoiceKey},
        Key{"invoices.note", &readInvoiceKey},
        Key{"invoices.recipients", {}, &readRecipients},
    };
    return all;
}

/// A key with its table, and the one that names a file for it: only one of them can count.
void checkPairs(Problems& problems, const std::set<std::string>& seen)
{
    std::vector<std::string> all{"projects.webhook_secret", "projects.webhook_url"};
    for (const SecretSource& source : secretSources()) {
        all.emplace_back(source.key);
    }
    for (const std::string& key : all) {
        if (seen.count(key) > 0 && seen.count(key + "_file") > 0) {
            problems.add(key + "_file", "and " + key + " cannot both be set");
        }
    }
}

/// Tables are one within another where keys are.
bool isTableOfKeys(const std::string& name)
{
    return std::any_of(keys().begin(), keys().end(), [&](const Key& key) { return key.name.starts_with(name + "."); });
}

void readTable(
    const std::string& prefix, toml::table& table, Config& config, Problems& problems, std::set<std::string>& seen)
{
    for (const auto& entry : inFileOrder(table)) {
        toml::node& node = *entry.second;
        const std::string key = prefix + entry.first;
        auto* const inner = node.as_table();
        // Of one that is none of ours its keys are told, where it has any.
        if (inner != nullptr && ((prefix.empty() && !inner->empty()) || isTableOfKeys(key))) {
            readTable(key + ".", *inner, config, problems, seen);
            continue;
        }
        const auto known = std::find_if(keys().begin(), keys().end(), [&](const Key& k) { return k.name == key; });
        if (known == keys().end()) {
            tellUnknownKey(key, node, configKeys(), problems);
            continue;
        }
        seen.insert(key);
        if (!enterKey(key, node, problems)) {
            continue;
        }
        if (known->readAll) {
            known->readAll(key, node, config, problems);
        } else if (auto written = known->read(key, node, config); !written) {
            problems.add(key, written.error());
        }
    }
}

bool holdsSecrets(const std::set<std::string>& seen, const Config& config)
{
    const bool hasSecret = std::any_of(secretSources().begin(), secretSources().end(),
        [&](const SecretSource& source) { return seen.count(std::string(source.key)) > 0; });
    // An issuer's client_secret may have come from a file of its own, and so may a provider's key; that costs a warning at most.
    return hasSecret || config.projects.webhookSecret != nullptr || config.projects.webhookUrl != nullptr
        || std::any_of(config.alerts.channels.begin(), config.alerts.channels.end(),
            [](const alerts::ChannelSettings& channel) {
                return channel.secret != nullptr || channel.address != nullptr;
            })
        || std::any_of(config.compatible.begin(), config.compatible.end(),
            [](const CompatibleProvider& provider) { return provider.key != nullptr; })
        || std::any_of(config.issuers.begin(), config.issuers.end(),
            [](const auth::IssuerSettings& issuer) { return issuer.clientSecret != nullptr; });
}

} // namespace

std::vector<std::string> configKeys()
{
    std::vector<std::string> all;
    for (const Key& key : keys()) {
        const auto inner = key.name == "issuers" ? issuerKeys()
            : key.name == "service_accounts"     ? serviceAccountKeys()
            : key.name == "policies"             ? policyKeys()
            : key.name == "providers.compatible" ? compatibleKeys()
            : key.name == "alerts.channels"      ? alertChannelKeys()
            : key.name == "invoices.recipients"  ? recipientKeys()
                                                 : std::vector<std::string>();
        for (const std::string& one : inner) {
            all.push_back(std::string(key.name) + "[]." + one);
        }
        if (inner.empty()) {
            all.emplace_back(key.name);
        }
    }
    return all;
}

void readConfigFile(const std::string& path, Config& config, Problems& problems)
{
    std::error_code unknown;
    if (std::filesystem::is_directory(path, unknown)) {
        problems.add("--config", "names a folder");
        return;
    }
    try {
        toml::table table = toml::parse_file(path);
        std::set<std::string> seen;
        readTable({}, table, config, problems, seen);
        checkPairs(problems, seen);
        if (holdsSecrets(seen, config)) {
            tellExposure("--config", path, problems);
        }
    } catch (const toml::parse_error& error) {
        // Its text may quote the file; the place is enough.
        const auto line = error.source().begin.line;
        problems.add("--config",
            line == 0 ? "names a file that cannot be read"
                      : "names a file that is not TOML: line " + std::to_string(line));
    }
}

} // namespace vivavoce::broker
