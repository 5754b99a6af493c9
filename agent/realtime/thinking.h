#pragma once

#include "agent/ports.h"
#include "agent/realtime/speech_workers.h"
#include "core/base/executor.h"

#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::agent::realtime {

/// The brain of a conversation, for one caller at a time: a cancelled reply may still be leaving when the next one comes.
struct BrainSeat {
    explicit BrainSeat(std::unique_ptr<Brain> owned) : brain(std::move(owned)) {}

    std::timed_mutex mutex;
    std::unique_ptr<Brain> brain;
};

/// Where a thought arrives, piece by piece. [net, the session's executor]
class ThoughtTaker {
public:
    virtual ~ThoughtTaker() = default;
    virtual void takeText(std::string piece) = 0;
    virtual void takeCall(std::string name, std::string arguments) = 0;
    virtual void takeStyle(SpeakingStyle style) = 0;
    virtual void takeEnd(core::Expected<std::optional<BrainUsage>, core::Error> result, ReminderChanges reminders) = 0;
};

/// Runs one reply of the brain on a thinker and posts what it says to `taker`, as long as that lives. Ends with takeEnd. A reply over
/// 64 KiB is stopped there. False: the thinkers' queue is full. [any thread]
[[nodiscard]] bool thinkOn(WorkerPool& thinkers, std::shared_ptr<BrainSeat> seat, BrainRequest request,
    std::shared_ptr<core::Executor> executor, std::weak_ptr<ThoughtTaker> taker, std::stop_token stop);

} // namespace vivavoce::agent::realtime
