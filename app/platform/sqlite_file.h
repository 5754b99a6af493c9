#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <QString>
#include <QStringList>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace vivavoce::platform {

class SqliteConnection;
struct SqliteFault;

/// One of our own files of SQLite: of mode 0600, in a folder of mode 0700, with a write-ahead log and `synchronous=FULL`. It is opened when it is
/// first needed, and made where that is asked for; after a fault it is opened anew.
/// Invariant: what `change` has done is on the disk when it returns, or nothing of it is.
/// Threads: the thread that made it.
class SqliteFile {
public:
    /// One step a version: what a file of the version before lacks. They stay as they are.
    using Steps = std::vector<QStringList>;

    /// `folder` is ours alone. `steps` outlive it.
    SqliteFile(QString folder, const QString& name, const Steps& steps);
    ~SqliteFile();
    SqliteFile(const SqliteFile&) = delete;
    SqliteFile& operator=(const SqliteFile&) = delete;

    /// What another program has put in its place meanwhile is what is read and written from then on.
    [[nodiscard]] bool isThere();
    /// Where it is not there yet.
    core::Expected<void, core::Error> make();
    /// `work` may throw SqliteFault, which becomes HistoryFailed. The file has to be there.
    core::Expected<void, core::Error> read(const std::function<void(SqliteConnection&)>& work);
    /// The same as one transaction.
    core::Expected<void, core::Error> change(const std::function<void(SqliteConnection&)>& work);
    /// With its log and all that was set aside, also where nothing can be read any more.
    core::Expected<void, core::Error> remove();
    /// Whether the last call has failed for that.
    [[nodiscard]] bool isDamaged() const { return m_isDamaged; }
    /// It lies beside itself under another name, with its log: there it is now. Nothing: it cannot be moved.
    [[nodiscard]] std::optional<QString> setAside();
    [[nodiscard]] bool hasAside() const;
    [[nodiscard]] core::Unexpected<core::Error> failed(const QString& why) const;

private:
    /// Opened and brought to the newest shape.
    [[nodiscard]] core::Expected<SqliteConnection*, core::Error> ready();
    core::Expected<void, core::Error> attempt(const std::function<void(SqliteConnection&)>& work);
    [[nodiscard]] core::Unexpected<core::Error> failed(const SqliteFault& fault);
    /// With their logs.
    [[nodiscard]] QStringList asides() const;

    QString m_folder;
    QString m_file;
    const Steps& m_steps;
    std::unique_ptr<SqliteConnection> m_connection;
    /// What the connection is to: its name alone may be another one's by now.
    std::pair<quint64, quint64> m_opened;
    bool m_isDamaged = false;
};

} // namespace vivavoce::platform
