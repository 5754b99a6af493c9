#pragma once

#include "core/history/sound_keeper.h"
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

/// Keeps what is said, line by line as lines are settled, where the user wants that, and its sound where they want that too. Nothing of
/// what was begun while they did not is ever kept. What cannot be kept, or taken back, is tried again with the next line, some seconds
/// later at the earliest, and at the conversation's end; the conversation does not notice.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it, and the settings are not changed after it; at its end it
/// keeps what is open.
class ConversationKeeper final : private ConversationListener {
public:
    struct Dependencies {
        Conversation& conversation;
        ConversationStore& store;
        LiveSettings& settings;
        const Clock& clock;
        /// Once for each time that keeping begins to fail.
        std::function<void(const Error&)> failed;
        /// Null: sound is never kept.
        SoundRecorder* recorder = nullptr;
        /// The sound is being recorded, or is not any more.
        std::function<void(bool)> recordingChanged = {};
    };

    explicit ConversationKeeper(Dependencies dependencies);
    ~ConversationKeeper() override;
    ConversationKeeper(const ConversationKeeper&) = delete;
    ConversationKeeper& operator=(const ConversationKeeper&) = delete;

private:
    void conversationTold(const SessionNotice& notice) override;
    void begin();
    void follow(const Settings& settings);
    void takeNews();
    void endSound();
    /// Not while it is too soon after a failure, unless it is the last time.
    void saveWaiting(bool isLast);
    /// False: it could not be kept.
    [[nodiscard]] bool save(const std::string& itemId);
    /// Once more where what was damaged has been set aside.
    [[nodiscard]] bool change(const std::function<Expected<void, Error>()>& work);
    [[nodiscard]] bool hasWorked(const Expected<void, Error>& result);

    Dependencies m_deps;
    std::optional<SoundKeeper> m_sound;
    /// As it was kept with a line.
    std::optional<Milliseconds> m_soundStart;
    std::optional<TranscriptRecorder> m_recorder;
    std::string m_id;
    bool m_isOver = true;
    bool m_isFailing = false;
    /// After the last failure.
    MonotonicTime m_notBefore{};
    /// Something has come that was not tried yet.
    bool m_isDue = false;
    std::set<std::string> m_kept;
    /// They waited when keeping was turned off.
    std::set<std::string> m_unkept;
    std::vector<std::string> m_waiting;
    /// Kept, and taken back.
    std::set<std::string> m_dropping;
};

} // namespace vivavoce::core
