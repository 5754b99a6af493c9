#include "broker/setup/check_connections.h"

#include "broker/auth/issuer_metadata.h"
#include "broker/limits/redis_limit_store.h"
#include "broker/store/reach_database.h"
#include "net/http_client.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <nlohmann/json.hpp>

#include <exception>

namespace vivavoce::broker {
namespace {

namespace asio = boost::asio;

constexpr core::Milliseconds kPatience{5'000};

/// What is found is a problem, and nothing else is worth telling.
class NoLog final : public Log {
public:
    void write(LogLevel /*level*/, std::string_view /*event*/, const nlohmann::json& /*fields*/) override {}
};

net::Awaitable<> checkIssuer(std::string key, const auth::IssuerSettings& issuer, Problems& problems)
{
    net::ClientRequest request;
    request.url = auth::metadataUrl(issuer.url);
    request.timeout = kPatience;
    request.trust.extraCaFile = issuer.caFile;
    const auto answer = co_await net::sendRequest(std::move(request));
    if (!answer) {
        problems.add(key, "cannot be reached: " + answer.error().detail);
    } else if (answer->status != 200) {
        problems.add(key, "answers " + std::to_string(answer->status) + " where its metadata have to be");
    } else if (const auto metadata = auth::readIssuerMetadata(issuer.url, answer->body); !metadata) {
        problems.add(key, "has metadata that cannot be used: " + metadata.error().detail);
    }
}

/// Any answer shows that it is there and is who it has to be.
net::Awaitable<> checkProvider(std::string key, std::string url, std::string caFile, Problems& problems)
{
    net::ClientRequest request;
    request.url = url;
    request.timeout = kPatience;
    request.trust.extraCaFile = caFile;
    const auto answer = co_await net::sendRequest(std::move(request));
    if (!answer && answer.error().code != core::ErrorCode::ProviderMessageTooBig) {
        problems.add(key, "cannot be reached: " + answer.error().detail);
    }
}

net::Awaitable<> checkRedis(RedisLimitStore& store, Problems& problems)
{
    const auto blocks = co_await store.blocks(1);
    if (!blocks) {
        problems.add("limits.redis_url", "names a Redis that cannot be used: " + blocks.error().reason);
    }
}

std::unique_ptr<RedisLimitStore> redisOf(const Config& config, Log& log)
{
    RedisLimitStore::Settings settings;
    auto address = RedisAddress::parse(config.redisUrl.reveal());
    if (config.redisUrl.empty() || !address) {
        return nullptr;
    }
    settings.address = std::move(*address);
    settings.key = config.secret.clone();
    settings.deadline = kPatience;
    auto store = RedisLimitStore::create(std::move(settings), log);
    return store ? std::move(*store) : nullptr;
}

} // namespace

void checkConnections(const Config& config, Problems& problems)
{
    NoLog log;
    const auto redis = redisOf(config, log);
    // One thread: whatever finds a problem can tell it.
    asio::io_context io;
    const auto spawn = [&](net::Awaitable<> task) {
        asio::co_spawn(io, std::move(task), [](const std::exception_ptr& failure) {
            if (failure) {
                std::rethrow_exception(failure);
            }
        });
    };
    if (config.isProviderThere() && !problems.has("provider.url") && !problems.has("provider.ca_file")) {
        spawn(checkProvider("provider.url", config.providerUrl, config.providerCaFile, problems));
    }
    if (!config.geminiKey.empty() && !problems.has("providers.gemini.url")
        && !problems.has("providers.gemini.ca_file")) {
        spawn(checkProvider("providers.gemini.url", config.geminiUrl, config.geminiCaFile, problems));
    }
    for (std::size_t i = 0; i < config.compatible.size(); ++i) {
        const CompatibleProvider& one = config.compatible[i];
        const std::string key = "providers.compatible[" + std::to_string(i) + "].";
        if (!problems.has(key + "url") && !problems.has(key + "ca_file")) {
            spawn(checkProvider(key + "url", one.url, one.caFile, problems));
        }
    }
    for (std::size_t i = 0; i < config.issuers.size(); ++i) {
        const std::string key = "issuers[" + std::to_string(i) + "].";
        if (!problems.has(key + "url") && !problems.has(key + "ca_file")) {
            spawn(checkIssuer(key + "url", config.issuers[i], problems));
        }
    }
    if (redis != nullptr) {
        spawn(checkRedis(*redis, problems));
    }
    io.run();
    if (!problems.has("database.url")) {
        if (const auto reached = reachDatabase(config.databaseUrl, kPatience); !reached) {
            problems.add("database.url", "names a server that cannot be used: " + reached.error().reason);
        }
    }
}

} // namespace vivavoce::broker
