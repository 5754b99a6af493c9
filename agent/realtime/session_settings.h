#pragma once

#include "agent/ports.h"
#include "agent/realtime/event_fault.h"
#include "core/base/expected.h"
#include "core/base/units.h"
#include "core/protocol/openai/response.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::agent::realtime {

/// How audio is written on the wire. Pcm is at 24 kHz.
using WireFormat = core::openai::AudioEncoding;
using core::openai::Modality;

[[nodiscard]] core::SampleRate wireRate(WireFormat format);
/// 48 for Pcm, 8 for G.711.
[[nodiscard]] std::size_t bytesPerMillisecond(WireFormat format);
[[nodiscard]] core::Milliseconds playTime(std::size_t bytes, WireFormat format);

/// Who decides where a turn of the user ends.
struct TurnDetection {
    bool isManual = false;
    /// 0..1: how sure the detector must be that somebody speaks.
    double threshold = 0.5;
    core::Milliseconds prefixPadding{300};
    core::Milliseconds silence{500};
    bool createsResponse = true;
    bool interruptsResponse = true;
    std::optional<core::Milliseconds> idleTimeout;

    bool operator==(const TurnDetection&) const = default;
};

/// What holds for one reply: the session's settings with the overrides of its response.create.
struct ResponseSettings {
    std::string instructions;
    Modality modality = Modality::Audio;
    WireFormat outputFormat = WireFormat::Pcm;
    core::openai::Voice voice;
    double speed = 1.0;
    std::vector<Tool> tools;
    ToolChoice toolChoice = ToolChoice::Auto;
    std::string requiredTool;
    /// Nothing: no limit.
    std::optional<std::int64_t> maxOutputTokens;
    std::optional<core::openai::Metadata> metadata;
    bool isOutOfBand = false;
};

/// The effective configuration of a session: an immutable value; an update makes another one or nothing at all, so one bad
/// field voids the whole update, as OpenAI does it.
/// semantic_vad is served by the same silence detector: eagerness high waits 300 ms, medium and auto 700 ms, low 1,200 ms.
/// Threads: [any thread].
class SessionSettings {
public:
    /// `expiresAt` in Unix seconds.
    static SessionSettings defaults(const std::string& model, const std::string& sessionId, std::int64_t expiresAt);

    /// `update` is within the limits. A change of voice is refused with `cannot_update_voice` once `isVoiceLocked`; another
    /// model with `invalid_value`.
    [[nodiscard]] core::Expected<SessionSettings, EventFault> merged(
        const core::openai::Session& update, bool isVoiceLocked) const;

    /// As `session.created` and `session.updated` show it: every field that has a default has a value.
    [[nodiscard]] const core::openai::Session& effective() const { return *m_effective; }
    [[nodiscard]] WireFormat inputFormat() const;
    [[nodiscard]] TurnDetection turnDetection() const;
    /// Whether the client asked for transcription events.
    [[nodiscard]] bool isTranscribing() const;
    [[nodiscard]] ResponseSettings responseSettings(const core::openai::ResponseConfig& overrides = {}) const;

private:
    explicit SessionSettings(std::shared_ptr<const core::openai::Session> effective) : m_effective(std::move(effective))
    {
    }

    std::shared_ptr<const core::openai::Session> m_effective;
};

} // namespace vivavoce::agent::realtime
