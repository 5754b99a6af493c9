#include "core/session/internal/session_update.h"

namespace vivavoce::core::internal {

namespace {

openai::Nullable<openai::TurnDetection> turnDetection(const SessionOptions& options, bool turnsByHand)
{
    if (turnsByHand) {
        return openai::Null{};
    }
    openai::ServerVad vad;
    vad.threshold = 0.5;
    vad.prefixPaddingMs = 300;
    vad.silenceDurationMs = options.endOfTurnSilence.count();
    vad.createResponse = true;
    vad.interruptResponse = true;
    return openai::TurnDetection{vad};
}

} // namespace

openai::SessionUpdate turnsUpdate(const SessionOptions& options, bool turnsByHand)
{
    openai::SessionUpdate update;
    update.session.turnDetection = turnDetection(options, turnsByHand);
    return update;
}

openai::SessionUpdate sessionUpdate(const SessionOptions& options, bool turnsByHand)
{
    openai::Session session;
    if (!options.instructions.empty()) {
        session.instructions = options.instructions;
    }
    if (!options.voice.empty()) {
        session.voice = openai::Voice{options.voice, false};
    }
    session.outputModalities = std::vector{options.spokenReplies ? openai::Modality::Audio : openai::Modality::Text};
    session.inputFormat = openai::AudioFormat{};
    session.outputFormat = openai::AudioFormat{};
    if (!options.transcriptionModel.empty()) {
        openai::Transcription transcription;
        transcription.model = options.transcriptionModel;
        session.transcription = std::move(transcription);
    }
    session.turnDetection = turnDetection(options, turnsByHand);
    if (!options.tools.empty()) {
        session.tools.emplace(options.tools.begin(), options.tools.end());
        session.toolChoice = openai::ToolChoiceMode::Auto;
    }
    openai::SessionUpdate update;
    update.session = std::move(session);
    return update;
}

} // namespace vivavoce::core::internal
