#pragma once

#include "core/protocol/gemini/content.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The first message of a connection, sent once; also what an ephemeral token pins.
namespace vivavoce::core::gemini {

struct FunctionDeclaration {
    std::string name;
    std::optional<std::string> description;
    std::optional<RawJson> parameters;
    /// A JSON Schema, in place of `parameters`.
    std::optional<RawJson> parametersJsonSchema;
    /// BLOCKING or NON_BLOCKING.
    std::optional<std::string> behavior;
    bool operator==(const FunctionDeclaration&) const = default;
};

struct Tool {
    std::optional<std::vector<FunctionDeclaration>> functionDeclarations;
    std::optional<RawJson> googleSearch;
    bool operator==(const Tool&) const = default;
};

struct GenerationConfig {
    /// "AUDIO" or "TEXT", one of them.
    std::optional<std::vector<std::string>> responseModalities;
    std::optional<double> temperature;
    std::optional<double> topP;
    std::optional<std::int64_t> topK;
    std::optional<std::int64_t> maxOutputTokens;
    std::optional<std::int64_t> seed;
    std::optional<std::string> mediaResolution;
    // speechConfig
    std::optional<std::string> languageCode;
    std::optional<std::string> voiceName;
    std::optional<RawJson> thinkingConfig;
    std::optional<bool> enableAffectiveDialog;
    std::optional<RawJson> translationConfig;
    bool operator==(const GenerationConfig&) const = default;
};

struct ActivityDetection {
    std::optional<bool> disabled;
    std::optional<std::string> startOfSpeechSensitivity;
    std::optional<std::string> endOfSpeechSensitivity;
    std::optional<std::int64_t> prefixPaddingMs;
    std::optional<std::int64_t> silenceDurationMs;
    bool operator==(const ActivityDetection&) const = default;
};

struct RealtimeInputConfig {
    std::optional<ActivityDetection> automaticActivityDetection;
    /// START_OF_ACTIVITY_INTERRUPTS or NO_INTERRUPTION.
    std::optional<std::string> activityHandling;
    std::optional<std::string> turnCoverage;
    bool operator==(const RealtimeInputConfig&) const = default;
};

struct SessionResumption {
    /// Nothing: a new session, of which handles are wanted.
    std::optional<std::string> handle;
    bool operator==(const SessionResumption&) const = default;
};

struct SlidingWindow {
    std::optional<Int64> targetTokens;
    bool operator==(const SlidingWindow&) const = default;
};

struct ContextWindowCompression {
    std::optional<Int64> triggerTokens;
    std::optional<SlidingWindow> slidingWindow;
    bool operator==(const ContextWindowCompression&) const = default;
};

struct HistoryConfig {
    std::optional<bool> initialHistoryInClientContent;
    bool operator==(const HistoryConfig&) const = default;
};

struct Setup {
    static constexpr std::string_view kKey = "setup";
    /// "models/…".
    std::string model;
    std::optional<GenerationConfig> generationConfig;
    std::optional<Content> systemInstruction;
    std::optional<std::vector<Tool>> tools;
    std::optional<RealtimeInputConfig> realtimeInputConfig;
    std::optional<SessionResumption> sessionResumption;
    std::optional<ContextWindowCompression> contextWindowCompression;
    std::optional<Mark> inputAudioTranscription;
    std::optional<Mark> outputAudioTranscription;
    std::optional<HistoryConfig> historyConfig;
    // Passed on, not understood.
    std::optional<RawJson> proactivity;
    std::optional<RawJson> safetySettings;
    std::optional<RawJson> labels;
    std::optional<RawJson> avatarConfig;
    bool operator==(const Setup&) const = default;
};

/// As the wire has it: with "models/" in front, where it has no folder of its own.
[[nodiscard]] std::string modelPath(std::string_view model);

} // namespace vivavoce::core::gemini
