#pragma once

#include "app/platform/sqlite_file.h"
#include "core/ports/usage_book.h"

#include <QString>

namespace vivavoce::platform {

/// What was used, in an SQLite file: a row a part, so that a sum is made of what was told and of nothing else. The file is made when something is
/// first put. What is older than 400 days is forgotten once seven days are newer than that: a clock that is wrong for less takes nothing away.
/// Several programs may write at once.
/// Threads: the thread that made it.
class SqliteUsageBook final : public core::UsageBook {
public:
    /// `folder` is ours alone.
    explicit SqliteUsageBook(QString folder);

    /// Where this user's book is: "…/vivavoce/usage".
    [[nodiscard]] static QString defaultFolder();

    core::Expected<void, core::Error> put(const std::vector<core::UsageRecord>& records) override;
    [[nodiscard]] core::Expected<std::vector<core::UsageSum>, core::Error> sums(const core::UsageQuery& query) override;
    core::Expected<void, core::Error> clear() override;

private:
    SqliteFile m_file;
    /// On which day this run has last looked for what is too old.
    QString m_forgotten;
};

} // namespace vivavoce::platform
