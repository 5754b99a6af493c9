#pragma once

#include "core/base/units.h"
#include "core/protocol/openai/presence.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// The session object (OpenAI Realtime GA, "realtime" and "transcription"). A field that is absent is not written; in
/// session.update that means "leave it as it is".
namespace vivavoce::core::openai {

enum class SessionType { Realtime, Transcription };
enum class Modality { Audio, Text };
enum class AudioEncoding { Pcm, Pcmu, Pcma };

/// Pcm is signed 16 bit, little endian, mono, its rate invalid where none was said; Pcmu and Pcma are G.711 and always 8 kHz.
struct AudioFormat {
    AudioEncoding encoding = AudioEncoding::Pcm;
    SampleRate rate = kRealtimeRate;
    bool operator==(const AudioFormat&) const = default;
};

/// What writes down the user's speech.
struct Transcription {
    std::optional<std::string> model;
    std::optional<std::string> language;
    std::optional<std::vector<std::string>> languages;
    std::optional<std::vector<std::string>> keywords;
    std::optional<std::string> prompt;
    /// minimal, low, medium, high or xhigh.
    std::optional<std::string> delay;
    bool operator==(const Transcription&) const = default;
};

enum class NoiseReductionType { NearField, FarField };

struct NoiseReduction {
    std::optional<NoiseReductionType> type;
    std::optional<double> strength;
    bool operator==(const NoiseReduction&) const = default;
};

/// Turns end after a silence.
struct ServerVad {
    std::optional<double> threshold;
    std::optional<std::int64_t> prefixPaddingMs;
    std::optional<std::int64_t> silenceDurationMs;
    std::optional<bool> createResponse;
    std::optional<bool> interruptResponse;
    Nullable<std::int64_t> idleTimeoutMs;
    bool operator==(const ServerVad&) const = default;
};

enum class Eagerness { Low, Medium, High, Auto };

/// Turns end when the words sound finished.
struct SemanticVad {
    std::optional<Eagerness> eagerness;
    std::optional<bool> createResponse;
    std::optional<bool> interruptResponse;
    bool operator==(const SemanticVad&) const = default;
};

using TurnDetection = std::variant<ServerVad, SemanticVad>;

/// A voice of the provider, or an own one by its id.
struct Voice {
    std::string name;
    bool isCustomId = false;
    bool operator==(const Voice&) const = default;
};

struct FunctionTool {
    std::string name;
    std::optional<std::string> description;
    /// A JSON Schema.
    std::optional<RawJson> parameters;
    bool operator==(const FunctionTool&) const = default;
};

/// Kinds other than functions (mcp) are passed on raw.
using Tool = std::variant<FunctionTool, RawJson>;

enum class ToolChoiceMode { Auto, None, Required };
struct ToolChoiceFunction {
    std::string name;
    bool operator==(const ToolChoiceFunction&) const = default;
};
struct ToolChoiceMcp {
    std::string serverLabel;
    std::optional<std::string> name;
    bool operator==(const ToolChoiceMcp&) const = default;
};
using ToolChoice = std::variant<ToolChoiceMode, ToolChoiceFunction, ToolChoiceMcp>;

/// 1 to 4096 tokens, or as many as the model can ("inf").
struct TokenLimit {
    /// Nothing: no limit.
    std::optional<std::int64_t> count;
    bool operator==(const TokenLimit&) const = default;
};

enum class TruncationMode { Auto, Disabled };
struct RetentionRatio {
    /// 0 to 1.
    double ratio = 1;
    std::optional<std::int64_t> postInstructionsTokens;
    bool operator==(const RetentionRatio&) const = default;
};
using Truncation = std::variant<TruncationMode, RetentionRatio>;

struct TracingAuto {
    bool operator==(const TracingAuto&) const = default;
};
struct TracingConfig {
    std::optional<std::string> workflowName;
    std::optional<std::string> groupId;
    std::optional<RawJson> metadata;
    bool operator==(const TracingConfig&) const = default;
};
using Tracing = std::variant<TracingAuto, TracingConfig>;

struct Session {
    SessionType type = SessionType::Realtime;

    // Told by the server only; never part of an update.
    std::optional<std::string> id;
    /// Unix seconds; 0 in the answer of a mint.
    std::optional<std::int64_t> expiresAt;

    std::optional<std::string> model;
    std::optional<std::string> instructions;
    /// Audio (with a transcript) or Text, one of them.
    std::optional<std::vector<Modality>> outputModalities;

    std::optional<AudioFormat> inputFormat;
    Nullable<Transcription> transcription;
    Nullable<NoiseReduction> noiseReduction;
    /// Null: the client commits turns itself.
    Nullable<TurnDetection> turnDetection;

    std::optional<AudioFormat> outputFormat;
    std::optional<Voice> voice;
    /// 0.25 to 1.5.
    std::optional<double> speed;

    std::optional<std::vector<Tool>> tools;
    std::optional<ToolChoice> toolChoice;
    std::optional<bool> parallelToolCalls;
    std::optional<TokenLimit> maxOutputTokens;
    std::optional<Truncation> truncation;
    Nullable<Tracing> tracing;
    Nullable<RawJson> prompt;
    /// "item.input_audio_transcription.logprobs", or nothing.
    Nullable<std::vector<std::string>> include;
    /// minimal, low, medium, high or xhigh.
    std::optional<std::string> reasoningEffort;
    /// Beta only; gone in GA, where it is not written.
    std::optional<double> temperature;

    bool operator==(const Session&) const = default;
};

/// What a session is after an update: absent leaves, null switches off, a value sets. Objects merge field by field
/// (turn_detection only while its type stays the same); lists are replaced. `type`, `id` and `expiresAt` stay. [any thread]
[[nodiscard]] Session merge(Session effective, const Session& update);

} // namespace vivavoce::core::openai
