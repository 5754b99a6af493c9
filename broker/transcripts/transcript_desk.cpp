#include "broker/transcripts/transcript_desk.h"

#include "broker/store/connection.h"
#include "broker/transcripts/internal/transcript_rows.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace vivavoce::broker::transcripts {
namespace {

constexpr std::size_t kAtOnce = 500;
constexpr std::size_t kMostTorn = 10'000;
/// A store that works and does not take it so often never will: it would keep all others from being written.
constexpr int kMostFailures = 5;
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

void TranscriptDesk::take(std::shared_ptr<const Conversation> of, Line line)
{
    const std::lock_guard lock(m_mutex);
    m_bytes += sizeOf(line);
    m_waiting.push_back({std::move(of), std::move(line)});
    dropBeyondRoom();
}

void TranscriptDesk::dropBeyondRoom()
{
    while (m_waiting.size() > m_settings.mostLines || m_bytes > m_settings.mostBytes) {
        m_bytes -= sizeOf(m_waiting.front().line);
        lose(m_waiting.front());
        m_waiting.pop_front();
    }
}

void TranscriptDesk::lose(const Waiting& line)
{
    ++m_lost;
    if (m_torn.size() < kMostTorn) {
        m_torn.insert(line.of->session);
    }
}

std::vector<TranscriptDesk::Waiting> TranscriptDesk::next()
{
    const std::lock_guard lock(m_mutex);
    std::vector<Waiting> lines;
    while (!m_waiting.empty() && lines.size() < kAtOnce) {
        m_bytes -= sizeOf(m_waiting.front().line);
        lines.push_back(std::move(m_waiting.front()));
        m_waiting.pop_front();
    }
    return lines;
}

void TranscriptDesk::putBack(std::vector<Waiting> lines)
{
    const std::lock_guard lock(m_mutex);
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        m_bytes += sizeOf(line->line);
        m_waiting.push_front(std::move(*line));
    }
    dropBeyondRoom();
}

net::Awaitable<TranscriptDesk::Leave> TranscriptDesk::leaveOf(
    std::shared_ptr<const Conversation> of, const Keeping& keeping)
{
    const core::MonotonicTime now = m_deps.clock.now();
    const std::string session = of->session;
    const auto found = m_answers.find(session);
    if (found != m_answers.end() && now - found->second.at < m_settings.askEvery) {
        co_return found->second.leave;
    }
    const Leave leave = co_await keeping.mayKeep(std::move(of));
    if (leave != Leave::Unknown) {
        m_answers[session] = {leave, now};
    }
    co_return leave;
}

net::Awaitable<> TranscriptDesk::keepPermitted(Taken& taken, const Keeping& keeping)
{
    const core::MonotonicTime now = m_deps.clock.now();
    std::erase_if(m_answers, [&](const auto& entry) { return now - entry.second.at >= m_settings.askEvery; });
    std::vector<Leave> leaves;
    for (std::size_t i = 0; i < taken.lines.size(); ++i) {
        leaves.push_back(co_await leaveOf(taken.lines[i].of, keeping));
    }
    std::vector<Waiting> may;
    std::vector<Waiting> later;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
        if (leaves[i] != Leave::No) {
            (leaves[i] == Leave::Yes ? may : later).push_back(std::move(taken.lines[i]));
        }
    }
    taken.lines = std::move(may);
    putBack(std::move(later));
}

net::Awaitable<TranscriptDesk::Written> TranscriptDesk::write(
    const std::vector<Waiting>& lines, std::vector<std::string> torn, bool areProjectsInTable)
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
    std::function<bool(Connection&)> work = [batches = std::move(batches), torn = std::move(torn),
                                                projects = areProjectsInTable ? rows::Projects::InTable
                                                                              : rows::Projects::Anywhere,
                                                now = m_deps.clock.wallNow()](Connection& sql) {
        for (const Batch& batch : batches) {
            rows::write(sql, *batch.of, batch.lines, projects, now);
        }
        for (const std::string& session : torn) {
            rows::markTorn(sql, session);
        }
        return true;
    };
    const auto written = co_await m_deps.database.run<bool>(std::move(work));
    if (written) {
        m_failures = 0;
        co_return Written::All;
    }
    const bool isGivenUp = m_deps.database.isWorking() && ++m_failures >= kMostFailures;
    m_deps.log.write(LogLevel::Error, "transcripts.not_written",
        {{"reason", written.error().reason}, {"lines", lines.size()}, {"waiting", waiting()}});
    if (isGivenUp) {
        m_failures = 0;
    }
    co_return isGivenUp ? Written::Never : Written::Again;
}

net::Awaitable<> TranscriptDesk::tell(Keeping keeping)
{
    std::vector<std::string> torn;
    {
        const std::lock_guard lock(m_mutex);
        torn.assign(m_torn.begin(), m_torn.end());
    }
    Taken taken(*this);
    co_await keepPermitted(taken, keeping);
    if (taken.lines.empty() && torn.empty()) {
        co_return;
    }
    const auto written = co_await write(taken.lines, torn, keeping.areProjectsInTable);
    if (written != Written::Again) {
        const std::lock_guard lock(m_mutex);
        for (const std::string& session : torn) {
            m_torn.erase(session);
        }
        if (written == Written::Never) {
            std::for_each(taken.lines.begin(), taken.lines.end(), [this](const Waiting& line) { lose(line); });
        }
        taken.lines.clear();
    }
    taken.leave();
    const std::uint64_t lost = m_lost;
    if (lost > m_lostTold) {
        m_deps.log.write(LogLevel::Error, "transcripts.lost", {{"lines", lost - m_lostTold}, {"waiting", waiting()}});
        m_lostTold = lost;
    }
}

net::Awaitable<> TranscriptDesk::flush(Keeping keeping)
{
    std::size_t before = waiting();
    while (before > 0) {
        co_await tell(keeping);
        const std::size_t left = waiting();
        before = left < before ? left : 0;
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
    return m_waiting.size();
}

} // namespace vivavoce::broker::transcripts
