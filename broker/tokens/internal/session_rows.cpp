#include "broker/tokens/internal/session_rows.h"

#include <algorithm>
#include <chrono>

namespace vivavoce::broker::rows {
namespace {

using soci::into;
using soci::use;

constexpr const char* kColumns =
    "id, transport, caller, issuer, subject, project, client_instance, model, voice, instructions, started_at, ends_at, "
    "token, expires_at, renewals, claim, claim_until, claim_request, repeat_of, repeat_request, repeat_until, "
    "repeat_sealed, keeps_transcript";

core::WallTime timeOf(long long millis)
{
    return core::WallTime(core::Milliseconds(millis));
}

/// A SessionRow in types that the library knows.
struct Buffer {
    std::string id, transport, caller, issuer, subject, project, clientInstance, model, voice, instructions, token,
        claim, claimRequest, repeatOf, repeatRequest, repeatSealed;
    long long startedAt = 0, endsAt = 0, expiresAt = 0, claimUntil = 0, repeatUntil = 0;
    int renewals = 0, keepsTranscript = 0;
    soci::indicator hasVoice = soci::i_ok, hasInstructions = soci::i_ok, hasEnd = soci::i_ok;

    Buffer() = default;
    explicit Buffer(const SessionRow& row)
        : id(row.record.id),
          transport(transportText(row.record.transport)),
          caller(row.record.caller),
          issuer(row.record.issuer),
          subject(row.record.subject),
          project(row.record.project),
          clientInstance(row.record.clientInstance),
          model(row.record.model),
          voice(row.record.voice.value_or(std::string())),
          instructions(row.record.instructions.value_or(std::string())),
          token(row.token),
          claim(row.claim),
          claimRequest(row.claimRequest),
          repeatOf(row.repeatOf),
          repeatRequest(row.repeatRequest),
          repeatSealed(row.repeatSealed),
          startedAt(millisOf(row.record.startedAt)),
          endsAt(row.record.endsAt ? millisOf(*row.record.endsAt) : 0),
          expiresAt(millisOf(row.expiresAt)),
          claimUntil(millisOf(row.claimUntil)),
          repeatUntil(millisOf(row.repeatUntil)),
          renewals(row.renewals),
          keepsTranscript(row.record.keepsTranscript ? 1 : 0),
          hasVoice(row.record.voice ? soci::i_ok : soci::i_null),
          hasInstructions(row.record.instructions ? soci::i_ok : soci::i_null),
          hasEnd(row.record.endsAt ? soci::i_ok : soci::i_null)
    {
    }

    [[nodiscard]] SessionRow row() const
    {
        SessionRow row;
        row.record = {id,
            transport == transportText(SessionTransport::Relay) ? SessionTransport::Relay : SessionTransport::Direct,
            caller, issuer, subject, project, clientInstance, model, std::nullopt, std::nullopt, timeOf(startedAt),
            std::nullopt};
        if (hasVoice == soci::i_ok) {
            row.record.voice = voice;
        }
        if (hasInstructions == soci::i_ok) {
            row.record.instructions = instructions;
        }
        if (hasEnd == soci::i_ok) {
            row.record.endsAt = timeOf(endsAt);
        }
        row.record.keepsTranscript = keepsTranscript != 0;
        row.token = token;
        row.expiresAt = timeOf(expiresAt);
        row.renewals = renewals;
        row.claim = claim;
        row.claimUntil = timeOf(claimUntil);
        row.claimRequest = claimRequest;
        row.repeatOf = repeatOf;
        row.repeatRequest = repeatRequest;
        row.repeatUntil = timeOf(repeatUntil);
        row.repeatSealed = repeatSealed;
        return row;
    }
};

} // namespace

std::int64_t millisOf(core::WallTime time)
{
    return std::chrono::duration_cast<core::Milliseconds>(time.time_since_epoch()).count();
}

std::vector<SessionRow> selectWhere(Connection& sql, const char* column, const std::string& value, const char* suffix)
{
    Buffer b;
    std::vector<SessionRow> found;
    sql.askEach(
        std::string("SELECT ") + kColumns + " FROM sessions WHERE " + column + " = :value ORDER BY started_at, id"
            + suffix,
        [&] { found.push_back(b.row()); }, into(b.id), into(b.transport), into(b.caller), into(b.issuer),
        into(b.subject), into(b.project), into(b.clientInstance), into(b.model), into(b.voice, b.hasVoice),
        into(b.instructions, b.hasInstructions), into(b.startedAt), into(b.endsAt, b.hasEnd), into(b.token),
        into(b.expiresAt), into(b.renewals), into(b.claim), into(b.claimUntil), into(b.claimRequest), into(b.repeatOf),
        into(b.repeatRequest), into(b.repeatUntil), into(b.repeatSealed), into(b.keepsTranscript), use(value));
    return found;
}

std::optional<SessionRow> selectOne(Connection& sql, const char* column, const std::string& value, const char* suffix)
{
    auto found = selectWhere(sql, column, value, suffix);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::unordered_map<std::string, core::WallTime> expiriesOf(Connection& sql, const std::vector<std::string>& ids)
{
    // SQLite takes many more values in one statement; PostgreSQL plans a short list well.
    constexpr std::size_t kAtATime = 200;
    std::unordered_map<std::string, core::WallTime> expiries;
    for (std::size_t begin = 0; begin < ids.size(); begin += kAtATime) {
        const std::size_t end = std::min(ids.size(), begin + kAtATime);
        std::string id;
        long long expiresAt = 0;
        soci::statement statement(sql);
        std::string marks;
        for (std::size_t i = begin; i < end; ++i) {
            marks += (i == begin ? ":id" : ", :id") + std::to_string(i - begin);
            statement.exchange(use(ids[i]));
        }
        statement.exchange(into(id));
        statement.exchange(into(expiresAt));
        statement.alloc();
        statement.prepare("SELECT id, expires_at FROM sessions WHERE id IN (" + marks + ")");
        statement.define_and_bind();
        for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
            expiries.emplace(id, timeOf(expiresAt));
        }
    }
    return expiries;
}

std::optional<std::string> sessionThatSpent(Connection& sql, const std::string& token)
{
    std::string session;
    return sql.ask("SELECT session FROM spent_tokens WHERE hash = :hash", into(session), use(token))
        ? std::optional(std::move(session))
        : std::nullopt;
}

std::optional<SessionRow> selectLive(Connection& sql, const std::vector<std::string>& tokens, const char* suffix)
{
    std::optional<SessionRow> found;
    for (auto token = tokens.begin(); !found && token != tokens.end(); ++token) {
        found = selectOne(sql, "token", *token, suffix);
    }
    return found;
}

std::optional<Spent> sessionThatSpent(Connection& sql, const std::vector<std::string>& tokens)
{
    for (const std::string& token : tokens) {
        if (auto session = sessionThatSpent(sql, token)) {
            return Spent{token, std::move(*session)};
        }
    }
    return std::nullopt;
}

void insert(Connection& sql, const SessionRow& row)
{
    Buffer b(row);
    sql.ask(std::string("INSERT INTO sessions (") + kColumns
            + ") VALUES (:id, :transport, :caller, :issuer, :subject, :project, :instance, :model, :voice, :instructions, "
              ":started, :ends, :token, :expires, :renewals, :claim, :claim_until, :claim_request, :repeat_of, "
              ":repeat_request, :repeat_until, :repeat_sealed, :keeps_transcript)",
        use(b.id), use(b.transport), use(b.caller), use(b.issuer), use(b.subject), use(b.project),
        use(b.clientInstance), use(b.model), use(b.voice, b.hasVoice), use(b.instructions, b.hasInstructions),
        use(b.startedAt), use(b.endsAt, b.hasEnd), use(b.token), use(b.expiresAt), use(b.renewals), use(b.claim),
        use(b.claimUntil), use(b.claimRequest), use(b.repeatOf), use(b.repeatRequest), use(b.repeatUntil),
        use(b.repeatSealed), use(b.keepsTranscript));
}

void update(Connection& sql, const SessionRow& row)
{
    Buffer b(row);
    sql.ask(
        "UPDATE sessions SET model = :model, voice = :voice, instructions = :instructions, token = :token, "
        "ends_at = :ends, expires_at = :expires, renewals = :renewals, claim = :claim, claim_until = :claim_until, "
        "claim_request = :claim_request, repeat_of = :repeat_of, repeat_request = :repeat_request, "
        "repeat_until = :repeat_until, repeat_sealed = :repeat_sealed, keeps_transcript = :keeps_transcript WHERE id = :id",
        use(b.model), use(b.voice, b.hasVoice), use(b.instructions, b.hasInstructions), use(b.token),
        use(b.endsAt, b.hasEnd), use(b.expiresAt), use(b.renewals), use(b.claim), use(b.claimUntil),
        use(b.claimRequest), use(b.repeatOf), use(b.repeatRequest), use(b.repeatUntil), use(b.repeatSealed),
        use(b.keepsTranscript), use(b.id));
}

void insertSpent(Connection& sql, const SessionRow& row)
{
    sql.ask("INSERT INTO spent_tokens (hash, session, number) VALUES (:hash, :session, :number)", use(row.token),
        use(row.record.id), use(row.renewals));
}

void forgetSpent(Connection& sql, const std::string& token)
{
    sql.ask("DELETE FROM spent_tokens WHERE hash = :hash", use(token));
}

void forgetSpent(Connection& sql, const std::string& session, std::size_t keep)
{
    const int number = static_cast<int>(keep);
    sql.ask("DELETE FROM spent_tokens WHERE session = :session AND number <= (SELECT max(number) FROM spent_tokens "
            "WHERE session = :same) - :keep",
        use(session), use(session), use(number));
}

void erase(Connection& sql, const std::string& id)
{
    sql.ask("DELETE FROM sessions WHERE id = :id", use(id));
}

void giveUpClaim(Connection& sql, const std::string& id, const std::string& claim)
{
    sql.ask(
        "UPDATE sessions SET claim = '', claim_request = '' WHERE id = :id AND claim = :claim", use(id), use(claim));
}

void giveUpClaim(Connection& sql, const std::string& claim)
{
    sql.ask("UPDATE sessions SET claim = '', claim_request = '' WHERE claim = :claim", use(claim));
}

void giveUpClaims(Connection& sql)
{
    sql.ask("UPDATE sessions SET claim = '', claim_request = '' WHERE claim <> ''");
}

std::size_t countLive(Connection& sql, core::WallTime now)
{
    long long count = 0;
    const long long at = millisOf(now);
    sql.ask("SELECT count(*) FROM sessions WHERE expires_at > :now", into(count), use(at));
    return static_cast<std::size_t>(count);
}

std::size_t countLive(
    Connection& sql, const char* column, const std::string& value, core::WallTime now, core::WallTime claimedAfter)
{
    long long count = 0;
    const long long at = millisOf(now);
    const long long then = millisOf(claimedAfter);
    sql.ask(std::string("SELECT count(*) FROM sessions WHERE ") + column
            + " = :value AND (expires_at > :now OR (claim <> '' AND claim_until > :then))",
        into(count), use(value), use(at), use(then));
    return static_cast<std::size_t>(count);
}

} // namespace vivavoce::broker::rows
