#include "broker/transcripts/internal/transcript_rows.h"

#include "broker/transcripts/fold.h"

#include <algorithm>
#include <optional>

namespace vivavoce::broker::transcripts::rows {
namespace {

using soci::into;
using soci::use;

/// A session lasts a day at most, and what waits for the store comes there within another one, or is lost. Of removals, and of streams.
constexpr std::chrono::hours kRemovalsKept{24 * 3};
constexpr int kForgottenAtOnce = 200;

struct Standing {
    long long lines = 0;
    long long bytes = 0;
    int isWhole = 1;
};

/// SQLite has one transaction at a time.
std::string onlyShared(Connection& sql, const char* lock)
{
    return sql.get_backend_name() == "postgresql" ? lock : "";
}

/// Locks the transcript until the transaction ends: whoever deletes it waits, or has done so.
std::optional<Standing> standingOf(Connection& sql, const std::string& session)
{
    Standing standing;
    return sql.ask("SELECT line_count, bytes, is_whole FROM transcripts WHERE session = :session"
                   + onlyShared(sql, " FOR UPDATE"),
               into(standing.lines), into(standing.bytes), into(standing.isWhole), use(session))
        ? std::optional(standing)
        : std::nullopt;
}

bool isThere(Connection& sql, const std::string& text, const std::string& value)
{
    int found = 0;
    return sql.ask(text, into(found), use(value));
}

/// The same, and it stays as long as the transaction: whoever removes it waits for that, and sees what it wrote.
bool isHeld(Connection& sql, const std::string& text, const std::string& value)
{
    return isThere(sql, text + onlyShared(sql, " FOR KEY SHARE"), value);
}

std::optional<Standing> begin(Connection& sql, const Conversation& of, Projects projects, core::WallTime now)
{
    const bool isProjectThere =
        projects == Projects::Anywhere || isHeld(sql, "SELECT 1 FROM projects WHERE id = :project", of.project);
    // Removed while it has no transcript: looked for once nobody can do that any more.
    static_cast<void>(isHeld(sql, "SELECT 1 FROM sessions WHERE id = :session", of.session));
    const bool isRemoved = isThere(sql, "SELECT 1 FROM transcript_removals WHERE session = :session", of.session);
    if (isRemoved || !isProjectThere) {
        return std::nullopt;
    }
    const long long startedAt = millisOf(of.startedAt);
    const long long at = millisOf(now);
    const long long until = millisOf(now + of.kept);
    sql.ask(
        "INSERT INTO transcripts (session, project, caller, issuer, subject, model, started_at, last_at, forget_at, "
        "line_count, bytes, is_whole) VALUES (:session, :project, :caller, :issuer, :subject, :model, :started_at, "
        ":last_at, :forget_at, 0, 0, 1) ON CONFLICT (session) DO NOTHING",
        use(of.session), use(of.project), use(of.caller), use(of.issuer), use(of.subject), use(of.model),
        use(startedAt), use(at), use(until));
    return standingOf(sql, of.session);
}

/// A client that comes again tells its provider what was said before, as if it were typed now.
bool isRepetition(Connection& sql, const Conversation& of, const Line& line, const std::string& text)
{
    if (!line.isOpening) {
        return false;
    }
    const long long begun = millisOf(of.begun);
    int found = 0;
    sql.ask("SELECT COUNT(*) FROM transcript_lines WHERE session = :session AND begun < :begun AND speaker = 'user' "
            "AND text = :text",
        into(found), use(of.session), use(begun), use(text));
    return found > 0;
}

/// Writes one line.
void write(Connection& sql, const Conversation& of, const Line& line, Standing& standing)
{
    const std::string text = sound(line.text);
    const long long begun = millisOf(of.begun);
    const long long position = line.position;
    const long long at = millisOf(line.at);
    const auto size = static_cast<long long>(text.size());
    const std::string speaker(textOf(line.speaker));
    const std::string extent(textOf(line.extent));
    const std::string fold = folded(text);
    long long before = 0;
    const bool isKnown =
        sql.ask("SELECT size FROM transcript_lines WHERE session = :session AND begun = :begun AND place = :place",
            into(before), use(of.session), use(begun), use(position));
    const bool isFull = standing.bytes - before + size > kMostBytes || (!isKnown && standing.lines >= kMostLines);
    if (isFull || line.isCut) {
        standing.isWhole = 0;
    }
    if (isFull || (!isKnown && isRepetition(sql, of, line, text))) {
        return;
    }
    standing.bytes += size - before;
    if (isKnown) {
        sql.ask(
            "UPDATE transcript_lines SET speaker = :speaker, extent = :extent, at = :at, size = :size, text = :text, "
            "folded = :folded WHERE session = :session AND begun = :begun AND place = :place",
            use(speaker), use(extent), use(at), use(size), use(text), use(fold), use(of.session), use(begun),
            use(position));
        return;
    }
    ++standing.lines;
    sql.ask("INSERT INTO transcript_lines (session, begun, place, speaker, extent, at, size, text, folded) VALUES "
            "(:session, :begun, :place, :speaker, :extent, :at, :size, :text, :folded)",
        use(of.session), use(begun), use(position), use(speaker), use(extent), use(at), use(size), use(text),
        use(fold));
}

} // namespace

long long millisOf(core::WallTime time)
{
    return std::chrono::floor<core::Milliseconds>(time).time_since_epoch().count();
}

core::WallTime timeOf(long long millis)
{
    return core::WallTime(core::Milliseconds(millis));
}

void write(
    Connection& sql, const Conversation& of, const std::vector<Line>& lines, Projects projects, core::WallTime now)
{
    auto standing = standingOf(sql, of.session);
    if (!standing) {
        standing = begin(sql, of, projects, now);
    }
    if (!standing) {
        return;
    }
    for (const Line& line : lines) {
        write(sql, of, line, *standing);
    }
    if (standing->lines == 0) {
        // All of it was a repetition, or too long: a transcript of nothing is none.
        sql.ask("DELETE FROM transcripts WHERE session = :session", use(of.session));
        return;
    }
    const long long at = millisOf(now);
    const long long until = millisOf(now + of.kept);
    sql.ask("UPDATE transcripts SET last_at = :last_at, forget_at = :forget_at, line_count = :lines, bytes = :bytes, "
            "is_whole = :is_whole WHERE session = :session",
        use(at), use(until), use(standing->lines), use(standing->bytes), use(standing->isWhole), use(of.session));
}

void noteBeginning(Connection& sql, const Conversation& of)
{
    const long long begun = millisOf(of.begun);
    sql.ask("INSERT INTO transcript_streams (session, begun) VALUES (:session, :begun) "
            "ON CONFLICT (session, begun) DO NOTHING",
        use(of.session), use(begun));
}

void noteEnd(Connection& sql, const Conversation& of)
{
    const long long begun = millisOf(of.begun);
    sql.ask("DELETE FROM transcript_streams WHERE session = :session AND begun = :begun", use(of.session), use(begun));
}

bool markTorn(Connection& sql, const std::string& session)
{
    soci::statement statement =
        (sql.prepare << "UPDATE transcripts SET is_whole = 0 WHERE session = :session", use(session));
    statement.execute(true);
    return statement.get_affected_rows() > 0;
}

void remove(Connection& sql, const std::string& session, core::WallTime now)
{
    // Whoever writes its first line has done so before, or finds that it was removed.
    static_cast<void>(
        isThere(sql, "SELECT 1 FROM sessions WHERE id = :session" + onlyShared(sql, " FOR UPDATE"), session));
    const long long at = millisOf(now);
    sql.ask("INSERT INTO transcript_removals (session, at) VALUES (:session, :at) ON CONFLICT (session) DO NOTHING",
        use(session), use(at));
    // With its lines.
    sql.ask("DELETE FROM transcripts WHERE session = :session", use(session));
}

std::size_t removeOfProject(Connection& sql, const std::string& project, core::WallTime now, std::size_t most)
{
    const auto limit = static_cast<long long>(most);
    std::vector<std::string> sessions;
    std::string session;
    // In the order in which they are written, so that nobody waits for each other.
    sql.askEach(
        "SELECT session FROM transcripts WHERE project = :project ORDER BY session LIMIT :most",
        [&] { sessions.push_back(session); }, into(session), use(project), use(limit));
    for (const std::string& one : sessions) {
        remove(sql, one, now);
    }
    return sessions.size();
}

bool forget(Connection& sql, core::WallTime now, core::WallTime oldest)
{
    const long long at = millisOf(now);
    const long long last = millisOf(oldest);
    const int most = kForgottenAtOnce;
    std::vector<std::string> old;
    std::string session;
    sql.askEach(
        "SELECT session FROM transcripts WHERE forget_at <= :now OR last_at <= :oldest LIMIT :most",
        [&] { old.push_back(session); }, into(session), use(at), use(last), use(most));
    for (const std::string& one : old) {
        sql.ask("DELETE FROM transcripts WHERE session = :session", use(one));
    }
    const long long removals = millisOf(now - kRemovalsKept);
    sql.ask("DELETE FROM transcript_removals WHERE at <= :removals", use(removals));
    // Those of a transcript go on saying that it is not whole, as long as there is one.
    sql.ask("DELETE FROM transcript_streams WHERE begun <= :streams AND NOT EXISTS "
            "(SELECT 1 FROM transcripts t WHERE t.session = transcript_streams.session)",
        use(removals));
    return old.size() < static_cast<std::size_t>(kForgottenAtOnce);
}

} // namespace vivavoce::broker::transcripts::rows
