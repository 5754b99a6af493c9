#include "core/history/conversation_keeper.h"

#include "core/base/random_id.h"
#include "core/ports/history_fault.h"

#include <utility>

namespace vivavoce::core {
namespace {

/// Whoever holds the file, holds up the main thread at each try.
constexpr std::chrono::seconds kPause{5};
/// So many lines that have waited are kept at a notice, each with its own wait for the disk.
constexpr std::size_t kAtOnce = 10;

} // namespace

ConversationKeeper::ConversationKeeper(Dependencies dependencies) : m_deps(std::move(dependencies))
{
    if (m_deps.recorder != nullptr) {
        m_deps.store.dropLostSound();
        m_sound.emplace(SoundKeeper::Dependencies{*m_deps.recorder, m_deps.store, m_deps.clock,
            [this](bool isRecording) { m_deps.recordingChanged(isRecording); }, m_deps.failed});
    }
    follow(m_deps.settings.current());
    m_deps.settings.follow([this](const Settings& settings) { follow(settings); });
    m_deps.conversation.add(*this);
}

ConversationKeeper::~ConversationKeeper()
{
    m_deps.conversation.remove(*this);
    if (m_recorder) {
        m_recorder->close();
        takeNews();
        saveWaiting(true);
    }
    endSound();
}

void ConversationKeeper::conversationTold(const SessionNotice& notice)
{
    if (m_isOver) {
        const auto* changed = std::get_if<session_notice::PhaseChanged>(&notice);
        if (changed != nullptr && changed->phase != Phase::Idle && changed->phase != Phase::Ended) {
            begin();
        }
    }
    if (!m_recorder) {
        return;
    }
    m_recorder->told(notice);
    if (const auto* removed = std::get_if<session_notice::TranscriptRemoved>(&notice);
        removed != nullptr && m_kept.contains(removed->itemId)) {
        m_dropping.insert(removed->itemId);
        m_isDue = true;
    }
    takeNews();
    const bool isEnd = std::holds_alternative<session_notice::Ended>(notice);
    saveWaiting(isEnd);
    if (isEnd) {
        endSound();
    }
    m_isOver = m_isOver || isEnd;
}

void ConversationKeeper::begin()
{
    if (m_recorder) {
        saveWaiting(true);
    }
    m_recorder.emplace(m_deps.clock);
    m_recorder->setPrivate(!m_deps.settings.current().keepsConversations);
    m_id = randomId();
    m_isOver = false;
    m_isFailing = false;
    m_notBefore = {};
    m_isDue = false;
    m_kept.clear();
    m_unkept.clear();
    m_waiting.clear();
    m_dropping.clear();
    m_soundStart.reset();
    if (m_sound) {
        m_sound->begin(m_id);
    }
}

/// After the last line. Sound that began behind it is kept with it.
void ConversationKeeper::endSound()
{
    if (!m_sound) {
        return;
    }
    // Somebody may have deleted it meanwhile: then it does not come back.
    if (!m_kept.empty() && m_sound->startsAt() && m_sound->startsAt() != m_soundStart
        && m_deps.store.open(m_id).has_value()) {
        static_cast<void>(save(*m_kept.begin()));
    }
    const bool isWithWords = m_sound->startsAt() && m_sound->startsAt() == m_soundStart && !m_kept.empty();
    // What was said could not be written: then its sound is all that there is of it.
    const bool isAllThereIs = !isWithWords && !m_waiting.empty() && m_sound->startsAt();
    if (isAllThereIs) {
        m_deps.store.keepSound(m_id);
    }
    m_sound->end(isWithWords || isAllThereIs);
}

void ConversationKeeper::follow(const Settings& settings)
{
    if (m_recorder) {
        m_recorder->setPrivate(!settings.keepsConversations);
    }
    if (!settings.keepsConversations) {
        m_unkept.insert(m_waiting.begin(), m_waiting.end());
        m_waiting.clear();
    }
    if (m_sound) {
        m_sound->want(settings.keepsConversations && settings.recordsSound, settings.soundFormat);
    }
}

void ConversationKeeper::takeNews()
{
    for (std::string& itemId : m_recorder->takeNews()) {
        const TranscriptLine* line = m_recorder->find(itemId);
        if (line == nullptr || line->entry.heardText().empty()) {
            std::erase(m_waiting, itemId);
            if (m_kept.contains(itemId)) {
                m_dropping.insert(std::move(itemId));
                m_isDue = true;
            }
        } else if (!m_recorder->isPrivate(itemId) && !m_unkept.contains(itemId)) {
            std::erase(m_waiting, itemId);
            m_waiting.push_back(std::move(itemId));
            m_isDue = true;
        }
    }
}

void ConversationKeeper::saveWaiting(bool isLast)
{
    if (!isLast && (!m_isDue || m_deps.clock.now() < m_notBefore)) {
        return;
    }
    m_isDue = false;
    while (!m_dropping.empty()) {
        if (!change([this] { return m_deps.store.drop(m_id, *m_dropping.begin()); })) {
            return;
        }
        m_kept.erase(*m_dropping.begin());
        m_dropping.erase(m_dropping.begin());
    }
    for (std::size_t saved = 0; !m_waiting.empty() && (isLast || saved < kAtOnce); ++saved) {
        if (!save(m_waiting.front())) {
            return;
        }
        m_waiting.erase(m_waiting.begin());
    }
    m_isDue = !m_waiting.empty();
}

bool ConversationKeeper::save(const std::string& itemId)
{
    const TranscriptLine* line = m_recorder->find(itemId);
    if (line == nullptr) {
        // Taken back before it was kept.
        return true;
    }
    std::string next = m_recorder->settledAfter(itemId);
    while (!next.empty() && !m_kept.contains(next)) {
        next = m_recorder->settledAfter(next);
    }
    if (m_sound) {
        m_sound->look();
    }
    const std::optional<Milliseconds> soundStart = m_sound ? m_sound->startsAt() : std::nullopt;
    const ConversationHead head{m_id, m_recorder->startedAt(), m_recorder->model(), soundStart};
    if (!change([&] { return m_deps.store.put(head, *line, next); })) {
        return false;
    }
    m_soundStart = soundStart;
    m_kept.insert(itemId);
    return true;
}

bool ConversationKeeper::change(const std::function<Expected<void, Error>()>& work)
{
    const auto first = work();
    // It is told, and there is a whole file now: nothing has to wait for the next line, which may never come.
    return hasWorked(first) || (first.error().foreignCode == history_fault::kSetAside && hasWorked(work()));
}

bool ConversationKeeper::hasWorked(const Expected<void, Error>& result)
{
    if (!result) {
        m_notBefore = m_deps.clock.now() + kPause;
        if (!std::exchange(m_isFailing, true)) {
            m_deps.failed(result.error());
        }
    }
    m_isFailing = !result;
    return result.has_value();
}

} // namespace vivavoce::core
