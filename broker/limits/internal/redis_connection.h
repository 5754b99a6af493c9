#pragma once

#include "broker/limits/redis_address.h"
#include "core/base/expected.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// What Redis answers.
struct RedisValue {
    enum class Kind { Nil, Integer, Text, Error, Array };

    Kind kind = Kind::Nil;
    std::int64_t integer = 0;
    /// Of a text; of an error its first word ("NOSCRIPT"), because the rest may repeat what was asked.
    std::string text;
    std::vector<RedisValue> items{};
};

/// One connection, by hiredis, which blocks. A failure is one English line without secrets, and then the connection is of no
/// use any more.
/// Threads: one at a time, never an I/O thread.
class RedisConnection {
public:
    using Command = std::vector<std::string_view>;

    /// Connects, authenticates and selects the database; each step takes at most `deadline`.
    [[nodiscard]] static core::Expected<std::unique_ptr<RedisConnection>, std::string> open(
        const RedisAddress& address, core::Milliseconds deadline);
    ~RedisConnection();
    RedisConnection(const RedisConnection&) = delete;
    RedisConnection& operator=(const RedisConnection&) = delete;

    /// Sends all commands and then reads all answers, in order.
    [[nodiscard]] core::Expected<std::vector<RedisValue>, std::string> run(std::span<const Command> commands);
    /// One command whose error answer is a failure too.
    [[nodiscard]] core::Expected<RedisValue, std::string> ask(const Command& command);

private:
    struct Context;

    explicit RedisConnection(std::unique_ptr<Context> context);
    [[nodiscard]] core::Expected<void, std::string> enter(const RedisAddress& address);

    std::unique_ptr<Context> m_context;
};

} // namespace vivavoce::broker
