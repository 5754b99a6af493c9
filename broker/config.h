#pragma once

#include "broker/alerts/alert_settings.h"
#include "broker/auth/issuer.h"
#include "broker/auth/service_accounts.h"
#include "broker/log.h"
#include "broker/projects/policy_book.h"
#include "broker/reports/invoice_settings.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker {

class Problems;

/// A server that speaks OpenAI's protocol or nearly, beside the one of `provider`.
struct CompatibleProvider {
    std::string name;
    /// One of resources/providers/profiles.json.
    std::string profile;
    std::string url;
    /// Whoever asks for one of them gets this one; the first is for whoever names only the provider.
    std::vector<std::string> models;
    std::string caFile;
    /// Nothing: as the profile says.
    std::optional<core::SampleRate> inputRate{};
    std::optional<core::SampleRate> outputRate{};
    /// How long its door may take in the relay. Nothing: as long as any other's.
    std::optional<core::Milliseconds> handshake{};
    /// Nothing: that server wants none.
    std::shared_ptr<const core::Secret> key;

    [[nodiscard]] bool isSame(const CompatibleProvider& other) const;
};

/// Who says which projects somebody may use, and how.
struct ProjectSettings {
    enum class Check { None, Claim, Table, Webhook };
    Check check = Check::None;
    /// Whether a session has to name one.
    bool isRequired = false;
    /// Nothing where no webhook is asked. With many services whoever knows it may ask.
    std::shared_ptr<const core::Secret> webhookUrl;
    /// Raw bytes, which sign what is sent there.
    std::shared_ptr<const core::Secret> webhookSecret;
    std::string webhookCaFile;
    core::Milliseconds webhookTimeout{2'000};
    std::chrono::seconds webhookKeptFor{60};
};

/// What one bucket has of its own; what is not set is as the keys say that are for all of them.
struct BucketConfig {
    std::optional<std::size_t> maxRequests{};
    std::optional<std::chrono::seconds> window{};
    std::optional<std::size_t> violations{};
    std::optional<std::chrono::seconds> blockDuration{};
};

/// All that an operator decides. Later sources win: built in, TOML file, environment (for secrets: systemd's credentials, the files that
/// variables name, variables), command line.
struct Config {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8790;
    /// PEM files; both or none.
    std::string tlsCertificate;
    std::string tlsKey;
    /// Literal addresses of proxies that say X-Forwarded-Proto truly.
    std::vector<std::string> trustedProxies;

    std::string providerUrl = "https://api.openai.com";
    std::string providerModel = "gpt-realtime-2.1";
    std::string providerCaFile;
    core::Milliseconds providerTimeout{10'000};
    core::Secret providerKey;

    std::string geminiUrl = "https://generativelanguage.googleapis.com";
    /// Of tokens and sessions alike.
    std::string geminiVersion = "v1beta";
    std::string geminiModel = "gemini-3.8-live";
    std::string geminiCaFile;
    /// Empty: this broker has no Gemini.
    core::Secret geminiKey;

    std::vector<CompatibleProvider> compatible;

    /// Whoever vouches for users; and the operator's own programs.
    std::vector<auth::IssuerSettings> issuers;
    std::vector<auth::ServiceAccount> serviceAccounts;

    std::chrono::seconds tokenLife{60};
    /// Of one user; of one session; of whoever has not shown who they are, by address.
    std::size_t mintsPerMinute = 10;
    std::size_t refreshesPerMinute = 60;
    std::size_t strangersPerMinute = 300;
    /// Of one credential: what the others do not count, and what they refuse.
    std::size_t othersPerMinute = 120;
    std::size_t sessionsPerUser = 5;
    /// After so many violations (0: never) a user is blocked for so long.
    std::size_t violationsToBlock = 3;
    std::chrono::seconds blockDuration{900};
    BucketConfig mintBucket;
    BucketConfig sessionBucket;
    BucketConfig refreshBucket;
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
    /// Open at the same time: in all, and from one address, unless that is a trusted proxy's.
    std::size_t maxConnections = 4096;
    std::size_t connectionsPerAddress = 256;
    /// A session is not renewed beyond this.
    std::chrono::seconds longestSession{86'400};
    /// The same for sessions through the relay, and how long their tokens live.
    std::chrono::seconds longestRelay{900};
    std::chrono::seconds relayTokenLife{900};
    /// Of one stream's client. 0: any number.
    std::uint64_t relayMessagesPerMinute = 6'000;
    /// How much sound a stream's client may send in a minute. 0: any amount.
    std::chrono::seconds relayAudioPerMinute{90};
    /// As resources/prices/prices.json; empty: what came with the program.
    std::string pricesFile;
    /// What a session under a budget holds of it. Nothing: what the model's longest turn costs.
    std::optional<std::int64_t> holdCents;
    /// Days whose usage is kept.
    std::chrono::days usageKept{400};
    /// Days for which what was said is kept, of projects that want that. Their policies may say fewer.
    std::chrono::days transcriptsKept{30};
    /// What clients know us by, where that is not what we listen on: "https://voice.example". Without a path.
    std::string publicUrl;
    /// PEM files of private keys for relay tokens, the one that signs first. Empty: `secret` signs them.
    std::vector<std::string> tokenKeys;
    /// What `secret` was before, while tokens that it signed are about.
    core::Secret previousSecret;
    /// Everybody's, and of some.
    Policy policy;
    std::vector<PolicyRow> policies;
    ProjectSettings projects;
    /// Where sessions are kept (Database::Settings::url); empty: in memory for the embedded broker, else a file in the working folder.
    /// May hold a password.
    core::Secret databaseUrl;

    /// Where /metrics is served to whoever comes; on this computer or a private network. Empty: admins alone get it.
    std::string metricsAddress;
    std::uint16_t metricsPort = 0;

    /// Who bills, and how.
    reports::InvoiceSettings invoices;
    /// What operators are told of, and how.
    alerts::AlertSettings alerts;

    LogLevel logLevel = LogLevel::Info;

    bool isEmbedded = false;
    int credentialFd = 0;

    [[nodiscard]] bool isLoopback() const { return address == "127.0.0.1" || address == "::1"; }
    /// "local" for a provider on this computer, "openai" otherwise.
    [[nodiscard]] std::string providerName() const;
    /// There is a key for `provider`, or it is on this computer. Otherwise callers who ask for nothing get Gemini, where there is a key for
    /// that, or the first of the compatible ones.
    [[nodiscard]] bool isProviderThere() const;
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

/// Remembers what was taken out of the environment, for a broker that reads its configuration again.
/// Threads: not before `close`, which is to come before there are threads, any thread after it; one at a time.
class KeptEnvironment {
public:
    explicit KeptEnvironment(Environment source) : m_source(std::move(source)) {}
    [[nodiscard]] std::optional<std::string> take(const char* name);
    /// What nobody has asked for is not set from now on.
    void close() { m_source = nullptr; }

private:
    Environment m_source;
    std::map<std::string, std::optional<core::Secret>> m_values;
};

/// Puts the sources together and checks the result, without looking at anything but the configuration and the files that hold secrets.
/// All that is wrong with it is in `problems`; a configuration with a Fault is not to be used.
[[nodiscard]] Config loadConfig(const Overrides& overrides, const Environment& environment, Problems& problems);

/// For whoever can tell one thing only: the configuration, or BadConfiguration with one line that names the first key that is wrong and says
/// how many more there are, never a secret's value.
[[nodiscard]] core::Expected<Config, core::Error> usable(Config config, const Problems& problems);
[[nodiscard]] core::Expected<Config, core::Error> loadConfig(
    const Overrides& overrides, const Environment& environment);

/// Reads a TOML file over `config`. Unknown keys, wrong types and values out of range are problems. Part of loadConfig.
void readConfigFile(const std::string& path, Config& config, Problems& problems);

/// All keys that the file can have, in the reader's order: "tokens.duration"; of tables in a list "issuers[].url".
[[nodiscard]] std::vector<std::string> configKeys();

/// As TOML that can be read again; of secrets, a comment tells whether they are set.
[[nodiscard]] std::string printConfig(const Config& config);

} // namespace vivavoce::broker
