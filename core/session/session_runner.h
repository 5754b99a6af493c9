#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/ports/tool_runner.h"
#include "core/ports/transport.h"
#include "core/ports/voice_io.h"
#include "core/session/gemini/gemini_memory.h"
#include "core/session/latency_meter.h"
#include "core/session/session_machine.h"
#include "core/token/caching_token_source.h"

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace vivavoce::core {

/// Is told what a session says of itself. May call the runner, but not destroy it.
class SessionObserver {
public:
    virtual ~SessionObserver() = default;
    virtual void sessionTold(const SessionNotice& notice) = 0;
    virtual void replyTook(const ReplyLatency& latency) = 0;
};

/// Drives the session's state machine against the real world: feeds it what happens, does what it asks for.
/// It decides nothing itself but back-pressure: audio is dropped, and its loss told, while the connection cannot take it.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class SessionRunner final : private VoiceListener {
public:
    struct Dependencies {
        CachingTokenSource& tokens;
        TransportFactory& transports;
        VoiceIo& voice;
        ToolRunner& tools;
        const Clock& clock;
        Executor& executor;
        SessionObserver& observer;
        SessionOptions options;
    };

    explicit SessionRunner(Dependencies dependencies);
    ~SessionRunner() override;

    void start();
    void stop();
    /// Ends it because of something outside.
    void abort(Error error);
    void say(std::string text);
    void interrupt();
    /// Push to talk: the user's key makes the turns. At any time.
    void makeTurnsByHand(bool isOn);
    void holdTalk(bool isHeld);

    [[nodiscard]] const SessionState& state() const { return m_state; }
    /// A recording that feeds the session has come to its end.
    [[nodiscard]] bool hasInputEnded() const { return m_hasInputEnded; }

private:
    class Link;

    void voiceCaptured(std::span<const std::int16_t> samples) override;
    void voiceLost(Milliseconds amount) override;
    void captureEnded() override;
    void playbackDrained() override;
    void voiceFailed(const Error& error) override;
    void voiceImpaired(const Error& error) override;
    void voiceRestored(ErrorCode code) override;

    void dispatch(SessionEvent event);
    void perform(SessionEffect& effect);
    /// What the provider says of how long its session lasts, by the clock of the wall.
    [[nodiscard]] std::optional<Milliseconds> leftOf(const openai::ServerEvent& event) const;
    void openTransport(const TokenPtr& token);
    /// With what the provider's own protocol needs around it.
    [[nodiscard]] std::unique_ptr<Transport> transportFor(const AccessToken& token);
    [[nodiscard]] std::set<std::string> functionsBeside() const;
    /// What a reply has cost that was on its way when its connection ended.
    void tellUntold();
    void dropTransport();
    void send(const openai::ClientEvent& event);
    void startTimer(const session_effect::StartTimer& start);
    void play(const session_effect::Play& play);
    void runTool(const ToolCall& call);
    void tell(const SessionNotice& notice);

    Dependencies m_deps;
    SessionState m_state;
    std::deque<SessionEvent> m_events;
    bool m_isDispatching = false;
    bool m_hasInputEnded = false;
    std::shared_ptr<GeminiMemory> m_gemini = std::make_shared<GeminiMemory>();
    std::shared_ptr<Link> m_link;
    std::map<SessionTimer, std::unique_ptr<Timer>> m_timers;
    std::map<std::string, std::unique_ptr<Timer>> m_toolDeadlines;
    LatencyMeter m_latency;
    /// Half a sample that a delta ended in, by the item that it belongs to.
    std::string m_oddItem;
    Bytes m_oddByte;
    Milliseconds m_droppedAudio{0};
    /// Callbacks that outlive the runner find nothing here.
    std::shared_ptr<SessionRunner*> m_self;
};

} // namespace vivavoce::core
