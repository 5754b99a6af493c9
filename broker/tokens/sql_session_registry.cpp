#include "broker/tokens/sql_session_registry.h"

#include "broker/tokens/internal/session_rows.h"

#include <chrono>
#include <map>
#include <memory>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Unexpected;
using core::WallTime;

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the sessions' store cannot be asked now", std::chrono::seconds(5)};
}

Fault isUnderWay()
{
    return {FaultCode::RefreshInProgress, "wait for its answer", std::chrono::seconds(1)};
}

Fault sessionsFull()
{
    return {FaultCode::SessionsFull, "try again later", std::chrono::seconds(5)};
}

/// One line: neither part may hold a line's end.
std::string requestOf(const Idempotency& idempotency)
{
    return idempotency.key.empty() ? std::string() : idempotency.key + '\n' + idempotency.clientInstance;
}

Fault tooMany()
{
    return {FaultCode::TooManySessions, "end one of them, or wait until one has", std::chrono::seconds(60)};
}

std::vector<std::string> hexOf(const TokenHashes& hashes)
{
    std::vector<std::string> texts;
    for (const TokenHash& hash : hashes) {
        texts.push_back(broker::hexOf(hash));
    }
    return texts;
}

bool isClaimed(const rows::SessionRow& row, WallTime now)
{
    return !row.claim.empty() && now < row.claimUntil;
}

bool isOver(const rows::SessionRow& row, WallTime now)
{
    return row.record.endsAt && now >= *row.record.endsAt;
}

RenewalLead leadOf(const rows::SessionRow& row, const std::string& claim)
{
    return {row.record, nullptr, claim, row.token, row.expiresAt};
}

void takeBack(rows::SessionRow& row, const std::string& token, WallTime expiresAt)
{
    row.token = token;
    row.expiresAt = expiresAt;
    --row.renewals;
    row.repeatOf.clear();
    row.repeatRequest.clear();
    row.repeatUntil = WallTime();
    row.repeatSealed.clear();
}

} // namespace

/// Whoever was told that it is not done asks again within that time, if at all.
constexpr core::Milliseconds kUntoldFor{600'000};
constexpr std::size_t kMostUntold = 10'000;

std::string_view transportText(SessionTransport transport)
{
    return transport == SessionTransport::Relay ? "relay" : "direct";
}

SqlSessionRegistry::SqlSessionRegistry(Limits limits, Database& database, const core::Clock& clock)
    : m_limits(limits), m_database(database), m_clock(clock), m_claimWindow(limits.claimWindow)
{
}

template <typename T>
SessionRegistry::Answer<T> SqlSessionRegistry::ask(std::function<T(Connection&)> work, Database::Undo<T> undo)
{
    auto answer = co_await m_database.run<T>(std::move(work), std::move(undo));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

const char* SqlSessionRegistry::forUpdate() const
{
    return isShared() ? " FOR UPDATE" : "";
}

bool SqlSessionRegistry::isFull(Connection& sql, bool isShared, const SessionRecord& record, SessionCaps caps,
    WallTime now, core::Milliseconds grace)
{
    const auto isTaken = [&](const char* column, const std::string& value, std::optional<std::size_t> cap) {
        if (!cap || value.empty()) {
            return false;
        }
        if (isShared) {
            // Whoever counts next waits until this one is in.
            const std::string lock = std::string(column) + ' ' + value;
            sql.ask("SELECT pg_advisory_xact_lock(hashtext(:who))", soci::use(lock));
        }
        return rows::countLive(sql, column, value, now, now - grace) >= *cap;
    };
    return isTaken("caller", record.caller, caps.ofCaller) || isTaken("project", record.project, caps.ofProject);
}

bool SqlSessionRegistry::hasRoom()
{
    return m_live + m_opening < m_limits.maxSessions;
}

/// One of the places under the limit, taken while a session is being opened.
class SqlSessionRegistry::Place {
public:
    explicit Place(SqlSessionRegistry& registry) : m_registry(registry), m_before(registry.m_opening++) {}
    ~Place() { --m_registry.m_opening; }
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    [[nodiscard]] bool isOne() const { return m_registry.m_live + m_before < m_registry.m_limits.maxSessions; }

private:
    SqlSessionRegistry& m_registry;
    const std::size_t m_before;
};

net::Awaitable<std::optional<Fault>> SqlSessionRegistry::open(
    SessionRecord record, TokenHash token, WallTime expiresAt, SessionCaps caps, Together together)
{
    const Place place(*this);
    if (!place.isOne()) {
        co_return sessionsFull();
    }
    Database::Undo<std::optional<Fault>> undo = [id = record.id](Connection& sql, const auto& fault) {
        if (!fault) {
            rows::erase(sql, id);
        }
    };
    rows::SessionRow row;
    row.record = std::move(record);
    row.token = broker::hexOf(token);
    row.expiresAt = expiresAt;
    std::function<std::optional<Fault>(Connection&)> work =
        [row = std::move(row), caps, shared = isShared(), together = std::move(together), now = m_clock.wallNow(),
            grace = m_limits.claimGrace](Connection& sql) -> std::optional<Fault> {
        const auto same = rows::selectOne(sql, "token", row.token);
        if (same && same->record.id == row.record.id) {
            // Committed before the connection was lost.
            return std::nullopt;
        }
        if (isFull(sql, shared, row.record, caps, now, grace)) {
            return tooMany();
        }
        // Two sessions of one token: a provider that hands out the same value twice would let one end the other.
        if (same || rows::sessionThatSpent(sql, row.token)) {
            return Fault{FaultCode::ProviderMalformed, "it gave the same token twice", std::nullopt};
        }
        if (together) {
            if (auto fault = together(sql)) {
                return fault;
            }
        }
        rows::insert(sql, row);
        return std::nullopt;
    };
    auto answer = co_await ask<std::optional<Fault>>(std::move(work), std::move(undo));
    if (!answer) {
        co_return std::move(answer.error());
    }
    if (!*answer) {
        ++m_live;
    }
    co_return std::move(*answer);
}

/// A flight that is known before its claim is in the store, so that whoever finds the claim finds the flight; gone again unless it departs.
class SqlSessionRegistry::Announcement {
public:
    explicit Announcement(SqlSessionRegistry& registry) : m_registry(registry)
    {
        const std::lock_guard lock(m_registry.m_mutex);
        m_registry.m_flights.emplace(m_claim, m_flight);
    }
    ~Announcement()
    {
        if (m_flight != nullptr) {
            m_registry.land(m_claim, {isUnderWay()});
        }
    }
    Announcement(const Announcement&) = delete;
    Announcement& operator=(const Announcement&) = delete;
    [[nodiscard]] const std::string& claim() const { return m_claim; }
    [[nodiscard]] std::shared_ptr<Flight> depart() { return std::exchange(m_flight, nullptr); }

private:
    SqlSessionRegistry& m_registry;
    const std::string m_claim = randomId();
    std::shared_ptr<Flight> m_flight = std::make_shared<Flight>();
};

net::Awaitable<Renewal> SqlSessionRegistry::claim(ClaimWork work)
{
    // A claim without a flight here: it has landed since, which asking again tells, or it is another broker's.
    constexpr int kMostAttempts = 2;
    for (int attempt = 0; attempt < kMostAttempts; ++attempt) {
        Announcement announcement(*this);
        std::function<Renewal(Connection&)> named = [work, claim = announcement.claim()](
                                                        Connection& sql) { return work(sql, claim); };
        // A claim that came too late is nobody's: it would keep everybody else out for its time.
        Database::Undo<Renewal> undo = [](Connection& sql, const Renewal& late) {
            if (const auto* lead = std::get_if<RenewalLead>(&late)) {
                rows::giveUpClaim(sql, lead->record.id, lead->claim);
            }
        };
        auto answer = co_await ask<Renewal>(std::move(named), std::move(undo));
        if (!answer) {
            rememberClaim({}, announcement.claim());
            co_return Renewal(std::move(answer.error()));
        }
        if (auto* lead = std::get_if<RenewalLead>(&*answer)) {
            lead->flight = announcement.depart();
            co_return std::move(*answer);
        }
        auto* other = std::get_if<RenewalUnderWay>(&*answer);
        if (other == nullptr) {
            co_return std::move(*answer);
        }
        other->flight = flightOf(other->claim);
        if (other->flight != nullptr) {
            co_return std::move(*answer);
        }
    }
    co_return Renewal(isUnderWay());
}

net::Awaitable<Renewal> SqlSessionRegistry::claimByToken(TokenHashes token, Idempotency idempotency)
{
    auto hashes = hexOf(token);
    auto untold = untoldOf(hashes);
    ClaimWork work = [hashes = std::move(hashes), untold = std::move(untold), idempotency = std::move(idempotency),
                         lock = forUpdate(), limits = m_limits, window = m_claimWindow.load(),
                         now = m_clock.wallNow()](Connection& sql, const std::string& name) -> Renewal {
        const std::string request = requestOf(idempotency);
        auto row = rows::selectLive(sql, hashes, lock);
        if (!row) {
            const auto spent = rows::sessionThatSpent(sql, hashes);
            // What has spent it may be undone in this moment: then it lives again.
            row = spent ? rows::selectOne(sql, "id", spent->session, lock) : rows::selectLive(sql, hashes, lock);
            if (!row) {
                return Fault{FaultCode::InvalidToken, "not a token of a session here", std::nullopt};
            }
            const bool isSpent = spent && row->token != spent->token;
            if (isSpent && row->repeatOf == spent->token && !request.empty() && row->repeatRequest == request
                && now <= row->repeatUntil) {
                if (row->claim.empty()) {
                    // Its successor is with somebody now, and stays.
                    row->claimUntil = now;
                    rows::update(sql, *row);
                }
                return RenewalRepeat{row->record, row->repeatSealed, row->expiresAt};
            }
            const bool isUntold =
                untold && row->token == untold->successor && row->claim.empty() && row->claimUntil == WallTime();
            if (isSpent && !isUntold) {
                return RenewalReuse{row->record};
            }
            if (isSpent) {
                // Stored although its caller was told that it is not: nobody has the successor.
                rows::forgetSpent(sql, spent->token);
                takeBack(*row, spent->token, untold->formerExpiresAt);
                rows::update(sql, *row);
            }
        }
        if (row->claim == name) {
            // Committed before the connection was lost.
            return leadOf(*row, name);
        }
        const auto refuse = [&](FaultCode code, const char* why) {
            return RenewalRefused{row->record, Fault{code, why, std::nullopt}};
        };
        if (row->record.clientInstance != idempotency.clientInstance && !row->record.clientInstance.empty()) {
            return refuse(FaultCode::InvalidToken, "its session belongs to another client instance");
        }
        if (isClaimed(*row, now)) {
            return !request.empty() && row->claimRequest == request
                ? Renewal(RenewalUnderWay{row->record, row->claim, nullptr})
                : Renewal(RenewalRefused{row->record, isUnderWay()});
        }
        if (isOver(*row, now)) {
            return refuse(FaultCode::TokenExpired, "its session has lasted as long as it may; ask for a new one");
        }
        // Whoever came with it in time was kept out by a claim whose broker is gone.
        const bool wasKeptOut = !row->claim.empty() && now < row->claimUntil + limits.claimGrace;
        if (now >= row->expiresAt && !wasKeptOut) {
            return refuse(FaultCode::TokenExpired, "ask for a token with resumeSessionId");
        }
        row->claim = name;
        row->claimUntil = now + window;
        row->claimRequest = request;
        rows::update(sql, *row);
        return leadOf(*row, name);
    };
    auto renewal = co_await claim(std::move(work));
    co_return renewal;
}

net::Awaitable<Renewal> SqlSessionRegistry::claimBySession(
    std::string id, std::string caller, std::string clientInstance, SessionCaps caps)
{
    ClaimWork work = [id = std::move(id), caller = std::move(caller), instance = std::move(clientInstance),
                         lock = forUpdate(), shared = isShared(), caps, limits = m_limits,
                         window = m_claimWindow.load(),
                         now = m_clock.wallNow()](Connection& sql, const std::string& name) -> Renewal {
        auto row = rows::selectOne(sql, "id", id, lock);
        if (row && row->claim == name) {
            return leadOf(*row, name);
        }
        const bool isTheirs = row && row->record.caller == caller
            && (row->record.clientInstance.empty() || row->record.clientInstance == instance);
        if (!isTheirs || now > row->expiresAt + limits.resumeWindow || isOver(*row, now)) {
            return Fault{FaultCode::SessionNotFound, "ask for a token without resumeSessionId", std::nullopt};
        }
        if (isClaimed(*row, now)) {
            return isUnderWay();
        }
        if (now >= row->expiresAt && isFull(sql, shared, row->record, caps, now, limits.claimGrace)) {
            return tooMany();
        }
        row->claim = name;
        row->claimUntil = now + window;
        row->claimRequest.clear();
        rows::update(sql, *row);
        return leadOf(*row, name);
    };
    auto renewal = co_await claim(std::move(work));
    co_return renewal;
}

SessionRegistry::Answer<bool> SqlSessionRegistry::complete(RenewalLead lead, Successor successor)
{
    const RenewalLead asked = lead;
    // As it was, for undoing.
    const auto before = std::make_shared<std::optional<rows::SessionRow>>();
    const std::string token = hexOf(successor.token);
    Database::Undo<bool> undo = [before, token, lock = forUpdate()](Connection& sql, bool isIn) {
        const auto row = isIn && *before ? rows::selectOne(sql, "id", (*before)->record.id, lock) : std::nullopt;
        // Nobody has come meanwhile, neither with the successor nor for it.
        const bool isUntouched =
            row && row->token == token && row->claim.empty() && row->claimUntil == core::WallTime();
        if (isUntouched) {
            rows::SessionRow former = **before;
            former.claim.clear();
            former.claimRequest.clear();
            rows::forgetSpent(sql, former.token);
            rows::update(sql, former);
        }
    };
    std::function<bool(Connection&)> work = [lead = std::move(lead), successor = std::move(successor), token, before,
                                                lock = forUpdate(), limits = m_limits, now = m_clock.wallNow(),
                                                since = std::chrono::steady_clock::now()](Connection& sql) {
        auto row = rows::selectOne(sql, "id", lead.record.id, lock);
        if (row && row->claim != lead.claim && row->token == token) {
            // Committed before the connection was lost.
            return true;
        }
        if (!row || row->claim != lead.claim || rows::selectOne(sql, "token", token)
            || rows::sessionThatSpent(sql, token)) {
            return false;
        }
        *before = row;
        rows::insertSpent(sql, *row);
        rows::forgetSpent(sql, row->record.id, limits.maxSpent);
        row->repeatOf = row->claimRequest.empty() ? std::string() : row->token;
        row->repeatRequest = row->claimRequest;
        // It may have waited long for its turn or for the row.
        const auto waited = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - since);
        row->repeatUntil = now + waited + limits.repeatWindow;
        row->repeatSealed = row->claimRequest.empty() ? std::string() : successor.sealed;
        row->record = lead.record;
        row->token = token;
        row->expiresAt = successor.expiresAt;
        ++row->renewals;
        row->claim.clear();
        row->claimUntil = WallTime();
        row->claimRequest.clear();
        rows::update(sql, *row);
        return true;
    };
    auto answer = co_await ask<bool>(std::move(work), std::move(undo));
    if (!answer) {
        repeatFromNow(asked.record.id, token);
        rememberUntold(asked, token);
        rememberClaim(asked.record.id, asked.claim);
        land(asked.claim, {answer.error()});
    } else if (*answer) {
        land(asked.claim, {});
    } else {
        land(asked.claim, {Fault{FaultCode::InvalidToken, "the session has ended", std::nullopt}});
    }
    co_return std::move(answer);
}

void SqlSessionRegistry::repeatFromNow(const std::string& id, const std::string& token)
{
    const long long until = rows::millisOf(m_clock.wallNow() + m_limits.repeatWindow);
    m_database.post([id, token, until](Connection& sql) {
        sql.ask("UPDATE sessions SET repeat_until = :until WHERE id = :id AND token = :token AND repeat_sealed <> ''",
            soci::use(until), soci::use(id), soci::use(token));
    });
}

net::Awaitable<> SqlSessionRegistry::abandon(RenewalLead lead, Fault fault)
{
    // Not told before the claim is gone: whoever tries again at once is not to find it.
    std::function<int(Connection&)> work = [lead](Connection& sql) {
        rows::giveUpClaim(sql, lead.record.id, lead.claim);
        return 0;
    };
    const auto done = co_await ask<int>(std::move(work));
    if (!done) {
        rememberClaim(lead.record.id, lead.claim);
    }
    land(lead.claim, {std::move(fault)});
}

void SqlSessionRegistry::abandonSoon(const RenewalLead& lead, Fault fault)
{
    m_database.post([id = lead.record.id, claim = lead.claim](Connection& sql) { rows::giveUpClaim(sql, id, claim); });
    // Nobody hears whether that went well.
    rememberClaim(lead.record.id, lead.claim);
    land(lead.claim, {std::move(fault)});
}

void SqlSessionRegistry::rememberClaim(const std::string& session, const std::string& claim)
{
    const std::lock_guard lock(m_mutex);
    if (m_deadClaims.size() < kMostUntold) {
        m_deadClaims.emplace_back(session, claim);
    }
}

void SqlSessionRegistry::rememberUntold(const RenewalLead& lead, const std::string& successor)
{
    const std::lock_guard lock(m_mutex);
    if (m_untold.size() < kMostUntold) {
        m_untold.insert_or_assign(lead.formerToken, Untold{successor, lead.formerExpiresAt, m_clock.now()});
    }
}

std::optional<SqlSessionRegistry::Untold> SqlSessionRegistry::untoldOf(const std::vector<std::string>& tokens)
{
    const std::lock_guard lock(m_mutex);
    for (const std::string& token : tokens) {
        if (const auto found = m_untold.find(token); found != m_untold.end()) {
            return found->second;
        }
    }
    return std::nullopt;
}

void SqlSessionRegistry::dropFormerClaims()
{
    if (!isShared()) {
        m_database.putRight([](Connection& sql) { rows::giveUpClaims(sql); });
    }
}

net::Awaitable<> SqlSessionRegistry::dropDeadClaims()
{
    std::vector<std::pair<std::string, std::string>> dead;
    {
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_untold, [&](const auto& one) { return m_clock.now() - one.second.since >= kUntoldFor; });
        dead = m_deadClaims;
    }
    if (dead.empty()) {
        co_return;
    }
    std::function<int(Connection&)> work = [dead](Connection& sql) {
        for (const auto& [session, claim] : dead) {
            session.empty() ? rows::giveUpClaim(sql, claim) : rows::giveUpClaim(sql, session, claim);
        }
        return 0;
    };
    const auto dropped = co_await ask<int>(std::move(work));
    if (dropped) {
        const std::lock_guard lock(m_mutex);
        // What came meanwhile stands behind them.
        m_deadClaims.erase(m_deadClaims.begin(), m_deadClaims.begin() + static_cast<std::ptrdiff_t>(dead.size()));
    }
}

std::shared_ptr<Flight> SqlSessionRegistry::flightOf(const std::string& claim)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_flights.find(claim);
    return found == m_flights.end() ? nullptr : found->second;
}

void SqlSessionRegistry::land(const std::string& claim, Flight::Landing landing)
{
    std::shared_ptr<Flight> flight;
    {
        const std::lock_guard lock(m_mutex);
        if (auto node = m_flights.extract(claim)) {
            flight = std::move(node.mapped());
        }
    }
    if (flight != nullptr) {
        flight->land(std::move(landing));
    }
}

SessionRegistry::Answer<std::optional<SessionRecord>> SqlSessionRegistry::end(std::string id)
{
    auto ended = co_await endWhere("id", std::move(id));
    if (!ended) {
        co_return Unexpected<Fault>(std::move(ended.error()));
    }
    co_return ended->empty() ? std::nullopt : std::optional(std::move(ended->front()));
}

SessionRegistry::Answer<std::vector<SessionRecord>> SqlSessionRegistry::endAllOf(std::string caller)
{
    auto ended = co_await endWhere("caller", std::move(caller));
    co_return std::move(ended);
}

SessionRegistry::Answer<std::vector<SessionRecord>> SqlSessionRegistry::endAllOfProject(std::string project)
{
    auto ended = co_await endWhere("project", std::move(project));
    co_return std::move(ended);
}

SessionRegistry::Answer<std::vector<SessionRecord>> SqlSessionRegistry::endWhere(const char* column, std::string value)
{
    // Also those that were gone when the connection was lost: who asked has to hear of them.
    const auto ended = std::make_shared<std::map<std::string, SessionRecord>>();
    std::function<std::vector<SessionRecord>(Connection&)> work = [column, value = std::move(value), ended,
                                                                      lock = forUpdate()](Connection& sql) {
        for (rows::SessionRow& row : rows::selectWhere(sql, column, value, lock)) {
            rows::erase(sql, row.record.id);
            ended->insert_or_assign(row.record.id, std::move(row.record));
        }
        std::vector<SessionRecord> all;
        for (const auto& [id, record] : *ended) {
            all.push_back(record);
        }
        return all;
    };
    // Nothing of it is undone: who is told that it failed may rely on that.
    auto answer = co_await m_database.runToTheEnd<std::vector<SessionRecord>>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

SessionRegistry::Answer<std::optional<SessionRecord>> SqlSessionRegistry::find(std::string id)
{
    std::function<std::optional<SessionRecord>(Connection&)> work =
        [id = std::move(id)](Connection& sql) -> std::optional<SessionRecord> {
        auto row = rows::selectOne(sql, "id", id);
        return row ? std::optional(std::move(row->record)) : std::nullopt;
    };
    auto found = co_await ask<std::optional<SessionRecord>>(std::move(work));
    co_return std::move(found);
}

SessionRegistry::Answer<std::optional<LiveSession>> SqlSessionRegistry::liveByToken(TokenHashes token)
{
    std::function<std::optional<LiveSession>(Connection&)> work = [hashes = hexOf(token), now = m_clock.wallNow()](
                                                                      Connection& sql) -> std::optional<LiveSession> {
        auto row = rows::selectLive(sql, hashes);
        if (!row || now >= row->expiresAt || isOver(*row, now)) {
            return std::nullopt;
        }
        return LiveSession{std::move(row->record), row->expiresAt};
    };
    auto live = co_await ask<std::optional<LiveSession>>(std::move(work));
    co_return std::move(live);
}

SessionRegistry::Answer<bool> SqlSessionRegistry::isKnown(TokenHashes token)
{
    std::function<bool(Connection&)> work = [hashes = hexOf(token)](Connection& sql) {
        return rows::selectLive(sql, hashes) || rows::sessionThatSpent(sql, hashes);
    };
    const auto known = co_await ask<bool>(std::move(work));
    co_return known;
}

SessionRegistry::Answer<SessionRegistry::Expiries> SqlSessionRegistry::expiriesOf(std::vector<std::string> ids)
{
    std::function<Expiries(Connection&)> work = [ids = std::move(ids)](
                                                    Connection& sql) { return rows::expiriesOf(sql, ids); };
    auto expiries = co_await ask<Expiries>(std::move(work));
    co_return std::move(expiries);
}

SessionRegistry::Answer<std::vector<LiveSession>> SqlSessionRegistry::liveOf(std::string caller)
{
    std::function<std::vector<LiveSession>(Connection&)> work = [caller = std::move(caller), now = m_clock.wallNow()](
                                                                    Connection& sql) {
        constexpr std::size_t kMost = 1'000;
        std::vector<LiveSession> live;
        for (rows::SessionRow& row : rows::selectWhere(sql, "caller", caller)) {
            if (now < row.expiresAt && live.size() < kMost) {
                live.push_back({std::move(row.record), row.expiresAt});
            }
        }
        return live;
    };
    auto live = co_await ask<std::vector<LiveSession>>(std::move(work));
    co_return std::move(live);
}

SessionRegistry::Answer<std::size_t> SqlSessionRegistry::countOf(std::string caller)
{
    std::function<std::size_t(Connection&)> work = [caller = std::move(caller), now = m_clock.wallNow()](
                                                       Connection& sql) {
        return rows::countLive(sql, "caller", caller, now, now);
    };
    auto count = co_await ask<std::size_t>(std::move(work));
    co_return count;
}

SessionRegistry::Answer<std::size_t> SqlSessionRegistry::countAll()
{
    std::function<std::size_t(Connection&)> work = [now = m_clock.wallNow()](
                                                       Connection& sql) { return rows::countLive(sql, now); };
    auto count = co_await ask<std::size_t>(std::move(work));
    co_return count;
}

net::Awaitable<> SqlSessionRegistry::sweep()
{
    co_await dropDeadClaims();
    std::function<std::size_t(Connection&)> work = [limits = m_limits, time = m_clock.wallNow()](Connection& sql) {
        const long long at = rows::millisOf(time);
        const long long forgotten = at - limits.resumeWindow.count();
        sql.ask("DELETE FROM sessions WHERE expires_at < :forgotten", soci::use(forgotten));
        sql.ask(
            "UPDATE sessions SET repeat_sealed = '', repeat_until = 0 WHERE repeat_until > 0 AND repeat_until < :now",
            soci::use(at));
        long long expired = 0;
        sql.ask("SELECT count(*) FROM sessions WHERE expires_at <= :now", soci::into(expired), soci::use(at));
        const long long surplus = expired - static_cast<long long>(limits.maxSessions);
        if (surplus > 0) {
            sql.ask("DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires_at <= :now "
                    "ORDER BY expires_at LIMIT :surplus)",
                soci::use(at), soci::use(surplus));
        }
        return rows::countLive(sql, time);
    };
    const auto live = co_await ask<std::size_t>(std::move(work));
    if (live) {
        m_live = *live;
    }
}

} // namespace vivavoce::broker
