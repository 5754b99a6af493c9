#pragma once

#include "broker/auth/issuer.h"
#include "broker/auth/service_accounts.h"
#include "broker/log.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// All that an operator decides. Later sources win: built in, TOML file, environment, command line.
struct Config {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8790;
    /// PEM files; both or none.
    std::string tlsCertificate;
    std::string tlsKey;
    /// Literal addresses of proxies that say X-Forwarded-Proto truly.
    std::vector<std::string> trustedProxies;

    std::string providerUrl = "https://api.openai.com";
    std::string providerModel = "gpt-realtime";
    std::string providerCaFile;
    core::Milliseconds providerTimeout{10'000};
    core::Secret providerKey;

    /// Whoever vouches for users; and the operator's own programs.
    std::vector<auth::IssuerSettings> issuers;
    std::vector<auth::ServiceAccount> serviceAccounts;

    std::chrono::seconds tokenLife{60};
    /// Of one user; of one session; of whoever has not shown who they are, by address.
    std::size_t mintsPerMinute = 10;
    std::size_t refreshesPerMinute = 60;
    std::size_t strangersPerMinute = 300;
    std::size_t sessionsPerUser = 5;
    /// After so many violations (0: never) a user is blocked for so long.
    std::size_t violationsToBlock = 3;
    std::chrono::seconds blockDuration{900};
    /// Limits that several brokers share; empty: each has its own. May hold a password.
    core::Secret redisUrl;
    /// Whether limits are kept in memory while Redis is away; otherwise nothing is minted then.
    bool limitsDegrade = false;
    /// The same for all brokers that belong together; 32 bytes or more.
    core::Secret secret;
    /// Where the audit is kept. Only the embedded broker goes without.
    std::string auditFolder;
    /// Origins of web pages that may read answers (CORS).
    std::vector<std::string> allowedOrigins;
    std::size_t maxSessions = 4096;

    LogLevel logLevel = LogLevel::Info;

    bool isEmbedded = false;
    int credentialFd = 0;

    [[nodiscard]] bool isLoopback() const { return address == "127.0.0.1" || address == "::1"; }
    /// "local" for a provider on this computer, "openai" otherwise.
    [[nodiscard]] std::string providerName() const;
};

/// What the command line says; absent means that it says nothing.
struct Overrides {
    std::optional<std::string> configFile;
    std::optional<std::string> listen;
    std::optional<std::string> providerUrl;
    std::optional<std::string> logLevel;
    bool isEmbedded = false;
    std::optional<int> credentialFd;
    bool printsConfig = false;
};

/// Looks a variable up and takes it out of the environment, so that no child and no dump has it.
using Environment = std::function<std::optional<std::string>(const char* name)>;
[[nodiscard]] std::optional<std::string> takeFromEnvironment(const char* name);

/// Puts the sources together and checks the result. BadConfiguration with one line that names the key, never a secret's value.
[[nodiscard]] core::Expected<Config, core::Error> loadConfig(
    const Overrides& overrides, const Environment& environment);

/// Reads a TOML file over `config`. Unknown keys, wrong types and values out of range are errors. Part of loadConfig.
[[nodiscard]] core::Expected<void, core::Error> readConfigFile(const std::string& path, Config& config);

/// As TOML that can be read again; of secrets, a comment tells whether they are set.
[[nodiscard]] std::string printConfig(const Config& config);

} // namespace vivavoce::broker
