#include "broker/store/migrations.h"

#include "broker/store/connection.h"

#include <string>
#include <vector>

namespace vivavoce::broker {
namespace {

/// What each table of the ledger counts (usage::Measure), as it was first shipped.
const std::string kMeasures =
    " connected_ms BIGINT NOT NULL, audio_in_ms BIGINT NOT NULL, audio_out_ms BIGINT NOT NULL, turns BIGINT NOT NULL,"
    " tool_calls BIGINT NOT NULL, text_in BIGINT NOT NULL, cached_text_in BIGINT NOT NULL, text_out BIGINT NOT NULL,"
    " audio_in BIGINT NOT NULL, cached_audio_in BIGINT NOT NULL, audio_out BIGINT NOT NULL, image_in BIGINT NOT NULL,"
    " cached_image_in BIGINT NOT NULL, transcribed_ms BIGINT NOT NULL, transcription_tokens BIGINT NOT NULL,"
    " nano_dollars BIGINT NOT NULL, unpriced BIGINT NOT NULL,";

const std::string kUsageSessions = "CREATE TABLE usage_sessions ("
                                   " id VARCHAR(80) PRIMARY KEY,"
                                   " transport VARCHAR(16) NOT NULL,"
                                   " caller TEXT NOT NULL,"
                                   " issuer TEXT NOT NULL,"
                                   " subject TEXT NOT NULL,"
                                   " project TEXT NOT NULL,"
                                   " provider TEXT NOT NULL,"
                                   " model TEXT NOT NULL,"
                                   " started_at BIGINT NOT NULL,"
                                   " last_seen BIGINT NOT NULL,"
                                   " reason TEXT NOT NULL,"
                                   " is_final INTEGER NOT NULL,"
                                   " is_reported INTEGER NOT NULL,"
                                   " is_holding INTEGER NOT NULL,"
                                   " hold BIGINT NOT NULL,"
    + kMeasures + " ended_at BIGINT NOT NULL)";
const std::string kUsageParts = "CREATE TABLE usage_parts ("
                                " session VARCHAR(80) NOT NULL REFERENCES usage_sessions (id) ON DELETE CASCADE,"
                                " part VARCHAR(160) NOT NULL,"
                                " at BIGINT NOT NULL,"
    + kMeasures + " PRIMARY KEY (session, part))";
const std::string kUsageDays = "CREATE TABLE usage_days ("
                               " day BIGINT NOT NULL,"
                               " caller TEXT NOT NULL,"
                               " issuer TEXT NOT NULL,"
                               " subject TEXT NOT NULL,"
                               " project TEXT NOT NULL,"
                               " provider TEXT NOT NULL,"
                               " model TEXT NOT NULL,"
                               " transport VARCHAR(16) NOT NULL,"
                               " sessions BIGINT NOT NULL,"
    + kMeasures + " PRIMARY KEY (day, caller, project, provider, model, transport))";

/// What closed days came to, by what reports ask for.
const std::string kUsageSums = "CREATE TABLE usage_sums ("
                               " scope VARCHAR(24) NOT NULL,"
                               " begin_day BIGINT NOT NULL,"
                               " caller TEXT NOT NULL,"
                               " project TEXT NOT NULL,"
                               " provider TEXT NOT NULL,"
                               " model TEXT NOT NULL,"
                               " sessions BIGINT NOT NULL,"
                               " relayed BIGINT NOT NULL,"
                               " relayed_ms BIGINT NOT NULL,"
                               " reported_nano_dollars BIGINT NOT NULL,"
    + kMeasures + " PRIMARY KEY (scope, begin_day, caller, project, provider, model))";

/// A step once shipped is never changed; what is wrong about it is mended by a later one. Both databases take the same text.
/// Times are milliseconds since 1970 in UTC; hashes and other bytes are text in hexadecimal digits or base64url.
const std::vector<std::vector<const char*>>& steps()
{
    static const std::vector<std::vector<const char*>> all{
        {
            "CREATE TABLE sessions ("
            " id VARCHAR(80) PRIMARY KEY,"
            " transport VARCHAR(16) NOT NULL,"
            " caller TEXT NOT NULL,"
            " issuer TEXT NOT NULL,"
            " subject TEXT NOT NULL,"
            " project TEXT NOT NULL,"
            " client_instance TEXT NOT NULL,"
            " model TEXT NOT NULL,"
            " voice TEXT,"
            " instructions TEXT,"
            " started_at BIGINT NOT NULL,"
            " ends_at BIGINT,"
            " token VARCHAR(64) NOT NULL,"
            " expires_at BIGINT NOT NULL,"
            " renewals INTEGER NOT NULL,"
            " claim VARCHAR(32) NOT NULL,"
            " claim_until BIGINT NOT NULL,"
            " claim_request TEXT NOT NULL,"
            " repeat_of VARCHAR(64) NOT NULL,"
            " repeat_request TEXT NOT NULL,"
            " repeat_until BIGINT NOT NULL,"
            " repeat_sealed TEXT NOT NULL)",
            "CREATE UNIQUE INDEX sessions_token ON sessions (token)",
            "CREATE INDEX sessions_caller ON sessions (caller, expires_at)",
            "CREATE INDEX sessions_project ON sessions (project)",
            "CREATE INDEX sessions_expires_at ON sessions (expires_at)",
            "CREATE INDEX sessions_repeat_until ON sessions (repeat_until)",
            "CREATE TABLE spent_tokens ("
            " hash VARCHAR(64) PRIMARY KEY,"
            " session VARCHAR(80) NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,"
            " number INTEGER NOT NULL)",
            "CREATE INDEX spent_tokens_session ON spent_tokens (session, number)",
        },
        {
            "CREATE TABLE projects ("
            " id VARCHAR(128) PRIMARY KEY,"
            " policy TEXT NOT NULL,"
            " created_at BIGINT NOT NULL)",
            "CREATE TABLE project_members ("
            " project VARCHAR(128) NOT NULL REFERENCES projects (id) ON DELETE CASCADE,"
            " member TEXT NOT NULL,"
            " PRIMARY KEY (project, member))",
        },
        {
            kUsageSessions.c_str(),
            "CREATE INDEX usage_sessions_ended_at ON usage_sessions (ended_at)",
            "CREATE INDEX usage_sessions_caller ON usage_sessions (caller, ended_at)",
            "CREATE INDEX usage_sessions_project ON usage_sessions (project, ended_at)",
            kUsageParts.c_str(),
            "CREATE INDEX usage_parts_at ON usage_parts (at)",
            kUsageDays.c_str(),
            "CREATE INDEX usage_days_caller ON usage_days (caller, day)",
            "CREATE INDEX usage_days_project ON usage_days (project, day)",
        },
        {
            // The stream that the session holds for: whoever comes again takes it over before the former one is seen to end.
            "ALTER TABLE usage_sessions ADD COLUMN holder VARCHAR(64) NOT NULL DEFAULT ''",
        },
        {
            // What is held for streams whose place another one has taken, and which may have a response under way.
            "CREATE TABLE usage_holds ("
            " session VARCHAR(80) NOT NULL,"
            " stream VARCHAR(64) NOT NULL,"
            " caller TEXT NOT NULL,"
            " project TEXT NOT NULL,"
            " hold BIGINT NOT NULL,"
            " until BIGINT NOT NULL,"
            " PRIMARY KEY (session, stream))",
            "CREATE INDEX usage_holds_caller ON usage_holds (caller, until)",
            "CREATE INDEX usage_holds_project ON usage_holds (project, until)",
        },
        {
            // Alerts, how far each came with each channel, what has come about already, and how things were when that was last told.
            "CREATE TABLE alerts ("
            " id VARCHAR(64) PRIMARY KEY,"
            " kind VARCHAR(32) NOT NULL,"
            " severity VARCHAR(16) NOT NULL,"
            " title TEXT NOT NULL,"
            " data TEXT NOT NULL,"
            " broker TEXT NOT NULL,"
            " at BIGINT NOT NULL)",
            "CREATE INDEX alerts_at ON alerts (at)",
            "CREATE INDEX alerts_kind ON alerts (kind, at)",
            "CREATE TABLE alert_deliveries ("
            " alert VARCHAR(64) NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,"
            " channel VARCHAR(64) NOT NULL,"
            " state VARCHAR(16) NOT NULL,"
            " attempts INTEGER NOT NULL,"
            " at BIGINT NOT NULL,"
            " reason TEXT NOT NULL,"
            " PRIMARY KEY (alert, channel))",
            "CREATE INDEX alert_deliveries_due ON alert_deliveries (channel, state, at)",
            "CREATE TABLE alert_marks ("
            " name VARCHAR(64) PRIMARY KEY,"
            " at BIGINT NOT NULL)",
            "CREATE INDEX alert_marks_at ON alert_marks (at)",
            // As they were told. Never changed, never removed: their numbers have no gaps.
            "CREATE TABLE invoices ("
            " number BIGINT PRIMARY KEY,"
            " name VARCHAR(64) NOT NULL UNIQUE,"
            " project VARCHAR(128) NOT NULL,"
            " month VARCHAR(7) NOT NULL,"
            " at BIGINT NOT NULL,"
            " data TEXT NOT NULL,"
            " UNIQUE (project, month))",
            "CREATE TABLE alert_states ("
            " subject VARCHAR(512) PRIMARY KEY,"
            " state VARCHAR(16) NOT NULL,"
            " since BIGINT NOT NULL)",
        },
        {
            // A page of a project's or a caller's live sessions, newest first, without sorting all of them.
            "CREATE INDEX sessions_project_id ON sessions (project, id)",
            "CREATE INDEX sessions_caller_id ON sessions (caller, id)",
        },
        {
            kUsageSums.c_str(),
            "CREATE INDEX usage_sums_caller ON usage_sums (scope, caller, begin_day)",
            "CREATE INDEX usage_sums_project ON usage_sums (scope, project, begin_day)",
            "CREATE INDEX usage_sums_time ON usage_sums (scope, begin_day, caller, project, connected_ms)",
            // Until which day all is summed up; until which one nothing more is taken, and of whom that is summed up. Days that there are
            // already are summed up one by one, by whoever runs.
            "CREATE TABLE usage_closed (until_day BIGINT NOT NULL, closing_day BIGINT NOT NULL, caller TEXT NOT NULL)",
            "INSERT INTO usage_closed (until_day, closing_day, caller) VALUES (-1, -1, '')",
        },
        {
            // What was said, of projects that want it kept. They outlive their session, and go with their time, their project, or when they are
            // deleted: of those a removal stays for a while, so that nothing more is written.
            "CREATE TABLE transcripts ("
            " session VARCHAR(80) PRIMARY KEY,"
            " project VARCHAR(128) NOT NULL,"
            " caller TEXT NOT NULL,"
            " issuer TEXT NOT NULL,"
            " subject TEXT NOT NULL,"
            " model TEXT NOT NULL,"
            " started_at BIGINT NOT NULL,"
            " last_at BIGINT NOT NULL,"
            " forget_at BIGINT NOT NULL,"
            " line_count BIGINT NOT NULL,"
            " bytes BIGINT NOT NULL,"
            " is_whole INTEGER NOT NULL)",
            "CREATE INDEX transcripts_project ON transcripts (project, session)",
            "CREATE INDEX transcripts_caller ON transcripts (caller, session)",
            "CREATE INDEX transcripts_forget_at ON transcripts (forget_at)",
            "CREATE INDEX transcripts_last_at ON transcripts (last_at)",
            "CREATE TABLE transcript_lines ("
            " session VARCHAR(80) NOT NULL REFERENCES transcripts (session) ON DELETE CASCADE,"
            " begun BIGINT NOT NULL,"
            " place BIGINT NOT NULL,"
            " speaker VARCHAR(16) NOT NULL,"
            " extent VARCHAR(16) NOT NULL,"
            " at BIGINT NOT NULL,"
            " size BIGINT NOT NULL,"
            " text TEXT NOT NULL,"
            " folded TEXT NOT NULL,"
            " PRIMARY KEY (session, begun, place))",
            "CREATE TABLE transcript_removals (session VARCHAR(80) PRIMARY KEY, at BIGINT NOT NULL)",
            "CREATE INDEX transcript_removals_at ON transcript_removals (at)",
            // Whether its client was told that what is said is kept.
            "ALTER TABLE sessions ADD COLUMN keeps_transcript INTEGER NOT NULL DEFAULT 0",
            // Admins of a project read and delete its transcripts.
            "ALTER TABLE project_members ADD COLUMN role VARCHAR(16) NOT NULL DEFAULT 'member'",
            "CREATE INDEX project_members_role ON project_members (member, role)",
        },
        {
            // Invoices without their lines, for lists: a table of its own, since what stands behind a long text is read through all of it.
            // Of invoices that there are already, and of those that a broker of an older version issues, the list makes them.
            "CREATE TABLE invoice_heads ("
            " number BIGINT PRIMARY KEY REFERENCES invoices (number),"
            " head TEXT NOT NULL)",
        },
        {
            // Streams in which something may be said that is not in their transcript yet, whether there is one or not: there from a stream's
            // beginning until all of it is written. One that stays is of a broker that was killed.
            "CREATE TABLE transcript_streams ("
            " session VARCHAR(80) NOT NULL,"
            " begun BIGINT NOT NULL,"
            " PRIMARY KEY (session, begun))",
            "CREATE INDEX transcript_streams_begun ON transcript_streams (begun)",
        },
    };
    return all;
}

/// An arbitrary number that means us.
constexpr const char* kLockForOthers = "SELECT pg_advisory_xact_lock(7482903155)";

} // namespace

std::optional<std::string> migrate(Connection& sql, Database::Kind kind)
{
    const auto newest = static_cast<int>(steps().size());
    int version = 0;
    do {
        soci::transaction transaction(sql);
        if (kind == Database::Kind::PostgreSql) {
            sql << kLockForOthers;
        }
        sql << "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)";
        soci::indicator known = soci::i_null;
        sql << "SELECT max(version) FROM schema_version", soci::into(version, known);
        version = known == soci::i_ok ? version : 0;
        if (version > newest) {
            return "its tables were made by a newer version of this program";
        }
        if (version < newest) {
            for (const char* statement : steps()[static_cast<std::size_t>(version)]) {
                sql << statement;
            }
            ++version;
            sql << "INSERT INTO schema_version (version) VALUES (:version)", soci::use(version);
        }
        transaction.commit();
    } while (version < newest);
    return std::nullopt;
}

} // namespace vivavoce::broker
