#pragma once

#include "core/history/transcript_recorder.h"
#include "core/ports/conversation.h"
#include "core/ports/conversation_store.h"
#include "core/settings/live_settings.h"

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace vivavoce::core {

/// Keeps what is said, line by line as lines are settled, where the user wants that. Nothing of what was said while they did not is
/// ever kept. A line that cannot be kept is tried again with the next one; the conversation does not notice.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it; at its end it keeps what is open.
class ConversationKeeper final : private ConversationListener {
public:
    struct Dependencies {
        Conversation& conversation;
        ConversationStore& store;
        const LiveSettings& settings;
        const Clock& clock;
        /// Once for each time that keeping begins to fail.
        std::function<void(const Error&)> failed;
    };

    explicit ConversationKeeper(Dependencies dependencies);
    ~ConversationKeeper() override;
    ConversationKeeper(const ConversationKeeper&) = delete;
    ConversationKeeper& operator=(const ConversationKeeper&) = delete;

private:
    void conversationTold(const SessionNotice& notice) override;
    void takeNews();
    void saveWaiting();
    /// False: it could not be kept.
    [[nodiscard]] bool save(const std::string& itemId);
    [[nodiscard]] bool hasWorked(const Expected<void, Error>& result);

    Dependencies m_deps;
    std::optional<TranscriptRecorder> m_recorder;
    std::string m_id;
    bool m_isOver = true;
    bool m_isFailing = false;
    std::set<std::string> m_kept;
    /// Said while nothing was to be kept.
    std::set<std::string> m_unkept;
    std::vector<std::string> m_waiting;
};

} // namespace vivavoce::core
