#include "core/session/internal/session_update.h"

namespace vivavoce::core::internal {

namespace {

openai::Nullable<openai::TurnDetection> turnDetection(
    const SessionOptions& options, bool turnsByHand, const std::set<Setting>& leftOut)
{
    if (turnsByHand) {
        return openai::Null{};
    }
    openai::ServerVad vad;
    vad.threshold = 0.5;
    if (!leftOut.contains(Setting::Padding)) {
        vad.prefixPaddingMs = 300;
    }
    vad.silenceDurationMs = options.endOfTurnSilence.count();
    vad.createResponse = true;
    vad.interruptResponse = true;
    return openai::TurnDetection{vad};
}

} // namespace

openai::SessionUpdate turnsUpdate(const SessionOptions& options, bool turnsByHand, const std::set<Setting>& leftOut)
{
    openai::SessionUpdate update;
    update.session.turnDetection = turnDetection(options, turnsByHand, leftOut);
    return update;
}

bool isWanted(Setting setting, const SessionOptions& options, bool turnsByHand)
{
    switch (setting) {
    case Setting::Formats:
        return true;
    case Setting::Padding:
        return !turnsByHand;
    case Setting::Voice:
        return !options.voice.empty();
    case Setting::Transcription:
        return !options.transcriptionModel.empty();
    case Setting::Tools:
        return !options.tools.empty();
    }
    return false;
}

openai::SessionUpdate sessionUpdate(
    const SessionOptions& options, const VoiceRates& rates, bool turnsByHand, const std::set<Setting>& leftOut)
{
    const auto has = [&](Setting setting) {
        return isWanted(setting, options, turnsByHand) && !leftOut.contains(setting);
    };
    openai::Session session;
    if (!options.instructions.empty()) {
        session.instructions = options.instructions;
    }
    if (has(Setting::Voice)) {
        session.voice = openai::Voice{options.voice, false};
    }
    session.outputModalities = std::vector{options.spokenReplies ? openai::Modality::Audio : openai::Modality::Text};
    if (has(Setting::Formats)) {
        session.inputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, rates.input};
        session.outputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, rates.output};
    }
    if (has(Setting::Transcription)) {
        openai::Transcription transcription;
        transcription.model = options.transcriptionModel;
        session.transcription = std::move(transcription);
    }
    session.turnDetection = turnDetection(options, turnsByHand, leftOut);
    if (has(Setting::Tools)) {
        session.tools.emplace(options.tools.begin(), options.tools.end());
        session.toolChoice = openai::ToolChoiceMode::Auto;
    }
    openai::SessionUpdate update;
    update.session = std::move(session);
    return update;
}

} // namespace vivavoce::core::internal
