#include "core/base/pcm.h"
#include "core/session/session_machine.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_clock.h"

#include <QFile>
#include <QRegularExpression>
#include <QTest>

#include <algorithm>
#include <functional>
#include <random>
#include <set>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

constexpr std::array kPhases{Phase::Idle, Phase::FetchingToken, Phase::Connecting, Phase::Starting, Phase::Configuring,
    Phase::Live, Phase::Waiting, Phase::Closing, Phase::Ended};

struct NamedEvent {
    std::string name;
    std::function<SessionEvent(MonotonicTime)> make;
};

template <typename Event>
SessionEvent said(Event event)
{
    return session_event::ServerSaid{std::move(event)};
}

openai::Response response(const std::string& id, openai::ResponseStatus status)
{
    openai::Response result;
    result.id = id;
    result.status = status;
    return result;
}

openai::Response withCall(const std::string& id)
{
    openai::Response result = response(id, openai::ResponseStatus::Completed);
    openai::Item call;
    call.type = openai::ItemType::FunctionCall;
    call.callId = "call_1";
    call.name = "get_weather";
    result.output.push_back(call);
    return result;
}

openai::ErrorEvent errorEvent(const std::string& code)
{
    openai::ErrorEvent event;
    event.error.type = "invalid_request_error";
    event.error.code = code;
    event.error.message = "no";
    return event;
}

/// One of every kind of event, and of every server event that the rules look at.
std::vector<NamedEvent> everyEvent()
{
    std::vector<NamedEvent> events{
        {"start", [](auto) { return session_event::Start{}; }},
        {"stop", [](auto) { return session_event::Stop{}; }},
        {"abort",
            [](auto) {
                return session_event::Abort{{ErrorCode::ChildDied, "gone", std::nullopt, {}}};
            }},
        {"token arrived", [](auto now) { return session_event::TokenArrived{makeToken(now)}; }},
        {"token refused",
            [](auto) {
                return session_event::TokenFailed{{ErrorCode::NotAuthorised, "no", std::nullopt, {}}};
            }},
        {"token not now",
            [](auto) {
                return session_event::TokenFailed{{ErrorCode::BrokerUnreachable, "no", std::nullopt, {}}};
            }},
        {"opened", [](auto) { return session_event::Opened{}; }},
        {"closed 1000",
            [](auto) {
                return session_event::Closed{{1000, {}}};
            }},
        {"closed 1006",
            [](auto) {
                return session_event::Closed{{1006, {}}};
            }},
        {"closed 3000",
            [](auto) {
                return session_event::Closed{{3000, "invalid_request_error.invalid_api_key"}};
            }},
        {"open failed",
            [](auto) {
                return session_event::OpenFailed{{ErrorCode::ProviderUnreachable, "no", std::nullopt, {}}};
            }},
        {"ping answered", [](auto) { return session_event::PingAnswered{1}; }},
        {"garbled",
            [](auto) {
                return session_event::ServerGarbled{{ErrorCode::ProviderMalformed, "?", std::nullopt, {}}};
            }},
        {"end announced", [](auto) { return session_event::EndAnnounced{Milliseconds{0}}; }},
        {"audio", [](auto) { return session_event::AudioCaptured{Bytes(960)}; }},
        {"text", [](auto) { return session_event::TextEntered{"hello"}; }},
        {"interrupt", [](auto) { return session_event::Interrupt{}; }},
        {"loudspeaker gone", [](auto) { return session_event::LoudspeakerGone{}; }},
        {"turns by hand", [](auto) { return session_event::TurnsByHand{true}; }},
        {"turns by ear", [](auto) { return session_event::TurnsByHand{false}; }},
        {"key down", [](auto) { return session_event::TalkHeld{true}; }},
        {"key up", [](auto) { return session_event::TalkHeld{false}; }},
        {"playback cut",
            [](auto) {
                return session_event::PlaybackCut{{"item_a", 0, Milliseconds{120}, false}};
            }},
        {"playback drained", [](auto) { return session_event::PlaybackDrained{}; }},
        {"tool answered",
            [](auto) {
                return session_event::ToolAnswered{"call_1", std::string("{}")};
            }},
        {"session.created", [](auto) { return said(openai::SessionCreated{}); }},
        {"session.created of the beta",
            [](auto) {
                return said(openai::SessionCreated{{}, {}, openai::Dialect::Beta});
            }},
        {"conversation.created", [](auto) { return said(openai::ConversationCreated{}); }},
        {"session.updated", [](auto) { return said(openai::SessionUpdated{}); }},
        {"speech started", [](auto) { return said(openai::InputAudioBufferSpeechStarted{}); }},
        {"speech stopped", [](auto) { return said(openai::InputAudioBufferSpeechStopped{}); }},
        {"committed",
            [](auto) {
                return said(openai::InputAudioBufferCommitted{{}, "item_u", {}});
            }},
        {"transcript delta",
            [](auto) {
                return said(openai::InputAudioTranscriptionDelta{{}, "item_u", 0, "hel", {}});
            }},
        {"transcript done",
            [](auto) {
                return said(openai::InputAudioTranscriptionCompleted{{}, "item_u", 0, "hello", {}, {}, {}});
            }},
        {"response.created",
            [](auto) {
                return said(openai::ResponseCreated{{}, response("resp_1", openai::ResponseStatus::InProgress)});
            }},
        {"audio delta",
            [](auto) {
                return said(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_a", 0, 0, Bytes(480)});
            }},
        {"audio done",
            [](auto) {
                return said(openai::ResponseOutputAudioDone{{}, "resp_1", "item_a", 0, 0});
            }},
        {"another reply",
            [](auto) {
                return said(openai::ResponseCreated{{}, response("resp_2", openai::ResponseStatus::InProgress)});
            }},
        {"reply without an id", [](auto) { return said(openai::ResponseCreated{}); }},
        {"audio without an id",
            [](auto) {
                return said(openai::ResponseOutputAudioDelta{{}, {}, {}, 0, 0, Bytes(480)});
            }},
        {"transcript without an id",
            [](auto) {
                return said(openai::InputAudioTranscriptionCompleted{{}, {}, 0, "hello", {}, {}, {}});
            }},
        {"call in its arguments",
            [](auto) {
                return said(openai::ResponseFunctionCallArgumentsDone{
                    {}, "resp_1", "item_c", 0, "call_2", "get_weather", "{}"});
            }},
        {"cancel refused",
            [](auto) {
                openai::ErrorEvent refused;
                refused.error.message = "not implemented";
                refused.error.eventId = "cancel_1";
                return said(refused);
            }},
        {"voice refused",
            [](auto) {
                openai::ErrorEvent refused;
                refused.error.param = "session.audio.output.voice";
                return said(refused);
            }},
        {"reply text",
            [](auto) {
                return said(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_a", 0, 0, "hi"});
            }},
        {"response.done",
            [](auto) {
                return said(openai::ResponseDone{{}, response("resp_1", openai::ResponseStatus::Completed)});
            }},
        {"response.done with a call",
            [](auto) {
                return said(openai::ResponseDone{{}, withCall("resp_1")});
            }},
        {"unknown event",
            [](auto) {
                return said(openai::UnknownEvent{"new.thing", {}, "{}"});
            }},
    };
    for (const char* code : {"invalid_api_key", "session_expired", "insufficient_quota", "rate_limit_exceeded",
             "unknown_parameter", "response_cancel_not_active", "conversation_already_has_active_response"}) {
        events.push_back({std::string("error ") + code, [code](auto) { return said(errorEvent(code)); }});
    }
    for (const SessionTimer timer : kSessionTimers) {
        events.push_back({"timer " + std::to_string(static_cast<int>(timer)),
            [timer](auto) { return session_event::TimedOut{timer}; }});
    }
    return events;
}

/// The shortest way to a phase, by events alone: no state is made up.
SessionState stateIn(Phase phase, MonotonicTime now)
{
    const auto play = [&](std::initializer_list<SessionEvent> events) {
        SessionState state;
        for (const SessionEvent& event : events) {
            state = next(std::move(state), event, now).state;
        }
        return state;
    };
    const SessionEvent token = session_event::TokenArrived{makeToken(now)};
    const SessionEvent created = said(openai::SessionCreated{});
    switch (phase) {
    case Phase::Idle:
        return {};
    case Phase::FetchingToken:
        return play({session_event::Start{}});
    case Phase::Connecting:
        return play({session_event::Start{}, token});
    case Phase::Starting:
        return play({session_event::Start{}, token, session_event::Opened{}});
    case Phase::Configuring:
        return play({session_event::Start{}, token, session_event::Opened{}, created});
    case Phase::Live:
        return play({session_event::Start{}, token, session_event::Opened{}, created, said(openai::SessionUpdated{})});
    case Phase::Waiting:
        return play({session_event::Start{}, token,
            session_event::OpenFailed{{ErrorCode::ProviderUnreachable, "no", std::nullopt, {}}}});
    case Phase::Closing:
        return play({session_event::Start{}, token, session_event::Opened{}, session_event::Stop{}});
    case Phase::Ended:
        return play({session_event::Start{}, session_event::Stop{}});
    }
    return {};
}

template <typename Effect>
int count(const SessionEffects& effects)
{
    return static_cast<int>(std::count_if(effects.begin(), effects.end(),
        [](const SessionEffect& effect) { return std::holds_alternative<Effect>(effect); }));
}

int endNotices(const SessionEffects& effects)
{
    return static_cast<int>(std::count_if(effects.begin(), effects.end(), [](const SessionEffect& effect) {
        const auto* tell = std::get_if<session_effect::Tell>(&effect);
        return tell != nullptr && std::holds_alternative<session_notice::Ended>(tell->notice);
    }));
}

/// What must hold after any event in any state.
QString brokenLaw(const SessionState& before, const SessionStep& step)
{
    const SessionState& after = step.state;
    const bool mayTalk = before.phase == Phase::Live || after.phase == Phase::Live || after.phase == Phase::Configuring;
    if (count<session_effect::Send>(step.effects) > 0 && !mayTalk) {
        return QStringLiteral("sends before there is a session");
    }
    if (before.phase == Phase::Ended && (after.phase != Phase::Ended || !step.effects.empty())) {
        return QStringLiteral("something happens after the end");
    }
    if (before.phase == Phase::Closing && after.phase != Phase::Closing && after.phase != Phase::Ended) {
        return QStringLiteral("a session that the user ended comes back");
    }
    if ((after.phase == Phase::Ended && before.phase != Phase::Ended) != (endNotices(step.effects) == 1)) {
        return QStringLiteral("the end is not told exactly once");
    }
    if (endNotices(step.effects) == 1) {
        // What the runner does for an effect may come back as an event: nothing that answers may be behind it or before it.
        const auto* last = std::get_if<session_effect::Tell>(&step.effects.back());
        if (last == nullptr || !std::holds_alternative<session_notice::Ended>(last->notice)
            || count<session_effect::CutPlayback>(step.effects) > 0) {
            return QStringLiteral("the end is not the last thing told");
        }
    }
    if (after.phase == Phase::Live && before.phase != Phase::Live && count<session_effect::Ping>(step.effects) != 1) {
        return QStringLiteral("a live connection that nobody watches");
    }
    const bool isJustOpened = before.phase == Phase::Connecting && after.phase == Phase::Starting;
    if (after.phase != Phase::Live && !isJustOpened && count<session_effect::Ping>(step.effects) > 0) {
        return QStringLiteral("pings nobody");
    }
    if (after.phase == Phase::Ended && after.token != nullptr) {
        return QStringLiteral("the token outlives the session");
    }
    if (after.phase == Phase::Ended && before.phase != Phase::Ended
        && count<session_effect::DropTransport>(step.effects) == 0) {
        return QStringLiteral("the connection outlives the session");
    }
    if (!after.reply.activeId.empty() && after.reply.isRequested) {
        return QStringLiteral("a reply is asked for beside one in progress");
    }
    const auto creates = std::count_if(step.effects.begin(), step.effects.end(), [](const SessionEffect& effect) {
        const auto* send = std::get_if<session_effect::Send>(&effect);
        return send != nullptr && std::holds_alternative<openai::ResponseCreate>(send->event);
    });
    if (creates > 1 || (creates == 1 && !before.reply.isFree() && before.reply.activeId != std::string("resp_1"))) {
        return QStringLiteral("two replies at a time");
    }
    if (after.heldAudioSize > pcmBytesIn(after.options->heldAudio, after.rates.input)) {
        return QStringLiteral("held audio grows without bound");
    }
    const bool waits = after.phase == Phase::FetchingToken || after.phase == Phase::Starting
        || after.phase == Phase::Configuring || after.phase == Phase::Waiting || after.phase == Phase::Closing;
    if (waits && after.phase != before.phase && count<session_effect::StartTimer>(step.effects) == 0) {
        return QStringLiteral("a wait without a deadline");
    }
    return {};
}

QString moveBetween(Phase from, Phase to)
{
    const auto name = [](Phase phase) { return QString::fromStdString(std::string(phaseText(phase))); };
    return name(from) + QStringLiteral(" > ") + name(to);
}

/// The rows of docs/protocol.md, "The session".
std::set<QString> movesOfTheManual()
{
    QFile manual(qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/docs/protocol.md"));
    const QString text = manual.open(QIODevice::ReadOnly) ? QString::fromUtf8(manual.readAll()) : QString();
    const QString section =
        text.section(QStringLiteral("\n## The session\n"), 1).section(QStringLiteral("\n## "), 0, 0);
    static const QRegularExpression row(QStringLiteral("\n\\| `([a-z_]+)` \\| `([a-z_]+)` \\|"));
    std::set<QString> told;
    for (auto match = row.globalMatch(section); match.hasNext();) {
        const auto one = match.next();
        told.insert(one.captured(1) + QStringLiteral(" > ") + one.captured(2));
    }
    return told;
}

} // namespace

/// Every state × every event, and long random walks: what holds always.
class SessionStatesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyPhase_IsReachedByEventsAlone()
    {
        const ManualClock clock;
        for (const Phase phase : kPhases) {
            QCOMPARE(stateIn(phase, clock.now()).phase, phase);
        }
    }

    void everyEvent_InEveryPhase_KeepsTheLaws()
    {
        const ManualClock clock;
        for (const Phase phase : kPhases) {
            for (const NamedEvent& event : everyEvent()) {
                const SessionState before = stateIn(phase, clock.now());
                const SessionStep step = next(before, event.make(clock.now()), clock.now());
                const QString law = brokenLaw(before, step);
                QVERIFY2(law.isEmpty(),
                    qPrintable(QStringLiteral("%1 in phase %2: %3")
                                   .arg(QString::fromStdString(event.name),
                                       QString::fromStdString(std::string(phaseText(phase))), law)));
            }
        }
    }

    void phases_MoveAsTheManualSays()
    {
        std::set<QString> real;
        const auto note = [&](Phase from, Phase to) {
            if (from != to) {
                real.insert(moveBetween(from, to));
            }
        };
        const std::vector<NamedEvent> events = everyEvent();
        ManualClock clock;
        for (const Phase phase : kPhases) {
            for (const Milliseconds later : {Milliseconds{0}, Milliseconds{3'600'000}}) {
                const SessionState before = stateIn(phase, clock.now());
                clock.advance(later);
                for (const NamedEvent& event : events) {
                    note(phase, next(before, event.make(clock.now()), clock.now()).state.phase);
                }
            }
        }
        SessionState speaking = stateIn(Phase::Live, clock.now());
        for (const char* name : {"response.created", "audio delta", "abort"}) {
            const auto event =
                std::find_if(events.begin(), events.end(), [&](const NamedEvent& one) { return one.name == name; });
            const Phase before = speaking.phase;
            speaking = next(std::move(speaking), event->make(clock.now()), clock.now()).state;
            note(before, speaking.phase);
        }

        const std::set<QString> told = movesOfTheManual();
        const auto list = [](const std::set<QString>& moves) {
            return QStringList(moves.begin(), moves.end()).join(QStringLiteral(", "));
        };
        QCOMPARE(list(real), list(told));
    }

    void randomWalks_KeepTheLaws()
    {
        const std::vector<NamedEvent> events = everyEvent();
        const std::set<QString> told = movesOfTheManual();
        for (unsigned seed = 1; seed <= 300; ++seed) {
            std::mt19937 random(seed);
            ManualClock clock;
            SessionState state;
            QString walk;
            for (int stepNumber = 0; stepNumber < 200 && state.phase != Phase::Ended; ++stepNumber) {
                const NamedEvent& event = events[random() % events.size()];
                // Most walks would be cut short at once by these.
                if ((event.name == "stop" || event.name == "abort") && random() % 20 != 0) {
                    continue;
                }
                clock.advance(Milliseconds{static_cast<int>(random() % 5000)});
                walk += QString::fromStdString(event.name) + QStringLiteral(", ");
                SessionStep step = next(state, event.make(clock.now()), clock.now());
                const QString law = brokenLaw(state, step);
                QVERIFY2(law.isEmpty(), qPrintable(QStringLiteral("seed %1: %2 after %3").arg(seed).arg(law, walk)));
                const bool isTold =
                    state.phase == step.state.phase || told.contains(moveBetween(state.phase, step.state.phase));
                QVERIFY2(isTold,
                    qPrintable(QStringLiteral("seed %1: the manual knows no %2, after %3")
                                   .arg(seed)
                                   .arg(moveBetween(state.phase, step.state.phase), walk)));
                state = std::move(step.state);
            }
        }
    }
};

QTEST_GUILESS_MAIN(SessionStatesTest)
#include "test_session_states.moc"
