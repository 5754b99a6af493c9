#include "agent/realtime/thinking.h"

#include <chrono>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

constexpr std::size_t kMaxReplyBytes = 64 * 1024;
constexpr std::chrono::seconds kSeatPatience{10};

class PostingSink final : public BrainSink {
public:
    PostingSink(core::Executor& executor, std::weak_ptr<ThoughtTaker> taker, std::stop_token stop)
        : m_executor(executor), m_taker(std::move(taker)), m_stop(std::move(stop))
    {
    }

    bool onText(std::string_view piece) override
    {
        m_bytes += piece.size();
        return post([text = std::string(piece)](ThoughtTaker& taker) { taker.takeText(text); });
    }

    bool onFunctionCall(std::string_view name, std::string_view argumentsJson) override
    {
        m_bytes += argumentsJson.size();
        return post([name = std::string(name), arguments = std::string(argumentsJson)](
                        ThoughtTaker& taker) { taker.takeCall(name, arguments); });
    }

    bool onStyle(const SpeakingStyle& style) override
    {
        return post([style](ThoughtTaker& taker) { taker.takeStyle(style); });
    }

private:
    template <typename Deliver>
    bool post(Deliver deliver)
    {
        if (m_stop.stop_requested() || m_bytes > kMaxReplyBytes) {
            return false;
        }
        m_executor.post([weak = m_taker, deliver = std::move(deliver)] {
            if (const auto taker = weak.lock()) {
                deliver(*taker);
            }
        });
        return true;
    }

    core::Executor& m_executor;
    const std::weak_ptr<ThoughtTaker> m_taker;
    const std::stop_token m_stop;
    std::size_t m_bytes = 0;
};

} // namespace

bool thinkOn(WorkerPool& thinkers, std::shared_ptr<BrainSeat> seat, BrainRequest request,
    std::shared_ptr<core::Executor> executor, std::weak_ptr<ThoughtTaker> taker, std::stop_token stop)
{
    return thinkers.submit([seat = std::move(seat), request = std::move(request), executor = std::move(executor),
                               taker = std::move(taker), stop = std::move(stop)] {
        using Result = core::Expected<std::optional<BrainUsage>, core::Error>;
        Result result = core::fail(core::ErrorCode::Timeout, "the brain is still busy with an earlier reply");
        ReminderChanges reminders;
        // By the wall clock: older thread sanitizers do not know the other way of waiting.
        if (const std::unique_lock lock(seat->mutex, std::chrono::system_clock::now() + kSeatPatience);
            lock.owns_lock()) {
            if (stop.stop_requested()) {
                return;
            }
            PostingSink sink(*executor, taker, stop);
            result = seat->brain->reply(request, sink, stop);
            reminders = seat->brain->takeReminders();
        }
        executor->post([taker, result = std::move(result), reminders = std::move(reminders)] {
            if (const auto alive = taker.lock()) {
                alive->takeEnd(result, reminders);
            }
        });
    });
}

} // namespace vivavoce::agent::realtime
