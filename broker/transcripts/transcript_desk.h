#pragma once

#include "broker/log.h"
#include "broker/store/database.h"
#include "broker/transcripts/line.h"
#include "core/base/clock.h"
#include "core/base/units.h"
#include "net/awaitable.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker::transcripts {

/// Takes down what is said and brings it to the store, a batch at a time. Bounded: beyond `mostLines` and `mostBytes` the oldest lines are
/// lost, which is counted, told, and written to the transcripts that are not whole any more.
/// Invariant: nothing is written of a conversation that may not be kept at that time, or whose transcript was deleted.
/// Threads: [any thread]; `take` waits for nobody. Lifetime: database, clock and log outlive it.
class TranscriptDesk {
public:
    struct Settings {
        std::size_t mostLines = 20'000;
        std::size_t mostBytes = 16 * 1024 * 1024;
        /// An answer of whether something may be kept is asked for again after so long.
        core::Milliseconds askEvery{10'000};
    };
    struct Dependencies {
        Database& database;
        const core::Clock& clock;
        Log& log;
    };
    /// What is known of whether a conversation may be kept. Unknown: nobody can tell now.
    enum class Leave { Yes, No, Unknown };
    struct Keeping {
        /// Asked of a conversation every `askEvery`.
        std::function<net::Awaitable<Leave>(std::shared_ptr<const Conversation>)> mayKeep;
        /// Projects are kept in the database, and one that is gone keeps nothing.
        bool areProjectsInTable = false;
    };

    TranscriptDesk(Settings settings, std::chrono::days kept, Dependencies dependencies);

    /// For how many days what is said is kept at most.
    [[nodiscard]] std::chrono::days kept() const { return std::chrono::days(m_kept.load()); }
    void setKept(std::chrono::days kept) { m_kept = kept.count(); }

    /// When a stream begins, as its conversation has it: no two at the same time.
    [[nodiscard]] core::WallTime nextBeginning();
    void take(std::shared_ptr<const Conversation> of, Line line);
    /// Writes what waits, some of it. One at a time.
    [[nodiscard]] net::Awaitable<> tell(Keeping keeping);
    /// Writes what waits, as far as the store takes it. For the end.
    [[nodiscard]] net::Awaitable<> flush(Keeping keeping);
    /// Deletes what is to be kept no longer, some of it; called often.
    [[nodiscard]] net::Awaitable<> forget();

    /// Lines that the store has not taken yet.
    [[nodiscard]] std::size_t waiting() const;
    /// Lines that found no room, or no store; since the start.
    [[nodiscard]] std::uint64_t lost() const { return m_lost; }

private:
    struct Waiting {
        std::shared_ptr<const Conversation> of;
        Line line;
    };
    /// What is on its way; whoever gives up leaves it to the next one.
    class Taken;
    /// What is written together, by session.
    struct Batch {
        std::shared_ptr<const Conversation> of;
        std::vector<Line> lines;
    };
    struct Answer {
        Leave leave = Leave::Unknown;
        core::MonotonicTime at{};
    };
    enum class Written { All, Again, Never };

    [[nodiscard]] std::vector<Waiting> next();
    /// Leaves what may be written, and puts back what has to wait.
    [[nodiscard]] net::Awaitable<> keepPermitted(Taken& taken, const Keeping& keeping);
    [[nodiscard]] net::Awaitable<Leave> leaveOf(std::shared_ptr<const Conversation> of, const Keeping& keeping);
    [[nodiscard]] net::Awaitable<Written> write(
        const std::vector<Waiting>& lines, std::vector<std::string> torn, bool areProjectsInTable);
    void putBack(std::vector<Waiting> lines);
    /// Under the lock.
    void dropBeyondRoom();
    void lose(const Waiting& line);

    const Settings m_settings;
    const Dependencies m_deps;
    std::atomic<std::chrono::days::rep> m_kept;
    std::atomic<std::uint64_t> m_lost{0};
    mutable std::mutex m_mutex;
    core::WallTime m_lastBeginning{};
    std::deque<Waiting> m_waiting;
    std::size_t m_bytes = 0;
    /// Sessions of which lines were lost, which their transcripts do not say yet.
    std::set<std::string> m_torn;
    // Of whoever tells.
    std::unordered_map<std::string, Answer> m_answers;
    int m_failures = 0;
    std::uint64_t m_lostTold = 0;
};

} // namespace vivavoce::broker::transcripts
