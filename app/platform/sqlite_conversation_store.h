#pragma once

#include "app/platform/sound_folder.h"
#include "app/platform/sqlite_file.h"
#include "core/ports/conversation_store.h"

#include <QString>

#include <functional>
#include <optional>

namespace vivavoce::platform {

/// Conversations in an SQLite file, with an index of their words (FTS5). The file is made when something is first put. Their
/// sound lies beside it, in a folder of its own.
/// Invariant: a conversation that is removed is overwritten, in the file, its index and its log; where another program reads the log, `remove`
/// says that it is not yet, and each later change tries again, without waiting. A line that is dropped or put anew leaves its
/// words in the index and the log until they are merged by themselves, or by the next removal.
/// Threads: the thread that made it.
class SqliteConversationStore final : public core::ConversationStore {
public:
    /// `folder` is ours alone.
    explicit SqliteConversationStore(QString folder);
    ~SqliteConversationStore() override;
    SqliteConversationStore(const SqliteConversationStore&) = delete;
    SqliteConversationStore& operator=(const SqliteConversationStore&) = delete;

    /// What is damaged is set aside before the first is put; where it is now. Nothing: it is whole, is not there, or stays where it is.
    [[nodiscard]] std::optional<QString> keepDamaged();
    /// Where this user's conversations are: "…/vivavoce/conversations".
    [[nodiscard]] static QString defaultFolder();

    core::Expected<void, core::Error> put(
        const core::ConversationHead& head, const core::TranscriptLine& line, std::string_view nextItemId) override;
    core::Expected<void, core::Error> drop(const std::string& id, const std::string& itemId) override;
    [[nodiscard]] core::Expected<std::vector<core::SavedConversation>, core::Error> find(
        const std::string& words) override;
    [[nodiscard]] core::Expected<core::Transcript, core::Error> open(const std::string& id) override;
    [[nodiscard]] bool isEmpty() override;
    core::Expected<void, core::Error> remove(const std::string& id) override;
    core::Expected<void, core::Error> removeAll() override;
    core::Expected<std::string, core::Error> makeSound(const std::string& id, core::SoundFormat format) override;
    [[nodiscard]] bool hasSound(const std::string& id) override;
    [[nodiscard]] std::optional<core::SavedSound> sound(const std::string& id) override;
    void keepSound(const std::string& id) override;
    core::Expected<void, core::Error> dropSound(const std::string& id) override;
    void dropLostSound() override;

private:
    /// What is damaged so that nothing more can be kept there is set aside.
    core::Expected<void, core::Error> changeOrSetAside(const std::function<void(SqliteConnection&)>& work);
    /// One transaction.
    core::Expected<void, core::Error> change(const std::function<void(SqliteConnection&)>& work);
    core::Expected<void, core::Error> cutLog(bool mayWait);

    SoundFolder m_sounds;
    SqliteFile m_file;
    /// It may hold words that were removed.
    bool m_isLogToBeCut = false;
};

} // namespace vivavoce::platform
