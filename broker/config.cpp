#include "broker/config.h"

#include "broker/config_callers.h"
#include "broker/config_values.h"
#include "broker/http/cors.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace vivavoce::broker {
namespace {

/// One person clicks as often as they like; the limit is there for what runs wild.
constexpr std::size_t kEmbeddedMintsPerMinute = 120;

using core::Unexpected;

constexpr const char* kKeyVariable = "OPENAI_API_KEY";
constexpr const char* kRateVariable = "VOICE_AGENT_RATE_LIMIT";
constexpr const char* kDurationVariable = "VOICE_AGENT_TOKEN_DURATION";
constexpr const char* kSecretVariable = "JWT_SECRET";
constexpr const char* kRedisVariable = "REDIS_URL";
constexpr const char* kOriginsVariable = "ALLOWED_ORIGINS";
constexpr std::size_t kShortestSecret = 32;

bool isPlainText(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// The host of an http(s) URL without user information, query or fragment; nothing for anything else.
std::optional<std::string> hostOf(std::string_view url)
{
    const bool isHttp = url.starts_with("http://");
    if ((!isHttp && !url.starts_with("https://")) || !isPlainText(url)
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
    return host.empty() ? std::nullopt : std::optional(std::move(host));
}

bool isLoopbackHost(std::string_view host)
{
    return host == "127.0.0.1" || host == "[::1]" || host == "localhost";
}

Written readSecrets(const Environment& environment, Config& config)
{
    struct Row {
        const char* name;
        core::Secret Config::*member;
    };
    for (const Row& row : {Row{kSecretVariable, &Config::secret}, Row{kRedisVariable, &Config::redisUrl}}) {
        if (auto text = environment(row.name); text && !text->empty()) {
            config.*row.member = core::Secret(*text);
            core::wipeString(*text);
        }
    }
    return {};
}

Written readEnvironment(const Environment& environment, Config& config)
{
    if (auto key = environment(kKeyVariable); key && !key->empty()) {
        const bool isGood = isPlainText(*key) && key->size() <= 4096;
        config.providerKey = core::Secret(*key);
        core::wipeString(*key);
        if (!isGood) {
            return badConfig(kKeyVariable, "has to be one word of visible ASCII characters");
        }
    }
    if (const auto text = environment(kRateVariable); text && !text->empty()) {
        const auto value = readNumber(kRateVariable, *text, kRateRange);
        if (!value) {
            return Unexpected<core::Error>(value.error());
        }
        config.mintsPerMinute = static_cast<std::size_t>(*value);
    }
    if (const auto text = environment(kDurationVariable); text && !text->empty()) {
        const auto value = readNumber(kDurationVariable, *text, kTokenLifeRange);
        if (!value) {
            return Unexpected<core::Error>(value.error());
        }
        config.tokenLife = std::chrono::seconds(*value);
    }
    if (auto written = readSecrets(environment, config); !written) {
        return written;
    }
    if (const auto text = environment(kOriginsVariable); text && !text->empty()) {
        config.allowedOrigins = words(*text);
    }
    return readIssuerVariables(environment, config);
}

Written readOverrides(const Overrides& overrides, Config& config)
{
    if (overrides.listen) {
        if (auto written = writeListen("--listen", *overrides.listen, config); !written) {
            return written;
        }
    }
    if (overrides.logLevel) {
        if (auto written = writeLogLevel("--log-level", *overrides.logLevel, config); !written) {
            return written;
        }
    }
    config.providerUrl = overrides.providerUrl.value_or(config.providerUrl);
    config.isEmbedded = overrides.isEmbedded;
    config.credentialFd = overrides.credentialFd.value_or(0);
    return {};
}

Written checkWhole(const Config& config)
{
    const auto host = hostOf(config.providerUrl);
    if (!host) {
        return badConfig("provider.url", "has to be an http:// or https:// address without user, query or fragment");
    }
    if (config.providerUrl.starts_with("http://") && !isLoopbackHost(*host)) {
        return badConfig("provider.url", "has to be https:// unless the provider is on this computer");
    }
    if (config.tlsCertificate.empty() != config.tlsKey.empty()) {
        return badConfig("tls.certificate", "and tls.key go together");
    }
    if (!config.isLoopback() && config.tlsCertificate.empty() && config.trustedProxies.empty()) {
        return badConfig("listen", "outside loopback needs tls.certificate and tls.key, or trusted_proxies");
    }
    for (const std::string& origin : config.allowedOrigins) {
        if (!http::Cors::isOrigin(origin)) {
            return badConfig("allowed_origins", "holds something else than origins, such as https://app.example");
        }
    }
    if (!config.secret.empty() && config.secret.size() < kShortestSecret) {
        return badConfig("secret", "has to have 32 bytes or more");
    }
    if (!config.redisUrl.empty() && config.secret.empty()) {
        return badConfig("secret", "is needed with limits.redis_url: names of callers are hidden with it");
    }
    return checkCallers(config);
}

} // namespace

std::string Config::providerName() const
{
    const auto host = hostOf(providerUrl);
    return host && isLoopbackHost(*host) ? "local" : "openai";
}

std::optional<std::string> takeFromEnvironment(const char* name)
{
    char* const value = std::getenv(name);
    if (value == nullptr) {
        return std::nullopt;
    }
    std::string copy(value);
    // The environment block itself keeps the bytes after unsetenv.
    core::Secret::wipe(value, std::strlen(value));
#ifdef _WIN32
    _putenv_s(name, "");
#else
    unsetenv(name);
#endif
    return copy;
}

core::Expected<Config, core::Error> loadConfig(const Overrides& overrides, const Environment& environment)
{
    Config config;
    if (overrides.isEmbedded) {
        config.mintsPerMinute = kEmbeddedMintsPerMinute;
        config.sessionsPerUser = config.maxSessions;
        config.violationsToBlock = 0;
    }
    Written written = overrides.configFile ? readConfigFile(*overrides.configFile, config) : Written{};
    if (written) {
        written = readEnvironment(environment, config);
    }
    if (written) {
        written = readOverrides(overrides, config);
    }
    if (written) {
        written = checkWhole(config);
    }
    if (!written) {
        return Unexpected<core::Error>(written.error());
    }
    return config;
}

} // namespace vivavoce::broker
