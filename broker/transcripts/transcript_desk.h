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
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace vivavoce::broker::transcripts {

/// Takes down what is said and brings it to the store, a batch at a time, of all sessions in turn. Bounded: beyond `mostLines` and `mostBytes`
/// the oldest lines are lost of the session of which most waits, and of one session what comes beyond its own room; that is counted, told,
/// and written to the transcripts that are not whole any more.
/// Invariant: nothing is written of a conversation that may not be kept at that time, or whose transcript was deleted. What was told of a
/// session is written in that order.
/// Threads: [any thread]; `take` waits for nobody. Lifetime: database, clock and log outlive it.
class TranscriptDesk {
public:
    struct Settings {
        std::size_t mostLines = 20'000;
        std::size_t mostBytes = 16 * 1024 * 1024;
        /// More than is kept of one session at all.
        std::size_t mostLinesOfSession = 5'000;
        std::size_t mostBytesOfSession = 2 * 1024 * 1024;
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
        /// Asked of a session every `askEvery`; while nobody can tell, of one with each `tell`.
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
    /// What becomes of the words of a stream.
    enum class Words {
        Kept,
        /// They are not kept, and others of the session may be: its transcript has a gap.
        LeftOut,
        /// Of its session nothing is kept any more, or ever was: where there is a transcript it is not whole.
        Over
    };
    /// A stream begins. Of one that is kept the store has it until its end is there, too: whatever becomes of this process, a transcript does
    /// not say that it is whole where lines were still to come. Of one that is left out the store has it for good.
    void begin(std::shared_ptr<const Conversation> of, Words words);
    /// Of one that is kept, behind its last line.
    void end(std::shared_ptr<const Conversation> of);
    void take(std::shared_ptr<const Conversation> of, Line line);
    /// Writes what waits, some of it. One at a time.
    [[nodiscard]] net::Awaitable<> tell(Keeping keeping);
    /// Writes what waits, as far as the store takes it within `patience`; what is left is lost, and nothing waits any more. For the end.
    [[nodiscard]] net::Awaitable<> flush(Keeping keeping, core::Milliseconds patience);
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
    /// Of one session, in the order in which it was told.
    struct Queue {
        std::deque<Waiting> lines;
        std::size_t bytes = 0;
    };
    using Queues = std::map<std::string, Queue>;
    /// Lines were lost, which the transcript does not say yet.
    struct Torn {
        core::MonotonicTime since{};
        /// When it is tried again: there is no transcript yet that could say so.
        core::MonotonicTime next{};
        /// It is not tried again: where there is none now there will be none, or it will be known otherwise.
        bool isOnce = false;
    };
    /// What the store is not told yet of a stream beside its lines.
    struct Mark {
        bool hasBegun = false;
        bool hasEnded = false;
    };
    using Marks = std::map<std::shared_ptr<const Conversation>, Mark>;
    /// Refused: the store works, and it is these lines that it does not take.
    enum class Written { All, Again, Refused };

    [[nodiscard]] std::vector<Waiting> next();
    /// All: nothing has failed.
    [[nodiscard]] net::Awaitable<Written> tellSome(const Keeping& keeping, int mostFailures);
    [[nodiscard]] net::Awaitable<> tellAll(const Keeping& keeping);
    /// Leaves what may be written, and puts back what has to wait.
    [[nodiscard]] net::Awaitable<> keepPermitted(Taken& taken, const Keeping& keeping);
    [[nodiscard]] net::Awaitable<Written> write(const std::vector<Waiting>& lines, const std::vector<std::string>& torn,
        const Marks& marks, bool areProjectsInTable);
    /// Session by session: what is not taken takes nobody else along.
    [[nodiscard]] net::Awaitable<> writeApart(Taken& taken, bool areProjectsInTable);
    [[nodiscard]] net::Awaitable<> markTorn(std::vector<std::string> sessions);
    /// Sessions whose transcripts may be there by now, those of these lines among them.
    [[nodiscard]] std::vector<std::string> tornNow(const std::vector<Waiting>& lines);
    /// All but `missed` have it in their transcripts. Both are sorted.
    void settleTorn(const std::vector<std::string>& tried, const std::vector<std::string>& missed);
    /// Beginnings, and the ends of streams of which nothing waits, and nothing is lost that their transcripts do not say yet.
    [[nodiscard]] Marks marksNow();
    void settleMarks(const Marks& written);
    void putBack(std::vector<Waiting> lines);
    /// Nothing waits any more. The sessions that are torn.
    [[nodiscard]] std::vector<std::string> loseAll();
    void tellOfLoss();
    /// Lines, and beginnings and ends.
    [[nodiscard]] std::size_t left() const;
    // Under the lock.
    Waiting pop(Queues::iterator queue);
    void resize(Queues::iterator queue, std::size_t bytes);
    void dropBeyondRoom();
    void lose(const std::string& session);
    void tear(const std::string& session, bool isOnce = false);

    const Settings m_settings;
    const Dependencies m_deps;
    std::atomic<std::chrono::days::rep> m_kept;
    std::atomic<std::uint64_t> m_lost{0};
    mutable std::mutex m_mutex;
    core::WallTime m_lastBeginning{};
    /// None of them is empty.
    Queues m_queues;
    /// The same by their size.
    std::set<std::pair<std::size_t, std::string>> m_bySize;
    std::size_t m_count = 0;
    std::size_t m_bytes = 0;
    /// Whose turn it is comes after that session.
    std::string m_lastTaken;
    std::map<std::string, Torn> m_torn;
    Marks m_marks;
    // Of whoever tells.
    std::unordered_map<std::string, Answer> m_answers;
    int m_failures = 0;
    std::uint64_t m_lostTold = 0;
};

} // namespace vivavoce::broker::transcripts
