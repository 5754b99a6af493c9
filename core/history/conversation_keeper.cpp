#include "core/history/conversation_keeper.h"

#include "core/base/random_id.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core {

ConversationKeeper::ConversationKeeper(Dependencies dependencies) : m_deps(std::move(dependencies))
{
    m_deps.conversation.add(*this);
}

ConversationKeeper::~ConversationKeeper()
{
    m_deps.conversation.remove(*this);
    if (m_recorder) {
        m_recorder->close();
        takeNews();
        saveWaiting();
    }
}

void ConversationKeeper::conversationTold(const SessionNotice& notice)
{
    if (m_isOver) {
        const auto* changed = std::get_if<session_notice::PhaseChanged>(&notice);
        if (changed != nullptr && changed->phase != Phase::Idle && changed->phase != Phase::Ended) {
            m_recorder.emplace(m_deps.clock);
            m_id = randomId();
            m_isOver = false;
            m_isFailing = false;
            m_kept.clear();
            m_unkept.clear();
            m_waiting.clear();
        }
    }
    if (!m_recorder) {
        return;
    }
    m_recorder->told(notice);
    if (const auto* removed = std::get_if<session_notice::TranscriptRemoved>(&notice);
        removed != nullptr && m_kept.contains(removed->itemId) && hasWorked(m_deps.store.drop(m_id, removed->itemId))) {
        m_kept.erase(removed->itemId);
    }
    takeNews();
    saveWaiting();
    m_isOver = m_isOver || std::holds_alternative<session_notice::Ended>(notice);
}

void ConversationKeeper::takeNews()
{
    for (std::string& itemId : m_recorder->takeNews()) {
        if (!m_deps.settings.current().keepsConversations) {
            m_unkept.insert(std::move(itemId));
        } else if (!m_unkept.contains(itemId)
            && std::find(m_waiting.begin(), m_waiting.end(), itemId) == m_waiting.end()) {
            m_waiting.push_back(std::move(itemId));
        }
    }
    if (!m_deps.settings.current().keepsConversations) {
        m_unkept.insert(m_waiting.begin(), m_waiting.end());
        m_waiting.clear();
    }
}

void ConversationKeeper::saveWaiting()
{
    while (!m_waiting.empty() && save(m_waiting.front())) {
        m_waiting.erase(m_waiting.begin());
    }
}

bool ConversationKeeper::save(const std::string& itemId)
{
    const TranscriptLine* line = m_recorder->find(itemId);
    const bool hasWords = line != nullptr && !line->entry.heardText().empty();
    if (!hasWords) {
        return !m_kept.contains(itemId) || (hasWorked(m_deps.store.drop(m_id, itemId)) && m_kept.erase(itemId) > 0);
    }
    std::string next = m_recorder->settledAfter(itemId);
    while (!next.empty() && !m_kept.contains(next)) {
        next = m_recorder->settledAfter(next);
    }
    if (!hasWorked(m_deps.store.put({m_id, m_recorder->startedAt(), m_recorder->model()}, *line, next))) {
        return false;
    }
    m_kept.insert(itemId);
    return true;
}

bool ConversationKeeper::hasWorked(const Expected<void, Error>& result)
{
    if (!result && !std::exchange(m_isFailing, true)) {
        m_deps.failed(result.error());
    }
    m_isFailing = !result;
    return result.has_value();
}

} // namespace vivavoce::core
