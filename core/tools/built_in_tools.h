#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/ports/browser.h"
#include "core/ports/tool_source.h"

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vivavoce::core {

/// A moment as the people of a time zone tell it.
struct LocalMoment {
    /// 2026-11-29
    std::string date;
    /// 14:05
    std::string time;
    std::string weekday;
    /// Europe/Berlin
    std::string zone;
};

/// In the zone of that name, or for no name in this computer's; nothing: there is no such zone.
using ToLocalMoment = std::function<std::optional<LocalMoment>(WallTime, const std::string& zone)>;

struct TimerDue {
    std::string id;
    /// May be empty.
    std::string label;
};

/// What comes with the program: the time, timers, and opening a web page, which is always asked for. Timers go on over conversations, and end
/// with the program; there are 20 at most.
/// Threads: the executor's own thread.
class BuiltInTools final : public ToolSource {
public:
    struct Dependencies {
        const Clock& clock;
        Executor& executor;
        Browser& browser;
        ToLocalMoment local;
    };
    using TimerFollower = std::function<void(const TimerDue&)>;

    explicit BuiltInTools(Dependencies dependencies);
    ~BuiltInTools() override;

    /// One follower, of timers that are due.
    void followTimers(TimerFollower follower) { m_timerFollower = std::move(follower); }

    [[nodiscard]] std::vector<Tool> tools() const override;
    void follow(std::function<void()>) override {}
    void run(const ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override { m_open.erase(callId); }
    void cancelAll() override { m_open.clear(); }
    [[nodiscard]] bool takesTime(const std::string&) const override { return false; }

private:
    struct RunningTimer {
        std::string id;
        std::string label;
        MonotonicTime due{};
        std::unique_ptr<Timer> timer;
    };

    [[nodiscard]] Expected<std::string, Error> answerTo(const ToolCall& call);
    [[nodiscard]] Expected<std::string, Error> tellTime(const std::string& zone) const;
    [[nodiscard]] Expected<std::string, Error> setTimer(long seconds, const std::string& label);
    [[nodiscard]] std::string listTimers() const;
    [[nodiscard]] Expected<std::string, Error> cancelTimer(const std::string& id);
    [[nodiscard]] Expected<std::string, Error> openLink(const std::string& url) const;
    void timerDue(const std::string& id);

    Dependencies m_deps;
    TimerFollower m_timerFollower;
    /// Calls whose answer is on its way.
    std::set<std::string> m_open;
    std::vector<RunningTimer> m_timers;
    int m_lastTimer = 0;
    std::shared_ptr<BuiltInTools*> m_self;
};

} // namespace vivavoce::core
