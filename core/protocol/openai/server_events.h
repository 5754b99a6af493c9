#pragma once

#include "core/protocol/openai/client_events.h"
#include "core/protocol/openai/server_buffer_events.h"
#include "core/protocol/openai/server_item_events.h"
#include "core/protocol/openai/server_response_events.h"
#include "core/protocol/openai/server_session_events.h"
#include "core/protocol/openai/server_tool_events.h"

#include <variant>

/// What a server may say (OpenAI Realtime GA, 46 events). Ids and indexes that a compatible server leaves out are empty and 0.
/// kBetaType is the beta's name for the same event, where it had another one.
namespace vivavoce::core::openai {

using ServerEvent = std::variant<ErrorEvent, SessionCreated, SessionUpdated, ConversationCreated, ConversationItemAdded,
    ConversationItemDone, ConversationItemCreated, ConversationItemRetrieved, ConversationItemDeleted,
    ConversationItemTruncated, InputAudioTranscriptionDelta, InputAudioTranscriptionCompleted,
    InputAudioTranscriptionFailed, InputAudioTranscriptionSegment, InputAudioBufferCommitted, InputAudioBufferCleared,
    InputAudioBufferSpeechStarted, InputAudioBufferSpeechStopped, InputAudioBufferTimeoutTriggered,
    InputAudioBufferDtmfEventReceived, OutputAudioBufferStarted, OutputAudioBufferStopped, OutputAudioBufferCleared,
    ResponseCreated, ResponseDone, ResponseOutputItemAdded, ResponseOutputItemDone, ResponseContentPartAdded,
    ResponseContentPartDone, ResponseOutputTextDelta, ResponseOutputTextDone, ResponseOutputAudioDelta,
    ResponseOutputAudioDone, ResponseOutputAudioTranscriptDelta, ResponseOutputAudioTranscriptDone,
    ResponseFunctionCallArgumentsDelta, ResponseFunctionCallArgumentsDone, ResponseMcpCallArgumentsDelta,
    ResponseMcpCallArgumentsDone, ResponseMcpCallInProgress, ResponseMcpCallCompleted, ResponseMcpCallFailed,
    McpListToolsInProgress, McpListToolsCompleted, McpListToolsFailed, RateLimitsUpdated, UnknownEvent>;

} // namespace vivavoce::core::openai
