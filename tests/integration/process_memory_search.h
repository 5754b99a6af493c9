#pragma once

#include <QString>
#include <QStringList>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// A stretch of another process's memory.
struct MemoryPiece {
    std::uint64_t begin = 0;
    /// "[heap]", "[stack]", a file; empty: of nobody's name.
    std::string name;
    /// Left out of core dumps: the pages of core::Secret.
    bool isOfSecrets = false;
    std::string bytes;
};

/// All that the process could have written to; empty where we may not look.
[[nodiscard]] std::vector<MemoryPiece> memoryOf(qint64 pid);
/// What lies in its pages of secrets.
[[nodiscard]] std::vector<std::string> secretsIn(const std::vector<MemoryPiece>& memory);

/// Looks for secrets in memory: as programs write text (MarkerSearch::formsOf), and each of those in UTF-16.
class ProcessMemorySearch {
public:
    /// What is found, as what, and the bytes that are looked for.
    struct Needle {
        QString what;
        std::string bytes;
    };
    struct Hit {
        QString what;
        bool isInSecret = false;
        /// The bytes before it and behind it, for a reader.
        std::string before;
        QString where;
    };

    void add(const QString& name, const std::string& secret);
    [[nodiscard]] const std::vector<Needle>& needles() const { return m_needles; }
    [[nodiscard]] std::vector<Hit> findIn(const std::vector<MemoryPiece>& memory) const;
    /// Of all, or of what is not in Secret's pages: one line each.
    [[nodiscard]] static QStringList told(const std::vector<Hit>& hits);
    [[nodiscard]] static std::vector<Hit> outsideSecrets(std::vector<Hit> hits);

private:
    std::vector<Needle> m_needles;
};

/// Stops a process at its very end: everything has been torn down, and its memory is still there. Linux' PTRACE_EVENT_EXIT.
/// Threads: one thread for all of it.
class LastBreath {
public:
    explicit LastBreath(qint64 pid);
    /// Lets it end.
    ~LastBreath();
    LastBreath(const LastBreath&) = delete;
    LastBreath& operator=(const LastBreath&) = delete;

    [[nodiscard]] bool isAttached() const { return m_isAttached; }
    /// To be asked again and again: signals on their way go through here.
    [[nodiscard]] bool hasCome();
    /// Runs the event loop until it is there.
    [[nodiscard]] bool waitFor(int milliseconds);

private:
    int m_pid;
    bool m_isAttached = false;
    bool m_isThere = false;
};

} // namespace vivavoce::tests
