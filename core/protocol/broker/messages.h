#pragma once

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"
#include "core/base/voice_rates.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What is said between a broker and its clients, as JSON (docs/protocol.md, /openapi.json). Pure. [any thread]
/// Decoding answers BrokerMalformed with the name of the field at fault, never with its value.
namespace vivavoce::core::broker {

/// POST /api/voice-agent/token and POST /api/voice/session. Absent fields leave the choice to the broker.
struct TokenRequest {
    /// What the session is for, where the operator keeps projects apart.
    std::optional<std::string> projectId{};
    /// Tells one run of a client from others of the same user: 128 random bits.
    std::optional<std::string> clientInstance;
    std::optional<std::string> provider;
    std::optional<std::string> model;
    std::optional<std::string> voice;
    std::optional<std::string> instructions;
    /// Continues the caller's own session after its token has expired.
    std::optional<std::string> resumeSessionId;
};

/// POST /api/voice-agent/refresh-token.
struct RefreshRequest {
    std::optional<std::string> clientInstance;
};

/// POST /api/voice/usage: what a session came to that went to the provider directly, where the broker could not see it.
struct UsageReport {
    std::string sessionId;
    /// Since the session began, in all.
    std::int64_t connectedMs = 0;
    std::int64_t toolCalls = 0;
    std::optional<std::string> transcriptionModel{};
    /// The provider's own events that say what is billed: response.done and conversation.item.input_audio_transcription.completed, without
    /// what was said. One that comes again counts once.
    std::vector<std::string> events{};
};
/// The most events of one report.
inline constexpr std::size_t kMostReportedEvents = 16;

/// How the endpoint has its sound. On the wire `rate` is that of both ways, and `outputRate`, where it is there, that of what comes.
struct ConnectAudio {
    std::string encoding = "pcm16";
    VoiceRates rates;
};

/// Where and how the token opens a door.
struct ConnectInfo {
    std::string url;
    /// "bearer", "api-key", "subprotocol", "token" or "none".
    std::string auth = "bearer";
    /// "openai-ga", "openai-beta" or "gemini".
    std::string dialect = "openai-ga";
    ConnectAudio audio;
    /// Which kind of server it is, whatever the broker calls the provider. Empty, and absent on the wire: it does not say.
    std::string profile{};
};

struct SessionLimits {
    std::optional<std::int64_t> maxSessionSeconds;
};

/// The answer to both. Times are RFC 3339 in UTC on the wire; `expiresIn` counts from the answer.
struct TokenResponse {
    Secret token;
    std::string tokenType = "Bearer";
    std::string sessionId;
    std::int64_t expiresIn = 0;
    WallTime expiresAt;
    WallTime refreshAfter;
    std::string provider;
    std::string model;
    /// "direct": the provider's own token, and the broker is out of the way of the sound; "relay": through the broker.
    std::string transport = "direct";
    ConnectInfo connect;
    SessionLimits limits;
    /// What is said in this session is kept by its project, for its admins. Absent on the wire: it is not.
    bool areTranscriptsKept = false;
};

/// RFC 9457. `code` is ours and stable.
struct Problem {
    std::string type;
    std::string title;
    int status = 0;
    std::string detail;
    std::string code;
    /// Seconds.
    std::optional<std::int64_t> retryAfter;
    /// Names of the quotas that the request broke ("violated-policies" of draft-ietf-httpapi-ratelimit-headers-10).
    std::vector<std::string> violatedPolicies{};
};

[[nodiscard]] std::string encode(const TokenRequest& request);
[[nodiscard]] std::string encode(const RefreshRequest& request);
[[nodiscard]] std::string encode(const UsageReport& report);
/// Strict: unknown fields, wrong types, control characters and overlong strings are faults.
[[nodiscard]] Expected<TokenRequest, Error> decodeTokenRequest(std::string_view text);
[[nodiscard]] Expected<RefreshRequest, Error> decodeRefreshRequest(std::string_view text);
[[nodiscard]] Expected<UsageReport, Error> decodeUsageReport(std::string_view text);

/// The text holds the token: wipe it when it is sent.
[[nodiscard]] std::string encode(const TokenResponse& response);
/// Lenient about unknown fields. Wiping `text` is the caller's task.
[[nodiscard]] Expected<TokenResponse, Error> decodeTokenResponse(std::string_view text);

[[nodiscard]] std::string encode(const Problem& problem);
[[nodiscard]] Expected<Problem, Error> decodeProblem(std::string_view text);

} // namespace vivavoce::core::broker
