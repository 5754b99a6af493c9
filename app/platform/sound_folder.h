#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/settings/settings.h"

#include <QString>
#include <QStringList>

#include <string>

namespace vivavoce::platform {

/// The sound of kept conversations: a file of mode 0600 each, called as the conversation with the ending of its format, in a folder of mode 0700.
/// Threads: the thread that made it.
class SoundFolder {
public:
    /// `folder` is ours alone; what it lies in too, and is made where it is not there.
    explicit SoundFolder(QString folder) : m_folder(std::move(folder)) {}

    /// A new, empty file; its path. RecordingFailed.
    [[nodiscard]] core::Expected<QString, core::Error> make(const QString& id, core::SoundFormat format) const;
    /// Its path; empty: there is none.
    [[nodiscard]] QString find(const QString& id) const;
    /// Whether there is none any more. HistoryFailed.
    core::Expected<void, core::Error> remove(const QString& id) const;
    core::Expected<void, core::Error> removeAll() const;
    /// Of all that are there.
    [[nodiscard]] QStringList ids() const;

private:
    [[nodiscard]] QString pathOf(const QString& id, core::SoundFormat format) const;

    QString m_folder;
};

} // namespace vivavoce::platform
