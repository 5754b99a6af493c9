#pragma once

#include <QStringList>

#include <vector>

namespace vivavoce::tests {

class MarkerSearch;

/// Every file that is written from now on, by whomever and wherever it lies, also one that is gone again. Linux' fanotify, which is root's.
class WrittenFiles {
public:
    WrittenFiles();
    ~WrittenFiles();
    WrittenFiles(const WrittenFiles&) = delete;
    WrittenFiles& operator=(const WrittenFiles&) = delete;

    /// False: we may not.
    [[nodiscard]] bool isWatching() const { return m_events >= 0; }
    /// Secrets in what these processes have written and closed since the last call. Nothing where we may not watch.
    [[nodiscard]] QStringList findIn(const std::vector<qint64>& processes, const MarkerSearch& search);

private:
    int m_events = -1;
};

} // namespace vivavoce::tests
