#include "broker/store/internal/sql_connection.h"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

namespace vivavoce::broker {
namespace {

/// The file is made before SQLite makes it for everybody to read; its journals get the same mode.
void makePrivate(const std::string& path)
{
#ifndef _WIN32
    constexpr mode_t kOnlyUs = 0600;
    const int file = ::open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, kOnlyUs);
    if (file >= 0) {
        ::close(file);
    }
#endif
}

constexpr const char* kCache = "PRAGMA cache_size = -32768";

/// What fits into memory is not written before the end of its transaction: while this lives, little does.
class FewPages {
public:
    explicit FewPages(Connection& sql) : m_sql(sql) { m_sql << "PRAGMA cache_size = 8"; }
    ~FewPages()
    {
        try {
            m_sql << kCache;
        } catch (const soci::soci_error&) {
            // Slower from here on, and no less true.
        }
    }
    FewPages(const FewPages&) = delete;
    FewPages& operator=(const FewPages&) = delete;

private:
    Connection& m_sql;
};

std::unique_ptr<Connection> connectToSqlite(const std::string& path, core::Milliseconds patience)
{
    if (path != ":memory:") {
        makePrivate(path);
    }
    auto sql = std::make_unique<Connection>(soci::sqlite3, "dbname=" + path + " timeout=5");
    *sql << "PRAGMA journal_mode = WAL";
    // Another program's write is waited for, and there is time left for ours.
    *sql << "PRAGMA busy_timeout = " << patience.count() * 2 / 5;
    // A session that was ended must not come back after a power failure.
    *sql << "PRAGMA synchronous = FULL";
    *sql << "PRAGMA foreign_keys = ON";
    // The pages that every new session touches stay in memory, in KiB, and are written to the file once for many sessions. A report of a year
    // comes to twenty megabytes, which it goes through twice; with less room it takes a third longer.
    *sql << kCache;
    *sql << "PRAGMA wal_autocheckpoint = 4000";
    return sql;
}

/// What the URL says for itself stays.
void addParameter(std::string& target, const std::string& name, const std::string& value)
{
    const std::size_t query = target.find('?');
    if (query == std::string::npos) {
        target += '?';
    } else if (target.find(name + "=", query) != std::string::npos) {
        return;
    } else {
        target += '&';
    }
    target += name + "=" + value;
}

std::unique_ptr<Connection> connectToPostgreSql(std::string_view url, core::Milliseconds patience)
{
    std::string target(url);
    const auto seconds = std::max<core::Milliseconds::rep>(2, patience.count() / 1'000);
    addParameter(target, "connect_timeout", std::to_string(seconds));
    addParameter(target, "application_name", "vivavoce-broker");
    // A host that is gone says nothing: what was sent has to be acknowledged in time, and whoever waits for an answer asks for a sign.
    addParameter(target, "tcp_user_timeout", std::to_string(patience.count()));
    addParameter(target, "keepalives_idle", std::to_string(seconds));
    addParameter(target, "keepalives_interval", "2");
    addParameter(target, "keepalives_count", "2");
    std::unique_ptr<Connection> sql;
    try {
        sql = std::make_unique<Connection>(soci::postgresql, target);
    } catch (...) {
        core::wipeString(target);
        throw;
    }
    core::wipeString(target);
    // Notices and warnings would go to standard error, as they are: one comes to each connection of a server that is shut down at once.
    *sql << "SET client_min_messages = error";
    *sql << "SET statement_timeout = " << patience.count();
    *sql << "SET idle_in_transaction_session_timeout = " << patience.count();
    // Nothing we ask for is so large that it is done sooner by processes that have to be begun first, or by code that has to be compiled first.
    *sql << "SET max_parallel_workers_per_gather = 0";
    *sql << "SET jit = off";
    return sql;
}

constexpr const char* kOnlyReads = "25006";

/// PostgreSQL's SQLSTATE; empty for everything else.
std::string stateOf(const std::exception& error)
{
    const auto* known = dynamic_cast<const soci::postgresql_soci_error*>(&error);
    return known != nullptr ? known->sqlstate() : std::string();
}

} // namespace

std::unique_ptr<Connection> connectTo(const DatabaseAddress& address, core::Milliseconds patience)
{
    return address.kind == Database::Kind::Sqlite ? connectToSqlite(std::string(address.target.reveal()), patience)
                                                  : connectToPostgreSql(address.target.reveal(), patience);
}

std::string reasonOf(const std::exception& error)
{
    const auto* known = dynamic_cast<const soci::soci_error*>(&error);
    std::string reason = known != nullptr ? known->get_error_message() : "an unexpected failure";
    // PostgreSQL's DETAIL lines hold values.
    reason.resize(std::min(reason.size(), reason.find('\n')));
    return reason;
}

bool isConflict(const std::exception& error)
{
    // Serialization failure and deadlock.
    const std::string state = stateOf(error);
    return state == "40001" || state == "40P01";
}

bool isRefusal(const std::exception& error)
{
    if (const auto* known = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
        constexpr int kReadOnly = 8;
        constexpr int kInOut = 10;
        constexpr int kFull = 13;
        const int plain = known->result() & 0xFF;
        return plain == kReadOnly || plain == kInOut || plain == kFull;
    }
    // Insufficient resources, errors of the system below, a transaction that only reads.
    const std::string state = stateOf(error);
    return state.starts_with("53") || state.starts_with("58") || state == kOnlyReads;
}

bool isOfThisConnection(const std::exception& error)
{
    const std::string state = stateOf(error);
    // 57014 is a statement that took too long.
    return state == kOnlyReads || state.starts_with("57P0");
}

void tryToWrite(Connection& sql, Database::Kind kind)
{
    if (kind == Database::Kind::Sqlite) {
        const FewPages fewPages(sql);
        soci::transaction alone(sql);
        sql << "INSERT INTO projects (id, policy, created_at) VALUES ('probe ' || CAST(random() AS TEXT), "
               "hex(randomblob(65536)), 0)";
        alone.rollback();
        return;
    }
    soci::transaction alone(sql);
    // Too large for what is left in a page, and no text that becomes much smaller.
    sql << "INSERT INTO projects (id, policy, created_at) SELECT 'probe ' || CAST(random() AS TEXT), "
           "string_agg(CAST(random() AS TEXT), ''), 0 FROM generate_series(1, 4000)";
    alone.rollback();
}

} // namespace vivavoce::broker
