#pragma once

#include "core/session/session_machine.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_clock.h"

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

using namespace vivavoce::core;

/// One session and everything that it has asked for in its last step, told as a story.
class Story {
public:
    explicit Story(bool capturesWhileConnecting = true)
    {
        auto options = std::make_shared<SessionOptions>();
        options->transcriptionModel = "scribe";
        options->capturesWhileConnecting = capturesWhileConnecting;
        state.options = options;
    }

    explicit Story(const SessionOptions& options) { state.options = std::make_shared<SessionOptions>(options); }

    void happens(SessionEvent event)
    {
        SessionStep step = next(std::move(state), std::move(event), clock.now());
        state = std::move(step.state);
        effects = std::move(step.effects);
        for (const SessionEffect& effect : effects) {
            if (std::holds_alternative<session_effect::OpenTransport>(effect)) {
                pings = 0;
            }
            pings += std::holds_alternative<session_effect::Ping>(effect) ? 1U : 0U;
        }
    }
    /// The latest ping is answered.
    void pong() { happens(session_event::PingAnswered{pings}); }
    template <typename Event>
    void says(Event event)
    {
        happens(session_event::ServerSaid{std::move(event)});
    }
    void goLive()
    {
        happens(session_event::Start{});
        happens(session_event::TokenArrived{makeToken(clock.now())});
        opens();
    }
    void opens()
    {
        happens(session_event::Opened{});
        says(openai::SessionCreated{});
        says(openai::SessionUpdated{});
    }
    /// The connection is lost, and there again.
    void reconnects()
    {
        happens(session_event::Closed{{1006, {}}});
        happens(session_event::TimedOut{SessionTimer::Backoff});
        opens();
    }
    void replyBegins(const std::string& id = "resp_1")
    {
        openai::ResponseCreated created;
        created.response.id = id;
        says(created);
        says(openai::ResponseOutputAudioDelta{{}, id, "item_" + id, 0, 0, Bytes(4800)});
    }
    void replyEnds(const std::string& id = "resp_1", openai::ResponseStatus status = openai::ResponseStatus::Completed)
    {
        openai::ResponseDone done;
        done.response.id = id;
        done.response.status = status;
        says(done);
    }

    /// "call_1", in a reply that says nothing.
    void functionIsCalled()
    {
        openai::ResponseCreated created;
        created.response.id = "resp_call";
        says(created);
        openai::ResponseDone done;
        done.response.id = "resp_call";
        done.response.status = openai::ResponseStatus::Completed;
        openai::Item call;
        call.type = openai::ItemType::FunctionCall;
        call.callId = "call_1";
        call.name = "get_weather";
        call.arguments = "{}";
        done.response.output.push_back(call);
        says(done);
    }

    template <typename Effect>
    std::vector<Effect> all() const
    {
        std::vector<Effect> found;
        for (const SessionEffect& effect : effects) {
            if (const auto* one = std::get_if<Effect>(&effect)) {
                found.push_back(*one);
            }
        }
        return found;
    }
    template <typename Event>
    std::vector<Event> sent() const
    {
        std::vector<Event> found;
        for (const auto& send : all<session_effect::Send>()) {
            if (const auto* one = std::get_if<Event>(&send.event)) {
                found.push_back(*one);
            }
        }
        return found;
    }
    template <typename Notice>
    std::vector<Notice> told() const
    {
        std::vector<Notice> found;
        for (const auto& tell : all<session_effect::Tell>()) {
            if (const auto* one = std::get_if<Notice>(&tell.notice)) {
                found.push_back(*one);
            }
        }
        return found;
    }

    ManualClock clock;
    SessionState state;
    SessionEffects effects;
    /// Of this connection.
    std::uint64_t pings = 0;
};

/// What a provider says of a request of ours.
[[nodiscard]] inline core::openai::ErrorEvent errorOf(const std::string& code, const std::string& message = "no")
{
    core::openai::ErrorEvent event;
    event.error.type = "invalid_request_error";
    event.error.code = code;
    event.error.message = message;
    return event;
}

} // namespace vivavoce::tests
