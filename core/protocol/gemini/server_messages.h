#pragma once

#include "core/base/units.h"
#include "core/protocol/gemini/content.h"

#include <optional>
#include <string>
#include <vector>

/// What a server says: several keys can come in one message, also none that means anything.
namespace vivavoce::core::gemini {

struct SetupComplete {
    std::string sessionId;
};

/// A piece of a transcript, to be appended. Pieces come in no order relative to the sound.
struct TranscriptPiece {
    std::string text;
    std::optional<bool> finished{};
    std::string languageCode{};
};

struct ServerContent {
    std::optional<Content> modelTurn;
    std::optional<bool> interrupted;
    /// All of the reply has been sent ...
    std::optional<bool> generationComplete;
    /// ... and should have been heard by now.
    std::optional<bool> turnComplete;
    std::string turnCompleteReason;
    /// IN_PROGRESS or IDLE.
    std::string interactionStatus;
    std::optional<bool> waitingForInput;
    std::optional<TranscriptPiece> inputTranscription;
    std::optional<TranscriptPiece> interimInputTranscription;
    std::optional<TranscriptPiece> outputTranscription;
    std::optional<RawJson> groundingMetadata;
    std::optional<RawJson> urlContextMetadata;
};

struct ToolCall {
    std::vector<FunctionCall> functionCalls;
};

/// What these calls asked for is not wanted any more, and is not to be answered.
struct ToolCallCancellation {
    std::vector<std::string> ids;
};

/// The connection ends in that time.
struct GoAway {
    std::optional<Milliseconds> timeLeft;
};

struct SessionResumptionUpdate {
    /// Empty while the session cannot be resumed.
    std::string newHandle;
    std::optional<bool> resumable;
    std::optional<Int64> lastConsumedClientMessageIndex;
};

struct ModalityCount {
    /// TEXT, AUDIO, IMAGE, VIDEO, DOCUMENT.
    std::string modality;
    Int64 tokenCount;
};

/// A snapshot; all of a session's are to be added up.
struct UsageMetadata {
    std::optional<Int64> promptTokenCount;
    std::optional<Int64> cachedContentTokenCount;
    std::optional<Int64> responseTokenCount;
    std::optional<Int64> toolUsePromptTokenCount;
    std::optional<Int64> thoughtsTokenCount;
    std::optional<Int64> totalTokenCount;
    std::optional<std::vector<ModalityCount>> promptTokensDetails;
    std::optional<std::vector<ModalityCount>> cacheTokensDetails;
    std::optional<std::vector<ModalityCount>> responseTokensDetails;
    std::optional<std::vector<ModalityCount>> toolUsePromptTokensDetails;
};

/// Only where Google allows it.
struct VoiceActivity {
    /// ACTIVITY_START or ACTIVITY_END.
    std::string voiceActivityType;
    /// Of the sound sent.
    std::optional<Milliseconds> audioOffset;
};

struct ServerMessage {
    std::optional<SetupComplete> setupComplete{};
    std::optional<ServerContent> serverContent{};
    std::optional<ToolCall> toolCall{};
    std::optional<ToolCallCancellation> toolCallCancellation{};
    std::optional<GoAway> goAway{};
    std::optional<SessionResumptionUpdate> sessionResumptionUpdate{};
    std::optional<UsageMetadata> usageMetadata{};
    std::optional<VoiceActivity> voiceActivity{};
};

} // namespace vivavoce::core::gemini
