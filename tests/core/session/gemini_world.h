#pragma once

#include "core/session/session_runner.h"
#include "tests/support/fake_ports.h"
#include "tests/support/gemini_stand_in.h"
#include "tests/support/manual_executor.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::tests {

using namespace vivavoce::core;

/// Keeps what a session tells.
class RecordingObserver final : public SessionObserver {
public:
    void sessionTold(const SessionNotice& notice) override { notices.push_back(notice); }
    void replyTook(const ReplyLatency&) override { ++latencies; }

    template <typename Notice>
    std::vector<Notice> told() const
    {
        std::vector<Notice> found;
        for (const SessionNotice& notice : notices) {
            if (const auto* one = std::get_if<Notice>(&notice)) {
                found.push_back(*one);
            }
        }
        return found;
    }

    std::vector<SessionNotice> notices;
    int latencies = 0;
};

/// With one function, get_weather.
[[nodiscard]] inline SessionOptions geminiOptions()
{
    SessionOptions wanted;
    wanted.transcriptionModel = "any";
    wanted.instructions = "Be brief.";
    openai::FunctionTool tool;
    tool.name = "get_weather";
    tool.parameters = openai::RawJson{R"({"type":"object"})"};
    wanted.tools = {tool};
    return wanted;
}

/// A runner that talks to what stands in for Gemini; the test turns both.
struct GeminiWorld {
    ManualClock clock;
    ManualExecutor executor{clock};
    FakeTokenSource source;
    CachingTokenSource tokens{source, clock, executor};
    FakeTransportFactory transports;
    FakeVoiceIo voice;
    FakeToolRunner tools;
    RecordingObserver observer;
    GeminiStandIn server;
    std::vector<std::unique_ptr<GeminiStandIn::Connection>> connections;
    SessionRunner runner{{tokens, transports, voice, tools, clock, executor, observer, geminiOptions()}};
    std::size_t fed = 0;
    std::size_t served = 0;
    std::string model = "gemini-3.8-live";

    GeminiWorld() { transports.pongs = &executor; }

    GeminiStandIn::Connection& gemini() { return *connections.back(); }
    GeminiStandIn::Session& session() { return gemini().session(); }

    TokenPtr token()
    {
        auto token = std::make_shared<AccessToken>(*makeToken(clock.now()));
        token->dialect = "gemini";
        token->auth = AuthStyle::Token;
        token->provider = "gemini";
        token->model = model;
        return token;
    }

    /// The connection that the runner has asked for is there.
    void opens()
    {
        const auto wire = transports.wires.back();
        const auto whileThere = [wire](const auto& tell) {
            if (!wire->isGone) {
                tell(*wire->listener);
            }
        };
        connections.push_back(std::make_unique<GeminiStandIn::Connection>(
            server,
            [whileThere](const std::string& text) {
                whileThere([&](TransportListener& listener) { listener.binaryReceived(text); });
            },
            [whileThere](const TransportClose& close) {
                whileThere([&](TransportListener& listener) { listener.transportClosed(close); });
            }));
        fed = 0;
        wire->listener->transportOpened();
        settle();
    }

    /// Until nobody has anything more to say.
    void settle()
    {
        std::size_t known = 0;
        do {
            executor.runPosted();
            if (transports.wires.empty()) {
                return;
            }
            const auto wire = transports.wires.back();
            known = fed;
            while (!connections.empty() && connections.size() == transports.wires.size() && fed < wire->sent.size()) {
                gemini().heard(wire->sent[fed++]);
            }
        } while (fed != known);
        executor.runPosted();
    }

    void start()
    {
        server.model = "models/" + model;
        runner.start();
        source.answer(token());
        opens();
    }

    /// After a connection: the next one, with a token of its own.
    void comesBack()
    {
        executor.advance(Milliseconds{300});
        settle();
        source.answer(token());
        settle();
        opens();
    }

    void hears(Milliseconds duration, std::int16_t level = 5'000)
    {
        const std::vector<std::int16_t> samples(480, level);
        for (Milliseconds done{0}; done < duration; done += Milliseconds{20}) {
            voice.listener->voiceCaptured(samples);
        }
        settle();
    }

    /// All that was given out has been heard.
    void drained()
    {
        voice.played.clear();
        voice.listener->playbackDrained();
        settle();
    }

    /// The user asks aloud, and is answered.
    void talks(const std::string& question, const std::string& reply)
    {
        hears(Milliseconds{400});
        gemini().userWords(question);
        gemini().reply(reply);
        settle();
        drained();
    }

    std::vector<std::string> log()
    {
        std::vector<std::string> lines;
        for (const ConversationEntry& entry : runner.state().log.entries()) {
            lines.push_back((entry.speaker == Speaker::User ? "user: " : "model: ") + entry.text);
        }
        return lines;
    }

    /// Whoever waits for a token or a connection gets it.
    void serve()
    {
        settle();
        while (served < source.queries.size()) {
            ++served;
            source.answer(token());
            settle();
        }
        if (connections.size() < transports.wires.size()) {
            opens();
        }
    }

    /// Nobody says anything more; what was begun ends.
    void comesToRest()
    {
        runner.holdTalk(false);
        for (int i = 0; i < 8; ++i) {
            executor.advance(Milliseconds{300});
            serve();
            while (!tools.open.empty()) {
                const auto answer = std::move(tools.open.front());
                tools.open.pop_front();
                answer(std::string("{}"));
            }
            gemini().turnComplete();
            drained();
        }
    }

    /// One of the things that can happen.
    void does(int action, int& calls)
    {
        GeminiStandIn::Connection& line = gemini();
        const auto callId = [](int number) { return "call_" + std::to_string(number); };
        switch (action) {
        case 0:
            return hears(Milliseconds{200});
        case 1:
            return runner.say("words");
        case 2:
            return runner.interrupt();
        case 3:
            return line.userWords("said");
        case 4:
        case 5:
            return line.sound(Milliseconds{20});
        case 6:
            return line.words("heard");
        case 7:
            return line.generationComplete();
        case 8:
            return line.turnComplete();
        case 9:
            return line.interrupt();
        case 10:
            return line.call(callId(++calls), "get_weather", "{}");
        case 11:
            return line.cancelCall(callId(calls));
        case 12:
            return line.usage(1, 2, 3);
        case 13:
            line.handle();
            return;
        case 14:
            return line.goAway(Milliseconds{12'000});
        case 15:
            if (!tools.open.empty()) {
                const auto answer = std::move(tools.open.front());
                tools.open.pop_front();
                answer(std::string("{}"));
            }
            return drained();
        default:
            runner.holdTalk(!state().held.isDown);
            return executor.advance(Milliseconds{250});
        }
    }

    [[nodiscard]] const SessionState& state() const { return runner.state(); }
};

using Lines = std::vector<std::string>;

} // namespace vivavoce::tests
