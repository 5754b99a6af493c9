#include "broker/config.h"
#include "broker/config_alert_channels.h"
#include "broker/config_alerts.h"
#include "broker/config_callers.h"
#include "broker/config_invoices.h"
#include "broker/config_projects.h"
#include "broker/config_providers.h"
#include "broker/config_toml.h"

#include <array>
#include <sstream>

namespace vivavoce::broker {
namespace {

const char* levelText(LogLevel level)
{
    constexpr std::array names{"error", "warning", "info", "debug"};
    return names.at(static_cast<std::size_t>(level));
}

std::string endpointText(const std::string& address, std::uint16_t port)
{
    const bool isV6 = address.find(':') != std::string::npos;
    return (isV6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

/// Those that have something of their own.
void printBuckets(const Config& config, toml::table& limits)
{
    const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
    struct Row {
        const char* name;
        const BucketConfig& bucket;
    };
    for (const Row& row :
        {Row{"mint", config.mintBucket}, Row{"session", config.sessionBucket}, Row{"refresh", config.refreshBucket}}) {
        toml::table table;
        if (row.bucket.maxRequests) {
            table.insert("max_requests", whole(*row.bucket.maxRequests));
        }
        if (row.bucket.window) {
            table.insert("window", whole(row.bucket.window->count()));
        }
        if (row.bucket.violations) {
            table.insert("violations_to_block", whole(*row.bucket.violations));
        }
        if (row.bucket.blockDuration) {
            table.insert("block_duration", whole(row.bucket.blockDuration->count()));
        }
        if (!table.empty()) {
            limits.insert(row.name, std::move(table));
        }
    }
}

} // namespace

toml::table tableOf(const Config& config)
{
    const auto whole = [](auto value) { return static_cast<std::int64_t>(value); };
    toml::table provider{{"url", config.providerUrl}, {"model", config.providerModel},
        {"timeout_ms", whole(config.providerTimeout.count())}};
    if (!config.providerCaFile.empty()) {
        provider.insert("ca_file", config.providerCaFile);
    }
    toml::table gemini{{"url", config.geminiUrl}, {"version", config.geminiVersion}, {"model", config.geminiModel}};
    if (!config.geminiCaFile.empty()) {
        gemini.insert("ca_file", config.geminiCaFile);
    }
    toml::table table{
        {"listen", endpointText(config.address, config.port)},
        {"trusted_proxies", listOf(config.trustedProxies)},
        {"provider", provider},
        {"providers", toml::table{{"gemini", gemini}}},
        {"tokens", toml::table{{"duration", whole(config.tokenLife.count())}}},
        {"sessions",
            toml::table{{"longest", whole(config.longestSession.count())},
                {"relay_longest", whole(config.longestRelay.count())},
                {"relay_duration", whole(config.relayTokenLife.count())}}},
        {"relay",
            toml::table{{"messages_per_minute", whole(config.relayMessagesPerMinute)},
                {"audio_per_minute", whole(config.relayAudioPerMinute.count())}}},
        {"limits",
            toml::table{{"mints_per_minute", whole(config.mintsPerMinute)},
                {"refreshes_per_minute", whole(config.refreshesPerMinute)},
                {"strangers_per_minute", whole(config.strangersPerMinute)},
                {"others_per_minute", whole(config.othersPerMinute)},
                {"sessions_per_user", whole(config.sessionsPerUser)},
                {"violations_to_block", whole(config.violationsToBlock)},
                {"block_duration", whole(config.blockDuration.count())},
                {"without_redis", config.limitsDegrade ? "memory" : "refuse"},
                {"connections", whole(config.maxConnections)},
                {"connections_per_address", whole(config.connectionsPerAddress)},
                {"max_sessions", whole(config.maxSessions)}}},
        {"usage", toml::table{{"keep_days", whole(config.usageKept.count())}}},
        {"transcripts", toml::table{{"keep_days", whole(config.transcriptsKept.count())}}},
        {"log", toml::table{{"level", levelText(config.logLevel)}}},
    };
    printBuckets(config, *table["limits"].as_table());
    if (!config.tlsCertificate.empty()) {
        table.insert("tls", toml::table{{"certificate", config.tlsCertificate}, {"key", config.tlsKey}});
    }
    if (!config.pricesFile.empty()) {
        table["usage"].as_table()->insert("prices_file", config.pricesFile);
    }
    if (config.holdCents) {
        table["usage"].as_table()->insert("hold_cents", whole(*config.holdCents));
    }
    if (!config.auditFolder.empty()) {
        table.insert("audit", toml::table{{"folder", config.auditFolder}});
    }
    if (!config.metricsAddress.empty()) {
        table.insert("metrics", toml::table{{"listen", endpointText(config.metricsAddress, config.metricsPort)}});
    }
    table.insert("allowed_origins", listOf(config.allowedOrigins));
    printProjects(config, table);
    if (!config.publicUrl.empty()) {
        table.insert("public_url", config.publicUrl);
    }
    if (!config.tokenKeys.empty()) {
        table["tokens"].as_table()->insert("keys", listOf(config.tokenKeys));
    }
    printProviders(config, *table["providers"].as_table());
    printCallers(config, table);
    printAlerts(config, table);
    printInvoices(config, table);
    return table;
}

std::string printConfig(const Config& config)
{
    std::ostringstream out;
    // A comment: a placeholder in the place of the key would be taken for one when the file is used.
    const auto isSet = [](const core::Secret& secret) { return secret.empty() ? "not set" : "set"; };
    out << "# provider.api_key is " << isSet(config.providerKey) << "\n# providers.gemini.api_key is "
        << isSet(config.geminiKey) << "\n# secret is " << isSet(config.secret) << "\n# previous_secret is "
        << isSet(config.previousSecret) << "\n# database.url is " << isSet(config.databaseUrl)
        << "\n# limits.redis_url is " << isSet(config.redisUrl) << '\n';
    // Of what may be a secret, where it leads: an operator wants to see that.
    if (config.projects.webhookUrl != nullptr) {
        out << "# projects.webhook_url is set: " << urlHost(config.projects.webhookUrl->reveal()) << '\n';
    }
    for (const alerts::ChannelSettings& channel : config.alerts.channels) {
        if (channel.address != nullptr) {
            out << "# url of " << channel.name << " in alerts.channels is set: " << urlHost(channel.address->reveal())
                << '\n';
        }
    }
    out << tableOf(config) << '\n';
    return out.str();
}

} // namespace vivavoce::broker
