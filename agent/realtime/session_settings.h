#pragma once

#include "agent/ports.h"
#include "agent/realtime/event_fault.h"
#include "core/base/expected.h"
#include "core/base/json.h"
#include "core/base/units.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::agent::realtime {

/// How audio is written on the wire. Pcm24k: signed 16-bit little-endian mono at 24 kHz; the others G.711 at 8 kHz.
enum class WireFormat { Pcm24k, Pcmu, Pcma };

[[nodiscard]] core::SampleRate wireRate(WireFormat format);
/// 48 for Pcm24k, 8 for G.711.
[[nodiscard]] std::size_t bytesPerMillisecond(WireFormat format);

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

enum class Modality { Audio, Text };

/// What holds for one reply: the session's settings with the overrides of its response.create.
struct ResponseSettings {
    std::string instructions;
    Modality modality = Modality::Audio;
    WireFormat outputFormat = WireFormat::Pcm24k;
    std::string voiceJson;
    double speed = 1.0;
    std::vector<Tool> tools;
    ToolChoice toolChoice = ToolChoice::Auto;
    std::string requiredTool;
    /// Nothing: no limit.
    std::optional<std::int64_t> maxOutputTokens;
    /// JSON text of an object, or empty.
    std::string metadataJson;
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

    /// `update` is the `session` object of a client. A change of voice is refused with `cannot_update_voice` once
    /// `isVoiceLocked`; another model with `invalid_value`.
    [[nodiscard]] core::Expected<SessionSettings, EventFault> merged(
        const core::Json& update, bool isVoiceLocked) const;
    /// For the first settings of a session, where a client secret may name the model.
    [[nodiscard]] core::Expected<SessionSettings, EventFault> seeded(const core::Json& session) const;

    /// As `session.created` and `session.updated` show it.
    [[nodiscard]] const core::Json& effective() const { return *m_effective; }
    [[nodiscard]] std::string model() const;
    [[nodiscard]] WireFormat inputFormat() const;
    [[nodiscard]] TurnDetection turnDetection() const;
    /// Whether the client asked for transcription events.
    [[nodiscard]] bool isTranscribing() const;
    /// `options` is the `response` object of response.create, checked by shape, or null.
    [[nodiscard]] ResponseSettings responseSettings(const core::Json& options) const;

private:
    explicit SessionSettings(std::shared_ptr<const core::Json> effective) : m_effective(std::move(effective)) {}

    std::shared_ptr<const core::Json> m_effective;
};

} // namespace vivavoce::agent::realtime
