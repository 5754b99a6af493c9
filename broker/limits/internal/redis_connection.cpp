#include "broker/limits/internal/redis_connection.h"

#include "broker/limits/internal/redis_tls.h"

#include <hiredis/hiredis.h>

#include <chrono>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Unexpected;

timeval timeOf(core::Milliseconds duration)
{
    const auto seconds = std::chrono::floor<std::chrono::seconds>(duration);
    timeval result{};
    result.tv_sec = static_cast<decltype(result.tv_sec)>(seconds.count());
    result.tv_usec = static_cast<decltype(result.tv_usec)>(
        std::chrono::duration_cast<std::chrono::microseconds>(duration - seconds).count());
    return result;
}

RedisValue valueOf(const redisReply& reply)
{
    RedisValue value;
    switch (reply.type) {
    case REDIS_REPLY_INTEGER:
        value.kind = RedisValue::Kind::Integer;
        value.integer = reply.integer;
        break;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        value.kind = RedisValue::Kind::Text;
        value.text.assign(reply.str, reply.len);
        break;
    case REDIS_REPLY_ERROR: {
        value.kind = RedisValue::Kind::Error;
        const std::string_view text(reply.str, reply.len);
        value.text = text.substr(0, text.find(' '));
        break;
    }
    case REDIS_REPLY_ARRAY:
        value.kind = RedisValue::Kind::Array;
        for (std::size_t i = 0; i < reply.elements; ++i) {
            value.items.push_back(valueOf(*reply.element[i]));
        }
        break;
    default:
        break;
    }
    return value;
}

} // namespace

struct RedisConnection::Context {
    struct Free {
        void operator()(redisContext* context) const { redisFree(context); }
    };
    std::unique_ptr<redisContext, Free> redis;

    [[nodiscard]] Unexpected<std::string> failure() const { return Unexpected<std::string>(redis->errstr); }
};

RedisConnection::RedisConnection(std::unique_ptr<Context> context) : m_context(std::move(context)) {}
RedisConnection::~RedisConnection() = default;

core::Expected<std::unique_ptr<RedisConnection>, std::string> RedisConnection::open(
    const RedisAddress& address, core::Milliseconds deadline)
{
    const timeval limit = timeOf(deadline);
    auto context = std::make_unique<Context>();
    context->redis.reset(address.socketPath.empty() ? redisConnectWithTimeout(address.host.c_str(), address.port, limit)
                                                    : redisConnectUnixWithTimeout(address.socketPath.c_str(), limit));
    if (!context->redis) {
        return Unexpected<std::string>("out of memory");
    }
    if (context->redis->err != 0 || redisSetTimeout(context->redis.get(), limit) != REDIS_OK) {
        return context->failure();
    }
    std::unique_ptr<RedisConnection> connection(new RedisConnection(std::move(context)));
    if (auto entered = connection->enter(address); !entered) {
        return Unexpected<std::string>(std::move(entered.error()));
    }
    return connection;
}

core::Expected<void, std::string> RedisConnection::enter(const RedisAddress& address)
{
    if (address.isTls) {
        if (auto started = startTls(*m_context->redis, address); !started) {
            return started;
        }
    }
    if (!address.password.empty()) {
        Command command{"AUTH"};
        if (!address.user.empty()) {
            command.emplace_back(address.user);
        }
        command.push_back(address.password.reveal());
        if (auto answer = ask(command); !answer) {
            return Unexpected<std::string>("AUTH: " + answer.error());
        }
    }
    if (address.database != 0) {
        const std::string database = std::to_string(address.database);
        if (auto answer = ask({"SELECT", database}); !answer) {
            return Unexpected<std::string>("SELECT: " + answer.error());
        }
    }
    return {};
}

core::Expected<std::vector<RedisValue>, std::string> RedisConnection::run(std::span<const Command> commands)
{
    for (const Command& command : commands) {
        std::vector<const char*> words;
        std::vector<std::size_t> sizes;
        for (const std::string_view word : command) {
            words.push_back(word.data());
            sizes.push_back(word.size());
        }
        if (redisAppendCommandArgv(m_context->redis.get(), static_cast<int>(words.size()), words.data(), sizes.data())
            != REDIS_OK) {
            return m_context->failure();
        }
    }
    std::vector<RedisValue> values;
    values.reserve(commands.size());
    while (values.size() < commands.size()) {
        void* reply = nullptr;
        if (redisGetReply(m_context->redis.get(), &reply) != REDIS_OK || reply == nullptr) {
            return m_context->failure();
        }
        const std::unique_ptr<void, void (*)(void*)> owner(reply, &freeReplyObject);
        values.push_back(valueOf(*static_cast<const redisReply*>(reply)));
    }
    return values;
}

core::Expected<RedisValue, std::string> RedisConnection::ask(const Command& command)
{
    auto values = run(std::span(&command, 1));
    if (!values) {
        return Unexpected<std::string>(std::move(values.error()));
    }
    if (values->front().kind == RedisValue::Kind::Error) {
        return Unexpected<std::string>(values->front().text);
    }
    return std::move(values->front());
}

} // namespace vivavoce::broker
