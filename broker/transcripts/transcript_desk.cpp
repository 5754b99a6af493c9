#include "broker/transcripts/transcript_desk.h"

#include "broker/store/connection.h"
#include "broker/transcripts/internal/transcript_rows.h"
#include "net/timer.h"

#include <nlohmann/json.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace vivavoce::broker::transcripts {
namespace {

using namespace boost::asio::experimental::awaitable_operators;

constexpr std::size_t kAtOnce = 500;
constexpr std::size_t kMostTorn = 10'000;
constexpr std::size_t kTornAtOnce = 200;
/// A session lasts a day at most.
constexpr std::chrono::hours kTornKept{24};
/// A store that works and does not take it so often never will: it would keep all others from being written.
constexpr int kMostFailures = 5;
/// Work that fails later than that has waited for somebody: the store has too much to do, and would take it.
constexpr std::chrono::milliseconds kPrompt{2'000};
/// So long answers are waited for with one telling.
constexpr core::Milliseconds kAskFor{2'000};
/// At the end: so often nothing of what waits may be written yet.
constexpr std::size_t kMostIdle = 100;
/// What a line takes beside its text.
constexpr std::size_t kOverhead = 128;

std::size_t sizeOf(const Line& line)
{
    return line.text.size() + kOverhead;
}

} // namespace

class TranscriptDesk::Taken {
public:
    explicit Taken(TranscriptDesk& desk) : lines(desk.next()), m_desk(desk) {}
    /// Also where it is cancelled: what was written after all is the same when it is written again.
    ~Taken() { leave(); }
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    void leave() { m_desk.putBack(std::exchange(lines, {})); }

    std::vector<Waiting> lines;

private:
    TranscriptDesk& m_desk;
};

TranscriptDesk::TranscriptDesk(Settings settings, std::chrono::days kept, Dependencies dependencies)
    : m_settings(settings), m_deps(dependencies), m_kept(kept.count())
{
}

core::WallTime TranscriptDesk::nextBeginning()
{
    const std::lock_guard lock(m_mutex);
    const core::WallTime now = std::chrono::floor<core::Milliseconds>(m_deps.clock.wallNow());
    m_lastBeginning = std::max(now, m_lastBeginning + core::Milliseconds(1));
    return m_lastBeginning;
}

void TranscriptDesk::begin(std::shared_ptr<const Conversation> of, Words words)
{
    const std::lock_guard lock(m_mutex);
    if (words != Words::Kept) {
        tear(of->session, true);
    }
    if (words != Words::Over) {
        m_marks[std::move(of)].hasBegun = true;
    }
}

void TranscriptDesk::end(std::shared_ptr<const Conversation> of)
{
    const std::lock_guard lock(m_mutex);
    m_marks[std::move(of)].hasEnded = true;
}

void TranscriptDesk::take(std::shared_ptr<const Conversation> of, Line line)
{
    const std::lock_guard lock(m_mutex);
    if (line.text.empty()) {
        if (line.isCut) {
            lose(of->session);
        }
        return;
    }
    const auto found = m_queues.find(of->session);
    const bool isFull = found != m_queues.end()
        && (found->second.lines.size() >= m_settings.mostLinesOfSession
            || found->second.bytes + sizeOf(line) > m_settings.mostBytesOfSession);
    if (isFull) {
        lose(of->session);
        return;
    }
    const auto queue = m_queues.try_emplace(of->session).first;
    const std::size_t bytes = queue->second.bytes + sizeOf(line);
    queue->second.lines.push_back({std::move(of), std::move(line)});
    ++m_count;
    resize(queue, bytes);
    dropBeyondRoom();
}

TranscriptDesk::Waiting TranscriptDesk::pop(Queues::iterator queue)
{
    Waiting first = std::move(queue->second.lines.front());
    queue->second.lines.pop_front();
    --m_count;
    resize(queue, queue->second.bytes - sizeOf(first.line));
    return first;
}

void TranscriptDesk::resize(Queues::iterator queue, std::size_t bytes)
{
    m_bySize.erase(std::pair(queue->second.bytes, queue->first));
    m_bytes = m_bytes - queue->second.bytes + bytes;
    queue->second.bytes = bytes;
    if (queue->second.lines.empty()) {
        m_queues.erase(queue);
    } else {
        m_bySize.emplace(bytes, queue->first);
    }
}

void TranscriptDesk::dropBeyondRoom()
{
    while (m_count > 0 && (m_count > m_settings.mostLines || m_bytes > m_settings.mostBytes)) {
        // Whoever says much pays for it, and nobody else.
        const auto largest = m_queues.find(m_bySize.rbegin()->second);
        lose(largest->first);
        static_cast<void>(pop(largest));
    }
}

void TranscriptDesk::lose(const std::string& session)
{
    ++m_lost;
    tear(session);
}

void TranscriptDesk::tear(const std::string& session, bool isOnce)
{
    if (m_torn.size() < kMostTorn) {
        const auto torn = m_torn.try_emplace(session, Torn{m_deps.clock.now(), {}, isOnce}).first;
        torn->second.isOnce = torn->second.isOnce && isOnce;
    }
}

std::vector<TranscriptDesk::Waiting> TranscriptDesk::next()
{
    const std::lock_guard lock(m_mutex);
    std::vector<Waiting> lines;
    auto queue = m_queues.upper_bound(m_lastTaken);
    for (std::size_t left = m_queues.size(); left > 0 && lines.size() < kAtOnce; --left) {
        queue = queue == m_queues.end() ? m_queues.begin() : queue;
        const auto taken = queue++;
        m_lastTaken = taken->first;
        // With the last one it is gone.
        for (std::size_t some = std::min(taken->second.lines.size(), kAtOnce - lines.size()); some > 0; --some) {
            lines.push_back(pop(taken));
        }
    }
    return lines;
}

void TranscriptDesk::putBack(std::vector<Waiting> lines)
{
    const std::lock_guard lock(m_mutex);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        const auto queue = m_queues.try_emplace(line->of->session).first;
        const std::size_t bytes = queue->second.bytes + sizeOf(line->line);
        queue->second.lines.push_front(std::move(*line));
        ++m_count;
        resize(queue, bytes);
    }
    dropBeyondRoom();
}

net::Awaitable<> TranscriptDesk::keepPermitted(Taken& taken, const Keeping& keeping)
{
    const core::MonotonicTime now = m_deps.clock.now();
    std::erase_if(m_answers, [&](const auto& entry) { return now - entry.second.at >= m_settings.askEvery; });
    // One of each session: what it told first may not be written after what it told later.
    std::map<std::string, Leave> leaves;
    bool isAsking = true;
    for (std::size_t i = 0; i < taken.lines.size(); ++i) {
        const std::shared_ptr<const Conversation> of = taken.lines[i].of;
        if (leaves.contains(of->session)) {
            continue;
        }
        const auto known = m_answers.find(of->session);
        Leave leave = known == m_answers.end() ? Leave::Unknown : known->second.leave;
        if (known == m_answers.end() && isAsking) {
            auto answer = keeping.mayKeep(of);
            leave = co_await std::move(answer);
            isAsking = m_deps.clock.now() - now < kAskFor;
            if (leave == Leave::Unknown) {
                // Each of the others may take seconds, too. The next time they are asked for first.
                isAsking = false;
                const std::lock_guard lock(m_mutex);
                m_lastTaken = of->session;
            } else {
                m_answers.try_emplace(of->session, Answer{leave, now});
            }
        }
        leaves.emplace(of->session, leave);
    }
    std::vector<Waiting> may;
    std::vector<Waiting> later;
    for (Waiting& line : taken.lines) {
        const Leave leave = leaves[line.of->session];
        if (leave != Leave::No) {
            (leave == Leave::Yes ? may : later).push_back(std::move(line));
        }
    }
    {
        // What they said is not told, and that something is missing is.
        const std::lock_guard lock(m_mutex);
        for (const auto& [session, leave] : leaves) {
            if (leave == Leave::No) {
                tear(session);
            }
        }
    }
    taken.lines = std::move(may);
    putBack(std::move(later));
}

net::Awaitable<TranscriptDesk::Written> TranscriptDesk::write(const std::vector<Waiting>& lines,
    const std::vector<std::string>& torn, const Marks& marks, bool areProjectsInTable)
{
    // One order for everybody who writes several at once: no two wait for each other. Of one stream, in the order in which it was told.
    const auto orderOf = [](const Batch& batch) { return std::tie(batch.of->session, batch.of->begun); };
    std::vector<Batch> batches;
    for (const Waiting& line : lines) {
        auto found =
            std::find_if(batches.begin(), batches.end(), [&](const Batch& batch) { return batch.of == line.of; });
        if (found == batches.end()) {
            found = batches.insert(batches.end(), Batch{line.of, {}});
        }
        found->lines.push_back(line.line);
    }
    std::sort(batches.begin(), batches.end(),
        [&](const Batch& one, const Batch& other) { return orderOf(one) < orderOf(other); });
    using Missed = std::vector<std::string>;
    const auto isRefused = std::make_shared<std::atomic<bool>>(false);
    std::function<Missed(Connection&)> work = [batches = std::move(batches), torn, marks, isRefused,
                                                  projects = areProjectsInTable ? rows::Projects::InTable
                                                                                : rows::Projects::Anywhere,
                                                  now = m_deps.clock.wallNow()](Connection& sql) {
        const auto since = std::chrono::steady_clock::now();
        try {
            for (const Batch& batch : batches) {
                rows::write(sql, *batch.of, batch.lines, projects, now);
            }
            Missed missed;
            std::copy_if(torn.begin(), torn.end(), std::back_inserter(missed),
                [&](const std::string& session) { return !rows::markTorn(sql, session); });
            for (const auto& [of, mark] : marks) {
                if (mark.hasBegun && !mark.hasEnded) {
                    rows::noteBeginning(sql, *of);
                }
                if (mark.hasEnded) {
                    rows::noteEnd(sql, *of);
                }
            }
            return missed;
        } catch (...) {
            *isRefused = std::chrono::steady_clock::now() - since < kPrompt;
            throw;
        }
    };
    const auto written = co_await m_deps.database.run<Missed>(std::move(work));
    if (written) {
        settleTorn(torn, *written);
        settleMarks(marks);
        co_return Written::All;
    }
    m_deps.log.write(LogLevel::Error, "transcripts.not_written",
        {{"reason", written.error().reason}, {"lines", lines.size()}, {"waiting", waiting()}});
    co_return *isRefused&& m_deps.database.isWorking() ? Written::Refused : Written::Again;
}

net::Awaitable<> TranscriptDesk::writeApart(Taken& taken, bool areProjectsInTable)
{
    const std::vector<std::string> noneTorn;
    const Marks noMarks;
    bool goesOn = true;
    while (goesOn && !taken.lines.empty()) {
        const std::string session = taken.lines.front().of->session;
        const auto isIts = [&](const Waiting& line) { return line.of->session == session; };
        std::vector<Waiting> own;
        std::copy_if(taken.lines.begin(), taken.lines.end(), std::back_inserter(own), isIts);
        const auto written = co_await write(own, noneTorn, noMarks, areProjectsInTable);
        goesOn = written != Written::Again;
        if (goesOn) {
            std::erase_if(taken.lines, isIts);
        }
        if (written == Written::Refused) {
            const std::lock_guard lock(m_mutex);
            std::for_each(own.begin(), own.end(), [&](const Waiting&) { lose(session); });
        }
    }
}

std::vector<std::string> TranscriptDesk::tornNow(const std::vector<Waiting>& lines)
{
    const core::MonotonicTime now = m_deps.clock.now();
    std::set<std::string> torn;
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_torn, [&](const auto& one) { return now - one.second.since >= kTornKept; });
    for (const Waiting& line : lines) {
        if (m_torn.contains(line.of->session)) {
            torn.insert(line.of->session);
        }
    }
    const std::size_t most = torn.size() + kTornAtOnce;
    for (auto one = m_torn.begin(); one != m_torn.end() && torn.size() < most; ++one) {
        if (one->second.next <= now) {
            torn.insert(one->first);
        }
    }
    return {torn.begin(), torn.end()};
}

void TranscriptDesk::settleTorn(const std::vector<std::string>& tried, const std::vector<std::string>& missed)
{
    const core::MonotonicTime next = m_deps.clock.now() + m_settings.askEvery;
    const std::lock_guard lock(m_mutex);
    for (const std::string& session : tried) {
        const auto torn = m_torn.find(session);
        if (torn == m_torn.end()) {
            continue;
        }
        const bool isMissed = std::binary_search(missed.begin(), missed.end(), session);
        if (isMissed && !torn->second.isOnce) {
            // Its transcript may begin later.
            torn->second.next = next;
        } else {
            m_torn.erase(torn);
        }
    }
}

TranscriptDesk::Marks TranscriptDesk::marksNow()
{
    Marks marks;
    const std::lock_guard lock(m_mutex);
    for (auto one = m_marks.begin(); one != m_marks.end() && marks.size() < kAtOnce; ++one) {
        const auto& [of, mark] = *one;
        const bool isOver = mark.hasEnded && !m_queues.contains(of->session) && !m_torn.contains(of->session);
        if (mark.hasBegun || isOver) {
            marks.emplace(of, Mark{mark.hasBegun, isOver});
        }
    }
    return marks;
}

void TranscriptDesk::settleMarks(const Marks& written)
{
    const std::lock_guard lock(m_mutex);
    for (const auto& [of, mark] : written) {
        const auto found = m_marks.find(of);
        if (found == m_marks.end()) {
            continue;
        }
        found->second.hasBegun = found->second.hasBegun && !mark.hasBegun;
        found->second.hasEnded = found->second.hasEnded && !mark.hasEnded;
        if (!found->second.hasBegun && !found->second.hasEnded) {
            m_marks.erase(found);
        }
    }
}

void TranscriptDesk::tellOfLoss()
{
    const std::uint64_t lost = m_lost;
    if (lost > m_lostTold) {
        m_deps.log.write(LogLevel::Error, "transcripts.lost", {{"lines", lost - m_lostTold}, {"waiting", waiting()}});
        m_lostTold = lost;
    }
}

net::Awaitable<> TranscriptDesk::tell(Keeping keeping)
{
    const auto written = co_await tellSome(keeping, kMostFailures);
    static_cast<void>(written);
}

net::Awaitable<TranscriptDesk::Written> TranscriptDesk::tellSome(const Keeping& keeping, int mostFailures)
{
    Taken taken(*this);
    co_await keepPermitted(taken, keeping);
    const std::vector<std::string> torn = tornNow(taken.lines);
    const Marks marks = marksNow();
    auto written = Written::All;
    if (!taken.lines.empty() || !torn.empty() || !marks.empty()) {
        written = co_await write(taken.lines, torn, marks, keeping.areProjectsInTable);
        if (written == Written::All) {
            taken.lines.clear();
            m_failures = 0;
        } else if (written == Written::Refused && ++m_failures >= mostFailures) {
            m_failures = 0;
            co_await writeApart(taken, keeping.areProjectsInTable);
        }
    }
    taken.leave();
    tellOfLoss();
    co_return written;
}

net::Awaitable<> TranscriptDesk::tellAll(const Keeping& keeping)
{
    // Of some nobody may be able to tell whether they may be kept, and of others yes.
    std::size_t idle = 0;
    bool goesOn = true;
    for (std::size_t before = left(); goesOn && before > 0; before = left()) {
        const auto written = co_await tellSome(keeping, 1);
        idle = left() < before ? 0 : idle + 1;
        goesOn = written != Written::Again && idle < std::min(before, kMostIdle);
    }
}

net::Awaitable<> TranscriptDesk::flush(Keeping keeping, core::Milliseconds patience)
{
    // The rest is for saying what is missing.
    const auto executor = co_await boost::asio::this_coro::executor;
    net::Timer deadline(executor, patience * 3 / 4);
    co_await (tellAll(keeping) || deadline.async_wait(net::asTuple));
    std::vector<std::string> torn = loseAll();
    tellOfLoss();
    deadline.expires_after(patience / 4);
    co_await (markTorn(std::move(torn)) || deadline.async_wait(net::asTuple));
}

std::vector<std::string> TranscriptDesk::loseAll()
{
    const std::lock_guard lock(m_mutex);
    while (!m_queues.empty()) {
        lose(m_queues.begin()->first);
        static_cast<void>(pop(m_queues.begin()));
    }
    std::vector<std::string> torn;
    std::transform(m_torn.begin(), m_torn.end(), std::back_inserter(torn), [](const auto& one) { return one.first; });
    return torn;
}

net::Awaitable<> TranscriptDesk::markTorn(std::vector<std::string> sessions)
{
    const std::vector<Waiting> noLines;
    const Marks noMarks;
    bool goesOn = true;
    while (goesOn && !sessions.empty()) {
        const std::size_t rest = sessions.size() - std::min(sessions.size(), kTornAtOnce);
        const std::vector<std::string> some(sessions.begin() + static_cast<std::ptrdiff_t>(rest), sessions.end());
        sessions.resize(rest);
        const auto written = co_await write(noLines, some, noMarks, false);
        goesOn = written == Written::All;
    }
}

net::Awaitable<> TranscriptDesk::forget()
{
    std::function<bool(Connection&)> work = [now = m_deps.clock.wallNow(), kept = kept()](
                                                Connection& sql) { return rows::forget(sql, now, now - kept); };
    // What fails is tried again with the next turn.
    bool goesOn = true;
    while (goesOn) {
        const auto isAll = co_await m_deps.database.run<bool>(work);
        goesOn = isAll && !*isAll;
    }
}

std::size_t TranscriptDesk::waiting() const
{
    const std::lock_guard lock(m_mutex);
    return m_count;
}

std::size_t TranscriptDesk::left() const
{
    const std::lock_guard lock(m_mutex);
    return m_count + m_marks.size();
}

} // namespace vivavoce::broker::transcripts
