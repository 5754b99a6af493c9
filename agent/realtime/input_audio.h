#pragma once

#include "agent/realtime/event_fault.h"
#include "agent/realtime/session_settings.h"
#include "agent/realtime/turn_detector.h"
#include "agent/realtime/utterance.h"
#include "agent/realtime/wire_audio.h"
#include "core/base/base64.h"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace vivavoce::agent::realtime {

/// The detector heard the user begin; the item will have this id.
struct SpeechStarted {
    std::string itemId;
    core::Milliseconds at{0};
    std::shared_ptr<Utterance> utterance;
};

struct SpeechStopped {
    std::string itemId;
    core::Milliseconds at{0};
};

/// The buffer became an item.
struct AudioCommitted {
    std::string itemId;
    core::Bytes audio;
    core::Milliseconds length{0};
    /// Not asked for by the client.
    bool isByDetector = false;
};

/// Manual mode: the first audio after a commit or a clear.
struct UtteranceBegun {
    std::string itemId;
    std::shared_ptr<Utterance> utterance;
};

using InputEvent = std::variant<SpeechStarted, SpeechStopped, AudioCommitted, UtteranceBegun>;

/// The input audio buffer of a session: decodes, detects turns, feeds the recogniser of the turn that runs.
/// Times count from the first sample of the session. A turn that the detector does not end is ended after kMaxTurn; in manual
/// mode audio over kMaxBufferBytes is refused.
/// Threads: [worker], one at a time (the session's lane).
class InputAudio {
public:
    static constexpr std::size_t kMaxBufferBytes = 16 * 1024 * 1024;
    static constexpr core::Milliseconds kMaxTurn{120'000};
    static constexpr core::Milliseconds kShortestCommit{100};

    struct Parts {
        std::unique_ptr<ActivityDetector> detector;
        std::function<std::shared_ptr<Utterance>(const std::string& itemId)> makeUtterance;
        std::function<void(InputEvent)> emit;
    };

    explicit InputAudio(Parts parts);
    ~InputAudio();

    /// Takes effect between two chunks. Another format drops what is buffered.
    std::optional<EventFault> configure(WireFormat format, const TurnDetection& turn);
    /// Audio in the wire format.
    std::optional<EventFault> append(core::Bytes bytes);
    /// `input_audio_buffer_commit_empty` below kShortestCommit.
    std::optional<EventFault> commit();
    void clear();
    /// Commits what silence there is, so that an idle timeout has its item. Answers its id and its span.
    struct Silence {
        std::string itemId;
        core::Milliseconds start{0};
        core::Milliseconds end{0};
    };
    Silence commitSilence();
    /// Drops everything at once, so that append in progress ends early. [any thread]
    void stop() { m_isStopped = true; }

private:
    void slice(std::span<const std::uint8_t> wire);
    void frame(std::span<std::int16_t> samples);
    void startTurn(core::Milliseconds lookBack);
    void stopTurn();
    void commitBuffer(bool isByDetector);
    void forgetBefore(core::Milliseconds keep);
    [[nodiscard]] core::Milliseconds bufferLength() const;

    Parts m_parts;
    std::unique_ptr<WireDecoder> m_decoder;
    WireFormat m_format = WireFormat::Pcm;
    TurnDetection m_settings;
    TurnDetector m_detector;

    /// Half a sample that a chunk ended with.
    core::Bytes m_odd;
    core::Bytes m_wire;
    /// At core::kSpeechRate, from the start of the buffer; only while no turn runs.
    std::vector<std::int16_t> m_samples;
    /// Less than a frame, not looked at yet.
    std::vector<std::int16_t> m_rest;
    core::Milliseconds m_now{0};
    core::Milliseconds m_turnStart{0};
    core::Milliseconds m_lastTurnEnd{0};
    std::string m_itemId;
    std::shared_ptr<Utterance> m_utterance;
    std::atomic<bool> m_isStopped = false;
};

} // namespace vivavoce::agent::realtime
