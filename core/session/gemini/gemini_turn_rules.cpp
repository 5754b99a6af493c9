#include "core/session/gemini/gemini_translator.h"

#include <utility>

namespace vivavoce::core {

Milliseconds GeminiTranslator::soundSent() const
{
    return FrameCount{static_cast<std::int64_t>(m_soundBytes / 2)}.duration(kRealtimeRate);
}

void GeminiTranslator::newUserItem()
{
    endUserWords();
    m_userItem = m_memory.newId("item");
    m_memory.items.insert(m_userItem);
    m_memory.isWhole = false;
    m_areWordsToCome = m_session.transcription.hasValue();
    m_userWords.clear();
}

void GeminiTranslator::userTurnBegins(Milliseconds at)
{
    newUserItem();
    m_isUserSpeaking = true;
    tell(openai::InputAudioBufferSpeechStarted{{}, at.count(), m_userItem});
    if (!m_earlyWords.empty()) {
        userWords({std::exchange(m_earlyWords, {})});
    }
}

void GeminiTranslator::userTurnEnds(std::optional<Milliseconds> at)
{
    m_isUserSpeaking = false;
    tell(openai::InputAudioBufferSpeechStopped{{}, at ? at->count() : -1, m_userItem});
    commitUserItem();
}

void GeminiTranslator::commitUserItem()
{
    m_turnEndBytes = m_soundBytes;
    tell(openai::InputAudioBufferCommitted{{}, m_userItem, std::nullopt});
}

void GeminiTranslator::endUserWords()
{
    if (!std::exchange(m_areWordsToCome, false)) {
        return;
    }
    openai::InputAudioTranscriptionCompleted completed;
    completed.itemId = m_userItem;
    completed.transcript = m_userWords;
    tell(std::move(completed));
    if (m_userWords.empty()) {
        // It was noise, or the words never came: there is nothing to show.
        tell(openai::ConversationItemDeleted{{}, m_userItem});
    }
}

void GeminiTranslator::userWords(const gemini::TranscriptPiece& piece)
{
    const bool isByHand = m_session.turnDetection.isNull();
    if (isByHand && m_isHeldTold) {
        m_earlyWords += piece.text;
        return;
    }
    if (!m_areWordsToCome) {
        if (!m_session.transcription.hasValue() || isByHand || piece.text.empty()) {
            return;
        }
        if (m_reply || m_ending) {
            m_earlyWords += piece.text;
            return;
        }
        userTurnBegins(FrameCount{static_cast<std::int64_t>(m_turnEndBytes / 2)}.duration(kRealtimeRate));
    }
    m_userWords += piece.text;
    if (!piece.text.empty()) {
        openai::InputAudioTranscriptionDelta delta;
        delta.itemId = m_userItem;
        delta.delta = piece.text;
        tell(std::move(delta));
    }
    if (piece.finished.value_or(false)) {
        endUserWords();
    }
}

} // namespace vivavoce::core
