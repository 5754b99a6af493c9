#pragma once

#include "core/base/executor.h"
#include "tests/support/gemini_stand_in.h"
#include "tests/support/scripted_session.h"
#include "tests/support/scripted_transports.h"

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace vivavoce::tests {

/// A model behind what stands in for Gemini: it hears numbered turns over one connection, and answers them as ScriptedSession does. One
/// message at a time, through the executor, so that the client can get in between.
/// Threads: the executor's own. Lifetime: the executor, the stand-in and the log outlive it.
class GeminiModel {
public:
    GeminiModel(
        core::Executor& executor, GeminiStandIn& server, ScriptedProviderLog& log, ScriptedTransports::Mouth mouth);

    void hear(std::string_view message);

private:
    void listen(const core::Bytes& sound);
    void turnEnds();
    void read();
    [[nodiscard]] int understand(const std::string& line);
    void asked(int number);
    void answer(int number, bool isLookedUp);
    void speak(int number);
    void interrupted();
    void then(std::function<void()> step);
    void goOn();

    core::Executor& m_executor;
    ScriptedProviderLog& m_log;
    GeminiStandIn::Connection m_connection;
    std::deque<std::function<void()>> m_steps;
    bool m_isGoingOn = false;
    std::shared_ptr<GeminiModel*> m_self = std::make_shared<GeminiModel*>(this);

    /// From the first message of a turn of its own to the last.
    bool m_isReplying = false;
    /// A function that is not answered yet, and the question that it is for.
    std::string m_call;
    int m_callFor = 0;
    int m_calls = 0;
    /// Of what was typed in the session, over this connection or those before it.
    std::size_t m_read = 0;

    // What is being said to it.
    core::Milliseconds m_quiet{0};
    int m_speech = 0;
};

} // namespace vivavoce::tests
