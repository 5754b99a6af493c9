#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/settings/settings.h"

#include <QString>
#include <QStringList>

#include <map>
#include <memory>

class QLockFile;

namespace vivavoce::platform {

/// The sound of kept conversations: a file of mode 0600 each, called as the conversation with the ending of its format, in a folder of mode 0700.
/// Until something of the conversation is kept, a mark lies beside it, and a lock as long as the program runs: so another one, and the next start,
/// know what a crash has left.
/// Invariant: what has no mark goes only where it is named, or all are.
/// Threads: the thread that made it.
class SoundFolder {
public:
    /// `folder` is ours alone; what it lies in too, and is made where it is not there.
    explicit SoundFolder(QString folder);
    ~SoundFolder();
    SoundFolder(const SoundFolder&) = delete;
    SoundFolder& operator=(const SoundFolder&) = delete;

    /// A new, empty file, with its mark; its path. RecordingFailed.
    [[nodiscard]] core::Expected<QString, core::Error> make(const QString& id, core::SoundFormat format);
    /// It has no mark any more.
    void keep(const QString& id);
    /// Its path; empty: there is none.
    [[nodiscard]] QString find(const QString& id) const;
    /// Whether there is none any more. HistoryFailed.
    core::Expected<void, core::Error> remove(const QString& id);
    core::Expected<void, core::Error> removeAll();
    /// Whether there is one beside those that we have just made.
    [[nodiscard]] bool hasOthers() const;
    /// The marked ones that nobody is making. Until they are kept, removed or let go no other program takes them.
    [[nodiscard]] QStringList takeLost();
    void letGo(const QString& id);

private:
    [[nodiscard]] QString pathOf(const QString& id, core::SoundFormat format) const;
    [[nodiscard]] QString markOf(const QString& id) const;
    [[nodiscard]] bool lock(const QString& id);
    /// Of all that are there.
    [[nodiscard]] QStringList ids() const;

    QString m_folder;
    std::map<QString, std::unique_ptr<QLockFile>> m_locks;
};

} // namespace vivavoce::platform
