#include "core/session/session_runner.h"

#include "core/base/pcm.h"
#include "core/base/random_id.h"
#include "core/ports/sound_fault.h"
#include "core/protocol/openai/codec.h"
#include "core/protocol/openai/wire_sound.h"
#include "core/session/gemini/gemini_transport.h"

#include <algorithm>
#include <random>
#include <utility>

namespace vivavoce::core {
namespace {

/// Of audio as base64: what was kept over a reconnect may be ten, and as much again means that the network cannot keep up.
constexpr Milliseconds kMostBuffered{20'000};

Milliseconds shortened(Milliseconds delay, Milliseconds jitter)
{
    if (jitter <= Milliseconds{0}) {
        return delay;
    }
    static thread_local std::minstd_rand random{std::random_device{}()};
    std::uniform_int_distribution<Milliseconds::rep> off(0, jitter.count());
    return delay - Milliseconds{off(random)};
}

/// As often as that a loss is told while it lasts.
constexpr Milliseconds kToldLoss{1'000};

} // namespace

/// One connection, and the way back from it. Once let go of, it says nothing more, though the transport may live a little.
class SessionRunner::Link final : public TransportListener {
public:
    Link(SessionRunner& runner, std::unique_ptr<Transport> transport)
        : m_runner(&runner), m_transport(std::move(transport))
    {
    }

    [[nodiscard]] Transport& transport() { return *m_transport; }
    void letGo() { m_runner = nullptr; }

    void transportOpened() override
    {
        if (m_runner != nullptr) {
            tell(session_event::Opened{m_runner->functionsBeside()});
        }
    }
    void transportClosed(const TransportClose& close) override { tell(session_event::Closed{close}); }
    void transportFailed(const Error& error) override { tell(session_event::OpenFailed{error}); }

    void textReceived(std::string_view message) override
    {
        auto event = openai::decodeServerEvent(message);
        if (event) {
            const auto left = m_runner != nullptr ? m_runner->leftOf(*event) : std::nullopt;
            tell(session_event::ServerSaid{std::move(*event), left});
        } else {
            garbled("an unreadable message: " + event.error().message);
        }
    }

    void endAnnounced(Milliseconds left) override { tell(session_event::EndAnnounced{left}); }
    void pingAnswered(std::uint64_t ping) override { tell(session_event::PingAnswered{ping}); }
    void binaryReceived(std::string_view) override { garbled("a binary message, where the protocol has text only"); }

private:
    void garbled(std::string detail)
    {
        tell(session_event::ServerGarbled{{ErrorCode::ProviderMalformed, std::move(detail), std::nullopt, {}}});
    }

    void tell(SessionEvent event)
    {
        if (m_runner != nullptr) {
            m_runner->dispatch(std::move(event));
        }
    }

    SessionRunner* m_runner;
    std::unique_ptr<Transport> m_transport;
};

SessionRunner::SessionRunner(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_self(std::make_shared<SessionRunner*>(this))
{
    m_state.options = std::make_shared<const SessionOptions>(m_deps.options);
    m_gemini->idPrefix = randomId();
}

SessionRunner::~SessionRunner()
{
    m_self.reset();
    dropTransport();
    m_deps.tools.cancelAll();
    m_deps.voice.stop();
}

std::optional<Milliseconds> SessionRunner::leftOf(const openai::ServerEvent& event) const
{
    const auto* created = std::get_if<openai::SessionCreated>(&event);
    if (created == nullptr || created->session.expiresAt.value_or(0) <= 0) {
        return std::nullopt;
    }
    // Whatever it holds, it does not overflow: a day is more than any provider gives.
    constexpr std::int64_t kMost = 86'400;
    const auto now = std::chrono::floor<std::chrono::seconds>(m_deps.clock.wallNow()).time_since_epoch().count();
    const std::int64_t left = std::min(*created->session.expiresAt, now + kMost) - now;
    return std::chrono::seconds{std::max<std::int64_t>(left, 0)};
}

void SessionRunner::start()
{
    dispatch(session_event::Start{});
}

void SessionRunner::stop()
{
    dispatch(session_event::Stop{});
}

void SessionRunner::abort(Error error)
{
    dispatch(session_event::Abort{std::move(error)});
}

void SessionRunner::say(std::string text)
{
    m_latency.textSent(m_deps.clock.now());
    dispatch(session_event::TextEntered{std::move(text)});
}

void SessionRunner::interrupt()
{
    dispatch(session_event::Interrupt{});
}

void SessionRunner::makeTurnsByHand(bool isOn)
{
    dispatch(session_event::TurnsByHand{isOn});
}

void SessionRunner::holdTalk(bool isHeld)
{
    dispatch(session_event::TalkHeld{isHeld});
}

void SessionRunner::voiceCaptured(std::span<const std::int16_t> samples)
{
    Bytes pcm = pcmBytes(samples);
    const SampleRate rate = m_state.rates.input;
    const std::size_t most = pcmBytesIn(kMostBuffered, rate) / 3 * 4;
    const bool isDropped = m_link != nullptr && m_link->transport().bufferedBytes() > most;
    if (isDropped) {
        m_droppedAudio += speechIn(pcm, rate);
    }
    if (m_droppedAudio >= (isDropped ? kToldLoss : Milliseconds{1})) {
        tell(session_notice::AudioLost{std::exchange(m_droppedAudio, Milliseconds{0})});
    }
    if (!isDropped) {
        dispatch(session_event::AudioCaptured{std::move(pcm)});
    }
}

void SessionRunner::voiceLost(Milliseconds amount)
{
    tell(session_notice::AudioLost{amount});
}

void SessionRunner::captureEnded()
{
    m_hasInputEnded = true;
}

void SessionRunner::playbackDrained()
{
    dispatch(session_event::PlaybackDrained{});
}

void SessionRunner::voiceFailed(const Error& error)
{
    dispatch(session_event::Abort{error});
}

void SessionRunner::voiceImpaired(const Error& error)
{
    Error told = error;
    if (error.foreignCode == sound_fault::kGone) {
        // The rest of what plays can be read; heard it was up to here.
        dispatch(session_event::LoudspeakerGone{});
        told.foreignCode.clear();
    }
    tell(session_notice::Problem{std::move(told)});
}

void SessionRunner::voiceRestored(ErrorCode code)
{
    tell(session_notice::ProblemSolved{code});
}

void SessionRunner::dispatch(SessionEvent event)
{
    // Effects and observers may cause further events; they wait until this one is done with.
    m_events.push_back(std::move(event));
    if (std::exchange(m_isDispatching, true)) {
        return;
    }
    while (!m_events.empty()) {
        SessionEvent nextEvent = std::move(m_events.front());
        m_events.pop_front();
        SessionStep step = next(std::move(m_state), std::move(nextEvent), m_deps.clock.now());
        m_state = std::move(step.state);
        for (SessionEffect& effect : step.effects) {
            perform(effect);
        }
    }
    m_isDispatching = false;
}

void SessionRunner::perform(SessionEffect& effect)
{
    using namespace session_effect;
    std::visit(
        [this](auto& what) {
            using Effect = std::decay_t<decltype(what)>;
            if constexpr (std::is_same_v<Effect, FetchToken>) {
                m_deps.tokens.fetch(what.query, [self = std::weak_ptr(m_self)](Expected<TokenPtr, Error> result) {
                    if (const auto runner = self.lock()) {
                        result ? (*runner)->dispatch(session_event::TokenArrived{*result})
                               : (*runner)->dispatch(session_event::TokenFailed{result.error()});
                    }
                });
            } else if constexpr (std::is_same_v<Effect, DiscardToken>) {
                m_deps.tokens.discard(what.token);
            } else if constexpr (std::is_same_v<Effect, OpenTransport>) {
                openTransport(what.token);
            } else if constexpr (std::is_same_v<Effect, CloseTransport>) {
                tellUntold();
                if (m_link != nullptr) {
                    m_link->transport().close(what.code, what.reason);
                }
            } else if constexpr (std::is_same_v<Effect, DropTransport>) {
                tellUntold();
                dropTransport();
            } else if constexpr (std::is_same_v<Effect, Send>) {
                send(what.event);
            } else if constexpr (std::is_same_v<Effect, Ping>) {
                if (m_link != nullptr) {
                    m_link->transport().ping();
                }
            } else if constexpr (std::is_same_v<Effect, StartTimer>) {
                startTimer(what);
            } else if constexpr (std::is_same_v<Effect, StopTimer>) {
                m_timers.erase(what.timer);
            } else if constexpr (std::is_same_v<Effect, UseRates>) {
                m_latency.setRate(what.rates.input);
                m_deps.voice.useRates(what.rates);
            } else if constexpr (std::is_same_v<Effect, StartVoice>) {
                // It may have served another conversation.
                m_deps.voice.useRates(m_state.rates);
                m_deps.voice.start(*this);
            } else if constexpr (std::is_same_v<Effect, StopVoice>) {
                m_deps.voice.stop();
            } else if constexpr (std::is_same_v<Effect, Play>) {
                play(what);
            } else if constexpr (std::is_same_v<Effect, FinishItem>) {
                m_deps.voice.finishItem(what.itemId);
            } else if constexpr (std::is_same_v<Effect, CutPlayback>) {
                // Ahead of whatever waits: a reply to the interruption must find the truth about what was heard.
                m_events.push_front(session_event::PlaybackCut{m_deps.voice.interrupt()});
            } else if constexpr (std::is_same_v<Effect, RunTool>) {
                runTool(what.call);
            } else if constexpr (std::is_same_v<Effect, CancelTools>) {
                m_toolDeadlines.clear();
                m_deps.tools.cancelAll();
            } else if constexpr (std::is_same_v<Effect, Tell>) {
                tell(what.notice);
            }
        },
        effect);
}

void SessionRunner::openTransport(const TokenPtr& token)
{
    dropTransport();
    m_latency.reset(m_state.rates.input);
    m_link = std::make_shared<Link>(*this, transportFor(*token));
    TransportTarget target;
    target.url = token->url;
    target.auth = token->auth;
    target.credential = token->value;
    target.timeout = m_deps.options.deadlines.handshake;
    m_link->transport().open(target, *m_link);
}

std::unique_ptr<Transport> SessionRunner::transportFor(const AccessToken& token)
{
    auto transport = m_deps.transports.create();
    if (!token.isForGemini()) {
        return transport;
    }
    const auto takesTime = [&tools = m_deps.tools](const std::string& name) { return tools.takesTime(name); };
    return std::make_unique<GeminiTransport>(
        GeminiTransport::Dependencies{std::move(transport), m_deps.executor, m_gemini, takesTime}, token.model);
}

std::set<std::string> SessionRunner::functionsBeside() const
{
    const TokenPtr& token = m_state.token;
    if (token == nullptr || !token->isForGemini()) {
        return {};
    }
    const auto takesTime = [&tools = m_deps.tools](const std::string& name) { return tools.takesTime(name); };
    return core::functionsBeside(m_deps.options.tools, token->model, takesTime);
}

void SessionRunner::dropTransport()
{
    if (m_link != nullptr) {
        m_link->letGo();
        // We may stand in one of its own calls.
        m_deps.executor.post([old = std::exchange(m_link, nullptr)] {});
    }
}

void SessionRunner::tellUntold()
{
    // It is not over for the session, which may ask for it again; it was paid for all the same.
    if (const auto usage = std::exchange(m_gemini->untold, std::nullopt)) {
        tell(session_notice::ReplyUsage{m_gemini->newId("usage"), *usage, false});
    }
}

void SessionRunner::send(const openai::ClientEvent& event)
{
    if (const auto* append = std::get_if<openai::InputAudioBufferAppend>(&event)) {
        m_latency.audioSent(FrameCount{static_cast<std::int64_t>(append->audio.size() / 2)}, m_deps.clock.now());
        const openai::AudioEncoding encoding = m_state.server.encodings.input;
        if (m_link != nullptr && encoding != openai::AudioEncoding::Pcm) {
            const openai::ClientEvent wired =
                openai::InputAudioBufferAppend{append->eventId, openai::wireSound(append->audio, encoding)};
            m_link->transport().send(openai::encode(wired, m_state.server.dialect));
            return;
        }
    }
    if (m_link != nullptr) {
        m_link->transport().send(openai::encode(event, m_state.server.dialect));
    }
}

void SessionRunner::startTimer(const session_effect::StartTimer& start)
{
    m_timers[start.timer] = m_deps.executor.after(shortened(start.delay, start.jitter),
        [this, timer = start.timer] { dispatch(session_event::TimedOut{timer}); });
}

void SessionRunner::play(const session_effect::Play& play)
{
    // A delta may end inside a sample.
    Bytes pcm;
    if (!m_oddByte.empty() && m_oddItem == play.itemId) {
        pcm = std::exchange(m_oddByte, {});
    }
    m_oddByte.clear();
    pcm.insert(pcm.end(), play.pcm.begin(), play.pcm.end());
    if (pcm.size() % 2 != 0) {
        m_oddByte.assign(1, pcm.back());
        m_oddItem = play.itemId;
        pcm.pop_back();
    }
    m_deps.voice.play(play.itemId, play.contentIndex, pcmSamples(pcm));
}

void SessionRunner::runTool(const ToolCall& call)
{
    const auto answer = [self = std::weak_ptr(m_self), id = call.callId](Expected<std::string, Error> output) {
        if (const auto runner = self.lock()) {
            (*runner)->m_toolDeadlines.erase(id);
            (*runner)->dispatch(session_event::ToolAnswered{id, std::move(output)});
        }
    };
    m_toolDeadlines[call.callId] =
        m_deps.executor.after(m_deps.options.deadlines.tool, [this, answer, id = call.callId] {
            m_deps.tools.cancel(id);
            answer(fail(ErrorCode::Timeout, "the tool did not answer in time"));
        });
    m_deps.tools.run(call, answer);
}

void SessionRunner::tell(const SessionNotice& notice)
{
    const MonotonicTime now = m_deps.clock.now();
    if (const auto* stopped = std::get_if<session_notice::SpeechStopped>(&notice);
        stopped != nullptr && !stopped->wasNone) {
        const Milliseconds silence =
            m_state.held.isByHand ? m_deps.options.deadlines.turnEnd : m_deps.options.endOfTurnSilence;
        m_latency.speechStopped(stopped->audioEnd, silence, now);
    } else if (const auto* started = std::get_if<session_notice::ReplyStarted>(&notice)) {
        if (const auto latency = m_latency.replyStarted(started->responseId, now)) {
            m_deps.observer.replyTook(*latency);
        }
    }
    m_deps.observer.sessionTold(notice);
}

} // namespace vivavoce::core
