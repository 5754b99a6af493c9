#include "broker/transcripts/transcript_book.h"

#include "broker/store/connection.h"
#include "broker/transcripts/fold.h"
#include "broker/transcripts/internal/transcript_rows.h"

#include <algorithm>
#include <functional>
#include <utility>
#include <variant>

namespace vivavoce::broker::transcripts {
namespace {

using core::Unexpected;
using soci::into;
using soci::use;
using Parameters = std::vector<std::variant<std::string, long long>>;

/// So many transcripts are looked through for one page: however rare what is searched for, the answer comes, and says where to go on.
constexpr std::size_t kLookedThrough = 1'000;
/// And so much text: a transcript may be a thousand times as long as another one.
constexpr long long kLookedThroughBytes = 32LL * 1024 * 1024;
/// Of whole ones, so much text makes a page.
constexpr std::size_t kWholeBytes = 4 * 1024 * 1024;
constexpr std::size_t kRemovedAtOnce = 100;
/// Of sessions `t`: what is said in them may be kept yet.
const std::string kMayGetOne =
    "t.keeps_transcript = 1 AND NOT EXISTS (SELECT 1 FROM transcript_removals r WHERE r.session = t.id)";

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the transcripts' store cannot be asked now", std::chrono::seconds(5)};
}

Unexpected<Fault> noSuchTranscript()
{
    return Unexpected<Fault>(Fault{FaultCode::NotFound, "there is no transcript of that session", std::nullopt});
}

/// A condition on transcripts `t`, and what belongs into its placeholders, in their order.
class Filter {
public:
    explicit Filter(const Reader& reader)
    {
        if (reader.isAdminOfAll) {
            return;
        }
        const std::string own = "t.caller = " + place(reader.caller);
        const std::string administered = !reader.areAdminsInTable
            ? std::string()
            : " OR EXISTS (SELECT 1 FROM project_members m WHERE m.project = t.project AND m.member = "
                + place(reader.caller) + " AND m.role = 'admin')";
        m_text += " AND (" + own + administered + ")";
    }
    void add(const char* column, const char* comparison, const std::optional<std::string>& value)
    {
        if (value) {
            m_text += std::string(" AND ") + column + ' ' + comparison + ' ' + place(*value);
        }
    }
    void add(const char* column, const char* comparison, const std::optional<core::WallTime>& value)
    {
        if (value) {
            m_text += std::string(" AND ") + column + ' ' + comparison + ' ' + place(rows::millisOf(*value));
        }
    }
    [[nodiscard]] const std::string& text() const { return m_text; }
    /// Another placeholder, behind those of the condition.
    template <typename T>
    std::string place(T value)
    {
        m_parameters.emplace_back(std::move(value));
        return ":p" + std::to_string(m_parameters.size());
    }
    void exchange(soci::statement& statement) const
    {
        for (const auto& parameter : m_parameters) {
            std::visit([&](const auto& value) { statement.exchange(use(value)); }, parameter);
        }
    }

private:
    std::string m_text = "1 = 1";
    Parameters m_parameters;
};

Filter filterOf(const Reader& reader, const TranscriptQuery& query)
{
    Filter filter(reader);
    filter.add("t.project", "=", query.project);
    filter.add("t.caller", "=", query.caller);
    filter.add("t.started_at", ">=", query.from);
    filter.add("t.started_at", "<", query.to);
    filter.add("t.session", "<", query.before);
    return filter;
}

/// Of transcripts `t`: 1 where all that was said is there. It is not where a stream runs no more and its end was never noted: another one of its
/// session has begun since, or the session has ended.
std::string isWholeAt(core::WallTime now)
{
    const auto later = [](const char* table) {
        return std::string("EXISTS (SELECT 1 FROM ") + table + " x WHERE x.session = s.session AND x.begun > s.begun)";
    };
    return "CASE WHEN t.is_whole = 1 AND NOT EXISTS (SELECT 1 FROM transcript_streams s WHERE s.session = t.session AND ("
        + later("transcript_streams") + " OR " + later("transcript_lines")
        + " OR NOT EXISTS (SELECT 1 FROM sessions l WHERE l.id = t.session AND l.expires_at > "
        + std::to_string(rows::millisOf(now)) + "))) THEN 1 ELSE 0 END";
}

/// What SOCI puts a head into.
struct HeadRow {
    TranscriptHead head;
    long long startedAt = 0, lastAt = 0, forgetAt = 0, lines = 0;
    int isWhole = 1;

    static std::string columns(core::WallTime now)
    {
        return "t.session, t.project, t.caller, t.issuer, t.subject, t.model, t.started_at, t.last_at, t.forget_at, "
               "t.line_count, "
            + isWholeAt(now);
    }
    void exchange(soci::statement& statement)
    {
        for (std::string* text :
            {&head.of.session, &head.of.project, &head.of.caller, &head.of.issuer, &head.of.subject, &head.of.model}) {
            statement.exchange(into(*text));
        }
        for (long long* number : {&startedAt, &lastAt, &forgetAt, &lines}) {
            statement.exchange(into(*number));
        }
        statement.exchange(into(isWhole));
    }
    [[nodiscard]] TranscriptHead made() const
    {
        TranscriptHead made = head;
        made.of.startedAt = rows::timeOf(startedAt);
        made.lastAt = rows::timeOf(lastAt);
        made.keptUntil = rows::timeOf(forgetAt);
        made.lines = static_cast<std::size_t>(lines);
        made.isWhole = isWhole != 0;
        return made;
    }
};

/// Not one that is kept: what is asked for is a piece of the text.
template <typename Row, typename OnRow>
void run(Connection& sql, const std::string& text, const Filter& filter, Row& row, OnRow onRow)
{
    soci::statement statement(sql);
    row.exchange(statement);
    filter.exchange(statement);
    statement.alloc();
    statement.prepare(text);
    statement.define_and_bind();
    for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
        onRow();
    }
}

/// As they are now, of transcripts `t` in `from`.
std::vector<TranscriptHead> headsOf(Connection& sql, const std::string& from, const Filter& filter, core::WallTime now)
{
    std::vector<TranscriptHead> heads;
    HeadRow row;
    run(sql, "SELECT " + HeadRow::columns(now) + ' ' + from, filter, row, [&] { heads.push_back(row.made()); });
    return heads;
}

struct SessionColumn {
    std::string session;
    void exchange(soci::statement& statement) { statement.exchange(into(session)); }
};

struct SizeRow {
    std::string session;
    long long bytes = 0;
    void exchange(soci::statement& statement)
    {
        statement.exchange(into(session));
        statement.exchange(into(bytes));
    }
};

/// How far one search goes.
struct Reach {
    /// Empty: there is nothing to look through.
    std::string last;
    bool isAll = true;
};

Reach reachOf(Connection& sql, const std::string& candidates, const Filter& filter)
{
    Reach reach;
    SizeRow row;
    std::size_t count = 0;
    long long bytes = 0;
    // One more than is looked through, to see whether there is one.
    run(sql,
        "SELECT t.session, t.bytes " + candidates + " ORDER BY t.session DESC LIMIT "
            + std::to_string(kLookedThrough + 1),
        filter, row, [&] {
            reach.isAll = reach.isAll && count < kLookedThrough && bytes < kLookedThroughBytes;
            reach.last = reach.isAll ? row.session : reach.last;
            bytes += row.bytes;
            ++count;
        });
    return reach;
}

/// Of one transcript, in order; where `pattern` is not empty, the first that match.
std::vector<Line> linesOf(Connection& sql, const std::string& session, const std::string& pattern, std::size_t most)
{
    std::vector<Line> lines;
    Line line;
    long long begun = 0, position = 0, at = 0;
    std::string speaker, extent;
    const auto limit = static_cast<long long>(most);
    const auto onRow = [&] {
        line.position = static_cast<std::int64_t>(lines.size());
        line.speaker = speakerOf(speaker).value_or(Speaker::Assistant);
        line.extent = extentOf(extent).value_or(Extent::Unfinished);
        line.at = rows::timeOf(at);
        lines.push_back(line);
    };
    const std::string columns =
        "SELECT begun, place, speaker, extent, at, text FROM transcript_lines WHERE session = :session";
    const std::string order = " ORDER BY begun, place LIMIT :most";
    if (pattern.empty()) {
        sql.askEach(columns + order, onRow, into(begun), into(position), into(speaker), into(extent), into(at),
            into(line.text), use(session), use(limit));
    } else {
        sql.askEach(columns + " AND folded LIKE :pattern ESCAPE '!'" + order, onRow, into(begun), into(position),
            into(speaker), into(extent), into(at), into(line.text), use(session), use(pattern), use(limit));
    }
    return lines;
}

/// The heads of a page, and where the next one begins.
TranscriptBook::Page pageOf(Connection& sql, const Reader& reader, const TranscriptQuery& query, core::WallTime now)
{
    const std::size_t most = std::min(query.most, TranscriptBook::kMostListed);
    const std::string pattern = query.text ? containing(folded(*query.text)) : std::string();
    Filter filter = filterOf(reader, query);
    const std::string candidates = "FROM transcripts t WHERE " + filter.text();
    TranscriptBook::Page page;
    std::vector<TranscriptHead> heads;
    if (pattern.empty()) {
        heads = headsOf(sql, candidates + " ORDER BY t.session DESC LIMIT " + std::to_string(most), filter, now);
    } else {
        const Reach reach = reachOf(sql, candidates, filter);
        filter.add("t.session", ">=", std::optional(reach.last));
        // The limit keeps PostgreSQL from beginning with everybody's lines.
        const std::string looked = "(SELECT t.* FROM transcripts t WHERE " + filter.text()
            + " ORDER BY t.session DESC LIMIT " + std::to_string(kLookedThrough) + ") AS t";
        const std::string place = filter.place(pattern);
        heads = headsOf(sql,
            "FROM " + looked
                + " WHERE EXISTS (SELECT 1 FROM transcript_lines l WHERE l.session = t.session AND l.folded LIKE "
                + place + " ESCAPE '!') ORDER BY t.session DESC LIMIT " + std::to_string(most),
            filter, now);
        page.next = reach.isAll ? std::nullopt : std::optional(reach.last);
    }
    if (heads.size() == most) {
        page.next = heads.back().of.session;
    }
    for (TranscriptHead& head : heads) {
        std::vector<Line> lines;
        if (!pattern.empty()) {
            lines = linesOf(sql, head.of.session, pattern, TranscriptBook::kMostMatches);
        }
        page.transcripts.push_back({std::move(head), std::move(lines)});
    }
    return page;
}

std::optional<TranscriptHead> headOf(
    Connection& sql, const Reader& reader, const std::string& session, core::WallTime now)
{
    Filter filter(reader);
    filter.add("t.session", "=", std::optional(session));
    auto heads = headsOf(sql, "FROM transcripts t WHERE " + filter.text(), filter, now);
    return heads.empty() ? std::nullopt : std::optional(std::move(heads.front()));
}

/// Whose it is: that of a transcript, or of a session that may get one yet.
std::optional<std::string> callerOf(
    Connection& sql, const Reader& reader, const std::string& session, core::WallTime now)
{
    if (auto head = headOf(sql, reader, session, now)) {
        return std::move(head->of.caller);
    }
    Filter filter(reader);
    filter.add("t.id", "=", std::optional(session));
    SessionColumn caller;
    std::optional<std::string> found;
    run(sql, "SELECT t.caller FROM sessions t WHERE " + kMayGetOne + " AND " + filter.text(), filter, caller,
        [&] { found = caller.session; });
    return found;
}

/// Of one kind, in order, so that nobody who does the same waits for each other.
std::vector<std::string> sessionsIn(Connection& sql, const std::string& text, const Filter& filter)
{
    SessionColumn row;
    std::vector<std::string> sessions;
    run(sql, text + " LIMIT " + std::to_string(kRemovedAtOnce), filter, row, [&] { sessions.push_back(row.session); });
    return sessions;
}

std::size_t textIn(const Transcript& transcript)
{
    std::size_t bytes = 0;
    for (const Line& line : transcript.lines) {
        bytes += line.text.size();
    }
    return bytes;
}

} // namespace

bool removeTranscriptsOf(Connection& sql, const std::string& project, core::WallTime now)
{
    return rows::removeOfProject(sql, project, now, kRemovedAtOnce) < kRemovedAtOnce;
}

template <typename T>
TranscriptBook::Result<T> TranscriptBook::ask(std::function<core::Expected<T, Fault>(Connection&)> work) const
{
    auto answer = co_await m_database.run<core::Expected<T, Fault>>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

TranscriptBook::Result<TranscriptBook::Page> TranscriptBook::search(Reader reader, TranscriptQuery query) const
{
    std::function<core::Expected<Page, Fault>(Connection&)> work =
        [reader = std::move(reader), query = std::move(query), now = m_clock.wallNow()](
            Connection& sql) -> core::Expected<Page, Fault> { return pageOf(sql, reader, query, now); };
    auto page = co_await ask<Page>(std::move(work));
    co_return page;
}

TranscriptBook::Result<bool> TranscriptBook::isAdmin(Reader reader, std::optional<std::string> project) const
{
    if (reader.isAdminOfAll || !reader.areAdminsInTable) {
        co_return reader.isAdminOfAll;
    }
    std::function<core::Expected<bool, Fault>(Connection&)> work = [caller = std::move(reader.caller),
                                                                       project = std::move(project)](
                                                                       Connection& sql) -> core::Expected<bool, Fault> {
        const std::string text = "SELECT COUNT(*) FROM project_members WHERE member = :member AND role = 'admin'";
        int found = 0;
        if (project) {
            sql.ask(text + " AND project = :project", into(found), use(caller), use(*project));
        } else {
            sql.ask(text, into(found), use(caller));
        }
        return found > 0;
    };
    auto answer = co_await ask<bool>(std::move(work));
    co_return answer;
}

TranscriptBook::Result<Transcript> TranscriptBook::find(Reader reader, std::string session) const
{
    std::function<core::Expected<Transcript, Fault>(Connection&)> work =
        [reader = std::move(reader), session = std::move(session), now = m_clock.wallNow()](
            Connection& sql) -> core::Expected<Transcript, Fault> {
        auto head = headOf(sql, reader, session, now);
        if (!head) {
            return noSuchTranscript();
        }
        return Transcript{std::move(*head), linesOf(sql, session, {}, rows::kMostLines)};
    };
    auto found = co_await ask<Transcript>(std::move(work));
    co_return found;
}

TranscriptBook::Result<TranscriptBook::Page> TranscriptBook::whole(Reader reader, TranscriptQuery query) const
{
    std::function<core::Expected<Page, Fault>(Connection&)> work =
        [reader = std::move(reader), query = std::move(query), now = m_clock.wallNow()](
            Connection& sql) -> core::Expected<Page, Fault> {
        Page page = pageOf(sql, reader, query, now);
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < page.transcripts.size(); ++i) {
            Transcript& one = page.transcripts[i];
            one.lines = linesOf(sql, one.head.of.session, {}, rows::kMostLines);
            bytes += textIn(one);
            if (bytes >= kWholeBytes && i + 1 < page.transcripts.size()) {
                page.next = one.head.of.session;
                page.transcripts.resize(i + 1);
            }
        }
        return page;
    };
    auto page = co_await ask<Page>(std::move(work));
    co_return page;
}

TranscriptBook::Result<std::string> TranscriptBook::whose(Reader reader, std::string session) const
{
    using Whose = core::Expected<std::string, Fault>;
    std::function<Whose(Connection&)> work = [reader = std::move(reader), session = std::move(session),
                                                 now = m_clock.wallNow()](Connection& sql) -> Whose {
        auto caller = callerOf(sql, reader, session, now);
        return caller ? Whose(std::move(*caller)) : noSuchTranscript();
    };
    auto answer = co_await ask<std::string>(std::move(work));
    co_return answer;
}

TranscriptBook::Result<bool> TranscriptBook::remove(Reader reader, std::string session)
{
    using Removed = core::Expected<bool, Fault>;
    std::function<Removed(Connection&)> work = [reader = std::move(reader), session = std::move(session),
                                                   now = m_clock.wallNow()](Connection& sql) -> Removed {
        if (!callerOf(sql, reader, session, now)) {
            return noSuchTranscript();
        }
        rows::remove(sql, session, now);
        return true;
    };
    // Nothing of it is undone: who is told that it failed may rely on that.
    auto answer = co_await m_database.runToTheEnd<Removed>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

TranscriptBook::Result<std::size_t> TranscriptBook::removeOf(
    Reader reader, std::string caller, std::optional<std::string> project)
{
    Filter filter(reader);
    filter.add("t.caller", "=", std::optional(std::move(caller)));
    filter.add("t.project", "=", project);
    using Work = std::function<std::size_t(Connection&)>;
    const Work transcripts = [filter, now = m_clock.wallNow()](Connection& sql) {
        const auto sessions = sessionsIn(
            sql, "SELECT t.session FROM transcripts t WHERE " + filter.text() + " ORDER BY t.session", filter);
        for (const std::string& session : sessions) {
            rows::remove(sql, session, now);
        }
        return sessions.size();
    };
    // Lines may wait that are the first of their session.
    const Work sessions = [filter, now = m_clock.wallNow()](Connection& sql) {
        const auto live = sessionsIn(sql,
            "SELECT t.id FROM sessions t WHERE " + kMayGetOne + " AND " + filter.text() + " ORDER BY t.id", filter);
        for (const std::string& session : live) {
            rows::remove(sql, session, now);
        }
        return live.size();
    };
    std::size_t removed = 0;
    for (const Work* const work : {&transcripts, &sessions}) {
        bool goesOn = true;
        while (goesOn) {
            const auto some = co_await m_database.runToTheEnd<std::size_t>(*work);
            if (!some) {
                co_return Unexpected<Fault>(storeIsAway());
            }
            removed += work == &transcripts ? *some : 0;
            goesOn = *some == kRemovedAtOnce;
        }
    }
    co_return removed;
}

} // namespace vivavoce::broker::transcripts
