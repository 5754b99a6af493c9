#include "broker/config.h"

#include "broker/config_alert_channels.h"
#include "broker/config_callers.h"
#include "broker/config_invoices.h"
#include "broker/config_problems.h"
#include "broker/config_projects.h"
#include "broker/config_providers.h"
#include "broker/config_secrets.h"
#include "broker/config_values.h"
#include "broker/http/cors.h"
#include "broker/limits/redis_address.h"
#include "broker/setup/secret_strength.h"
#include "broker/store/database_url.h"
#include "core/base/visible_ascii.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace vivavoce::broker {
namespace {

/// One person clicks as often as they like; the limit is there for what runs wild.
constexpr std::size_t kEmbeddedMintsPerMinute = 120;

using core::Unexpected;

constexpr const char* kRateVariable = "VOICE_AGENT_RATE_LIMIT";
constexpr const char* kDurationVariable = "VOICE_AGENT_TOKEN_DURATION";
constexpr const char* kOriginsVariable = "ALLOWED_ORIGINS";

/// Nothing, or a colon and a number from 1 to 65535.
bool isPort(std::string_view text)
{
    if (text.empty()) {
        return true;
    }
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + 1, end, port);
    return text.front() == ':' && fault == std::errc() && stop == end && port != 0;
}

/// The host of an http(s) URL without user information, query or fragment; nothing for anything else.
std::optional<std::string> hostOf(std::string_view url)
{
    const bool isHttp = url.starts_with("http://");
    if ((!isHttp && !url.starts_with("https://")) || !core::isVisibleAscii(url)
        || url.find_first_of("?#@\"\\") != std::string_view::npos) {
        return std::nullopt;
    }
    url.remove_prefix(isHttp ? 7 : 8);
    const std::string_view authority = url.substr(0, url.find('/'));
    const std::size_t end = authority.starts_with('[') ? authority.find(']') : authority.find(':');
    if (authority.starts_with('[') && end == std::string_view::npos) {
        return std::nullopt;
    }
    std::string host(authority.substr(0, authority.starts_with('[') ? end + 1 : end));
    const std::string_view port = authority.substr(std::min(host.size(), authority.size()));
    return host.empty() || !isPort(port) ? std::nullopt : std::optional(std::move(host));
}

bool isLoopbackHost(std::string_view host)
{
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

void readEnvironment(const Environment& environment, Config& config, Problems& problems)
{
    if (const auto text = environment(kRateVariable); text && !text->empty()) {
        problems.setOrigin("limits.mints_per_minute", kRateVariable);
        if (const auto value = readNumber(kRateVariable, *text, kRateRange)) {
            config.mintsPerMinute = static_cast<std::size_t>(*value);
            config.mintBucket.maxRequests = config.sessionBucket.maxRequests = std::nullopt;
        } else {
            problems.add(kRateVariable, value.error());
        }
    }
    if (const auto text = environment(kDurationVariable); text && !text->empty()) {
        problems.setOrigin("tokens.duration", kDurationVariable);
        if (const auto value = readNumber(kDurationVariable, *text, kTokenLifeRange)) {
            config.tokenLife = std::chrono::seconds(*value);
        } else {
            problems.add(kDurationVariable, value.error());
        }
    }
    const std::string credentials = credentialsFolder(environment);
    readSecretVariables(environment, credentials, config, problems);
    readProviderKeys(environment, credentials, config, problems);
    if (const auto text = environment(kOriginsVariable); text && !text->empty()) {
        problems.setOrigin("allowed_origins", kOriginsVariable);
        config.allowedOrigins = words(*text);
    }
    readIssuerVariables(environment, config, problems);
    readAlertVariables(environment, credentials, config, problems);
}

void readOverrides(const Overrides& overrides, Config& config, Problems& problems)
{
    if (overrides.listen) {
        problems.setOrigin("listen", "--listen");
        if (auto written = writeListen("--listen", *overrides.listen, config); !written) {
            problems.add("--listen", written.error());
        }
    }
    if (overrides.logLevel) {
        if (auto written = writeLogLevel("--log-level", *overrides.logLevel, config); !written) {
            problems.add("--log-level", written.error());
        }
    }
    if (overrides.providerUrl) {
        problems.setOrigin("provider.url", "--provider-url");
        config.providerUrl = *overrides.providerUrl;
    }
    config.isEmbedded = overrides.isEmbedded;
    config.credentialFd = overrides.credentialFd.value_or(0);
}

/// All addresses of this computer.
bool isEverywhere(const std::string& text)
{
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(text, error);
    return !error && address.is_unspecified();
}

void checkProviderUrl(const std::string& key, const std::string& url, Problems& problems)
{
    const auto host = hostOf(url);
    if (!host) {
        problems.add(key, "has to be an http:// or https:// address without user, query or fragment");
    } else if (url.starts_with("http://") && !isLoopbackHost(*host)) {
        problems.add(key, "has to be https:// unless the provider is on this computer");
    }
}

bool isWordOfUrl(std::string_view text)
{
    return std::all_of(
        text.begin(), text.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

void checkAddresses(const Config& config, Problems& problems)
{
    checkProviderUrl("provider.url", config.providerUrl, problems);
    checkProviderUrl("providers.gemini.url", config.geminiUrl, problems);
    for (std::size_t i = 0; i < config.compatible.size(); ++i) {
        const std::string key = "providers.compatible[" + std::to_string(i) + "].url";
        if (!problems.has(key)) {
            checkProviderUrl(key, config.compatible[i].url, problems);
        }
    }
    if (!isWordOfUrl(config.geminiVersion)) {
        problems.add("providers.gemini.version", "has to be small letters and digits, as v1beta");
    }
    if (config.tlsCertificate.empty() != config.tlsKey.empty() && !problems.has("tls.key")) {
        problems.add("tls.certificate", "and tls.key go together");
    }
    const bool hasTls = !config.tlsCertificate.empty() || problems.has("tls.certificate");
    if (!config.isLoopback() && !hasTls && config.trustedProxies.empty()) {
        problems.add("listen", "outside loopback needs tls.certificate and tls.key, or trusted_proxies");
    }
    for (const std::string& origin : config.allowedOrigins) {
        if (!http::Cors::isOrigin(origin)) {
            problems.add("allowed_origins",
                "holds something else than origins as browsers write them, such as https://app.example (without :443)");
        }
    }
    if (isEverywhere(config.address) && config.publicUrl.empty() && !problems.has("public_url")
        && !problems.has("listen")) {
        problems.add("public_url",
            "has to say what clients know the broker by: listen is all addresses of this computer, which is none that leads to it");
    }
    if (config.metricsPort != 0 && config.metricsPort == config.port
        && (config.metricsAddress == config.address || isEverywhere(config.address))) {
        problems.add("metrics.listen", "has to be another one than listen");
    }
    if (!config.publicUrl.empty()) {
        const auto known = hostOf(config.publicUrl);
        const bool isSafe = config.publicUrl.starts_with("https://") || (known && isLoopbackHost(*known));
        const std::size_t authority = config.publicUrl.find("://") + 3;
        if (!known || !isSafe || config.publicUrl.find('/', authority) != std::string::npos) {
            problems.add("public_url", "has to be https:// and a host, perhaps with a port, and no path");
        }
    }
}

void checkSecrets(const Config& config, Problems& problems)
{
    struct Row {
        const char* key;
        const core::Secret& secret;
    };
    for (const Row& row : {Row{"secret", config.secret}, Row{"previous_secret", config.previousSecret}}) {
        if (const auto weakness = weaknessOf(row.secret); !row.secret.empty() && !weakness.empty()) {
            problems.add(row.key, weakness);
        }
    }
    if (!config.databaseUrl.empty()) {
        if (auto address = parseDatabaseUrl(config.databaseUrl); !address) {
            problems.add("database.url", address.error());
        }
    }
    if (!config.redisUrl.empty()) {
        if (auto address = RedisAddress::parse(config.redisUrl.reveal()); !address) {
            problems.add("limits.redis_url", address.error());
        }
        if (config.secret.empty()) {
            problems.add("secret", "is needed with limits.redis_url: names of callers are hidden with it");
        }
    }
}

} // namespace

std::string Config::providerName() const
{
    const auto host = hostOf(providerUrl);
    return host && isLoopbackHost(*host) ? "local" : "openai";
}

bool Config::isProviderThere() const
{
    return !providerKey.empty() || providerName() == "local";
}

std::optional<std::string> takeFromEnvironment(const char* name)
{
    // Called before there are threads.
    char* const value = std::getenv(name); // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string copy(value);
    // The environment block itself keeps the bytes after unsetenv.
    core::Secret::wipe(value, std::strlen(value));
#ifdef _WIN32
    _putenv_s(name, "");
#else
    unsetenv(name); // NOLINT(concurrency-mt-unsafe)
#endif
    return copy;
}

std::optional<std::string> KeptEnvironment::take(const char* name)
{
    auto known = m_values.find(name);
    if (known == m_values.end()) {
        auto value = m_source ? m_source(name) : std::nullopt;
        known = m_values.emplace(name, value ? std::optional<core::Secret>(*value) : std::nullopt).first;
        if (value) {
            core::wipeString(*value);
        }
    }
    const std::optional<core::Secret>& kept = known->second;
    return kept ? std::optional<std::string>(kept->reveal()) : std::nullopt;
}

Config loadConfig(const Overrides& overrides, const Environment& environment, Problems& problems)
{
    Config config;
    if (overrides.isEmbedded) {
        config.mintsPerMinute = kEmbeddedMintsPerMinute;
        config.sessionsPerUser = config.maxSessions;
        config.violationsToBlock = 0;
    }
    if (overrides.configFile) {
        readConfigFile(*overrides.configFile, config, problems);
    }
    readEnvironment(environment, config, problems);
    readOverrides(overrides, config, problems);
    checkAddresses(config, problems);
    checkSecrets(config, problems);
    checkProjects(config, problems);
    checkProviders(config, problems);
    checkCallers(config, problems);
    checkAlertChannels(config, problems);
    checkInvoices(config, problems);
    return config;
}

core::Expected<Config, core::Error> usable(Config config, const Problems& problems)
{
    if (!problems.hasFault()) {
        return config;
    }
    core::Error error = problems.firstFault();
    if (const std::size_t more = problems.count(Problems::Severity::Fault) - 1; more > 0) {
        error.detail += "; " + std::to_string(more) + " more: vivavoce-broker check-config tells them all";
    }
    return Unexpected<core::Error>(std::move(error));
}

core::Expected<Config, core::Error> loadConfig(const Overrides& overrides, const Environment& environment)
{
    Problems problems;
    Config config = loadConfig(overrides, environment, problems);
    return usable(std::move(config), problems);
}

} // namespace vivavoce::broker
