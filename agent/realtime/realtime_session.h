#pragma once

#include "agent/ports.h"
#include "agent/realtime/conversation.h"
#include "agent/realtime/event_writer.h"
#include "agent/realtime/input_audio.h"
#include "agent/realtime/response_desk.h"
#include "agent/realtime/session_settings.h"
#include "agent/realtime/speech_workers.h"
#include "agent/realtime/transcript_growth.h"
#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/protocol/openai/client_events.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::agent::realtime {

/// What all sessions share; outlives them.
struct SpeechParts {
    SpeechWorkers& workers;
    RecogniserPool& recognisers;
    Voice& voice;
    BrainFactory& brains;
    const core::Clock& clock;
    DetectorFactory makeDetector;
};

/// One conversation with one client: reads its events in order, keeps settings and items, and lets replies be made.
/// Knows nothing of sockets: texts come in by receive(), and leave by the EventWriter.
/// Invariant: a client event is obeyed whole or answered with an `error` event, and the session goes on.
/// Threads: [net], one executor; audio is decoded and listened to on the session's lane of the workers.
/// Lifetime: held by its connection; work in flight holds weak references.
class RealtimeSession : public std::enable_shared_from_this<RealtimeSession> {
public:
    static constexpr core::Milliseconds kMaxDuration{60 * 60 * 1'000};
    /// Recognition of a committed turn that takes longer is given up.
    static constexpr core::Milliseconds kListenPatience{30'000};
    /// Undecoded audio above which nothing more is read from the client.
    static constexpr std::size_t kMaxUndecodedBytes = 4 * 1024 * 1024;

    RealtimeSession(
        SpeechParts parts, std::shared_ptr<core::Executor> executor, EventWriter& events, SessionSettings settings);
    ~RealtimeSession();

    /// Tells session.created and starts the clocks. `maxDuration` as told in the settings' expires_at.
    void start(core::Milliseconds maxDuration);
    /// One text message of the client. Only while isReady().
    void receive(std::string_view text);
    void receiveBinary();
    /// Whether the next message may be read: the answer to the last is there, and neither audio nor events pile up.
    [[nodiscard]] bool isReady() const;
    /// Called when isReady() may have changed.
    void onWake(std::function<void()> wake) { m_wake = std::move(wake); }
    /// The connection is gone: everything in flight is dropped.
    void stop();

private:
    /// A turn of the user on its way through the recogniser.
    struct Listening {
        std::shared_ptr<Utterance> utterance;
        TranscriptGrowth growth;
        core::Milliseconds length{0};
        /// Its audio is an item of the conversation.
        bool isCommitted = false;
        /// Recognition failed before the user had finished.
        std::optional<core::Error> failure;
        /// The client knows the item's id.
        bool isTold = false;
        std::unique_ptr<core::Timer> patience;
    };

    // session_dispatch.cpp: what clients ask for.
    using Obeyed = core::Expected<void, EventFault>;
    Obeyed obey(core::openai::SessionUpdate& event);
    Obeyed obey(core::openai::InputAudioBufferAppend& event);
    Obeyed obey(core::openai::InputAudioBufferCommit& event);
    Obeyed obey(core::openai::InputAudioBufferClear& event);
    Obeyed obey(core::openai::ConversationItemCreate& event);
    Obeyed obey(core::openai::ConversationItemRetrieve& event);
    Obeyed obey(core::openai::ConversationItemTruncate& event);
    Obeyed obey(core::openai::ConversationItemDelete& event);
    Obeyed obey(core::openai::ResponseCreate& event);
    Obeyed obey(core::openai::ResponseCancel& event);
    Obeyed obey(core::openai::OutputAudioBufferClear& event);
    Obeyed obey(core::openai::UnknownEvent& event);
    void onLane(const std::string& eventId, std::function<std::optional<EventFault>(InputAudio&)> work,
        std::optional<core::openai::ServerEvent> answer = std::nullopt);
    core::Expected<std::vector<Item>, EventFault> responseInput(std::vector<core::openai::Item> list);

    // realtime_session.cpp: what happens by itself.
    void configureInput();
    void onInput(InputEvent event);
    Listening& listenAnew(const std::string& itemId, std::shared_ptr<Utterance> utterance);
    void speechStarted(const SpeechStarted& event);
    void committed(AudioCommitted event);
    void tellItem(const std::string& itemId);
    static std::shared_ptr<Utterance> makeUtteranceFor(const std::weak_ptr<RealtimeSession>& weak,
        const std::shared_ptr<core::Executor>& executor, const ListeningParts& parts, const std::string& itemId);
    void listenTo(const std::string& itemId, core::Bytes audio, WireFormat format);
    void partial(const std::string& itemId, const std::string& text);
    void recognised(const std::string& itemId, const core::Expected<Recognition, core::Error>& result);
    void tellDelta(const std::string& itemId, std::string delta);
    void waitForResult(const std::string& itemId);
    void responseDone(core::Milliseconds audioLength);
    void idled();
    void timeoutTriggered(const InputAudio::Silence& silence);
    void tick();
    void expire();
    void wake();
    void busy();
    template <typename Work>
    void later(core::Milliseconds delay, std::unique_ptr<core::Timer>& timer, Work work);

    const SpeechParts m_parts;
    const std::shared_ptr<core::Executor> m_executor;
    EventWriter& m_events;
    SessionSettings m_settings;
    Conversation m_conversation;
    std::unique_ptr<ResponseDesk> m_desk;
    std::shared_ptr<SerialLane> m_lane;
    std::shared_ptr<InputAudio> m_input;
    std::map<std::string, Listening> m_listening;
    std::function<void()> m_wake;
    std::unique_ptr<core::Timer> m_tick;
    std::unique_ptr<core::Timer> m_expiry;
    std::unique_ptr<core::Timer> m_idle;
    /// Answers of the lane that the next client event has to wait for.
    int m_awaited = 0;
    bool m_isUserSpeaking = false;
    bool m_isStopped = false;
};

} // namespace vivavoce::agent::realtime
