#pragma once

#include "core/base/expected.h"
#include "core/base/units.h"
#include "net/awaitable.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// When misbehaving leads to a block. A violation is a request that is refused while an earlier refusal's Retry-After runs.
struct Penalty {
    /// So many violations, none of them `firstBlock` after the one before, block the offender. 0: nobody is ever blocked.
    std::size_t violations = 3;
    core::Milliseconds firstBlock{std::chrono::minutes{15}};
    /// Each further block is twice as long as the one before, up to this.
    core::Milliseconds longestBlock{std::chrono::hours{24}};
    /// Without a violation for so long after a block's end, the next block is a first one again.
    core::Milliseconds forgottenAfter{std::chrono::hours{24}};
};

/// A named quota and what becomes of those who do not respect it.
struct Bucket {
    std::string name;
    std::size_t maxRequests = 10;
    core::Milliseconds window{60'000};
    Penalty penalty{};
};

/// Who asks.
struct LimitSubject {
    /// Whose quota it is: a user, a user at an address, a session.
    std::string quota;
    /// Who answers for violations, and is blocked in every bucket. Empty: nobody.
    std::string offender;
};

/// Times are durations from the decision on, measured by the store's own clock.
struct Decision {
    enum class Verdict { Admitted, OverLimit, Blocked };

    Verdict verdict = Verdict::OverLimit;
    std::size_t limit = 0;
    std::size_t remaining = 0;
    /// Whole seconds, rounded up, for Retry-After: until the oldest admitted request leaves the window, or until the block ends.
    std::int64_t secondsToReset = 0;
    /// This very request brought the block about. Of several brokers, one alone sees it.
    bool isNewBlock = false;
    /// How often in a row, with a new block.
    int blockLevel = 0;
    core::Milliseconds blockLength{0};

    [[nodiscard]] bool isAdmitted() const { return verdict == Verdict::Admitted; }
};

/// One who is blocked now.
struct Block {
    std::string offender;
    /// The bucket whose violations led to it.
    std::string bucket;
    /// 1 for a first block.
    int level = 1;
    core::Milliseconds length{0};
    core::Milliseconds left{0};
};

/// No decision could be had in time. `reason` is for the log: English, one line, never a secret or a caller's name.
struct StoreDown {
    std::string reason;
};

/// Degraded: decisions are made, but each broker makes its own.
enum class StoreHealth { Ok, Degraded, Down };

/// Port: admits so many requests of each subject in any stretch of time, and blocks those who go on although asked to wait.
/// Invariant: no window [t, t + W) holds more than N admitted requests of a quota; refused ones are not counted.
/// Threads: [any thread]; the coroutines run on the caller's executor and never block it. What is passed by reference has to live
/// until the answer.
class LimitStore {
public:
    virtual ~LimitStore() = default;

    /// Counts one request if it is admitted.
    [[nodiscard]] virtual net::Awaitable<core::Expected<Decision, StoreDown>> take(
        const Bucket& bucket, LimitSubject subject) = 0;
    /// What take() would decide but for new blocks, and as if nothing had asked: `remaining` is before it. Counts nothing.
    [[nodiscard]] virtual net::Awaitable<core::Expected<Decision, StoreDown>> look(
        const Bucket& bucket, LimitSubject subject) = 0;
    /// Who is blocked, in the order of their ends, soonest first; at most `atMost`.
    [[nodiscard]] virtual net::Awaitable<core::Expected<std::vector<Block>, StoreDown>> blocks(std::size_t atMost) = 0;
    /// Forgives: the block, the violations and the escalation. Answers whether a block was lifted.
    [[nodiscard]] virtual net::Awaitable<core::Expected<bool, StoreDown>> lift(std::string offender) = 0;
    /// How decisions are made at present.
    [[nodiscard]] virtual StoreHealth health() const = 0;
};

} // namespace vivavoce::broker
