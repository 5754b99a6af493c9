#pragma once

#include "broker/store/connection.h"
#include "broker/tokens/session_registry.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace vivavoce::broker::rows {

/// A row of the table `sessions`. All functions throw soci::soci_error.
struct SessionRow {
    SessionRecord record;
    std::string token;
    core::WallTime expiresAt;
    int renewals = 0;
    std::string claim;
    /// Where there is no claim: when the repeat was last handed out, since the last renewal; nothing else that is not the beginning of time.
    core::WallTime claimUntil;
    std::string claimRequest;
    std::string repeatOf;
    std::string repeatRequest;
    core::WallTime repeatUntil;
    std::string repeatSealed;
};

[[nodiscard]] std::int64_t millisOf(core::WallTime time);

/// Those where `column` (a name of ours, never of a caller's) has that value, oldest first. `suffix` ends the statement.
[[nodiscard]] std::vector<SessionRow> selectWhere(
    Connection& sql, const char* column, const std::string& value, const char* suffix = "");
[[nodiscard]] std::optional<SessionRow> selectOne(
    Connection& sql, const char* column, const std::string& value, const char* suffix = "");
/// When the tokens of those run out that are there.
[[nodiscard]] std::unordered_map<std::string, core::WallTime> expiriesOf(
    Connection& sql, const std::vector<std::string>& ids);
/// The one that has the first of these tokens that is there.
[[nodiscard]] std::optional<SessionRow> selectLive(
    Connection& sql, const std::vector<std::string>& tokens, const char* suffix = "");
/// The session that spent this token.
[[nodiscard]] std::optional<std::string> sessionThatSpent(Connection& sql, const std::string& token);
struct Spent {
    std::string token;
    std::string session;
};
/// The same for the first of these tokens that is there.
[[nodiscard]] std::optional<Spent> sessionThatSpent(Connection& sql, const std::vector<std::string>& tokens);
void insert(Connection& sql, const SessionRow& row);
/// Writes everything that changes with a renewal.
void update(Connection& sql, const SessionRow& row);
void insertSpent(Connection& sql, const SessionRow& row);
void forgetSpent(Connection& sql, const std::string& token);
/// All but the newest `keep`.
void forgetSpent(Connection& sql, const std::string& session, std::size_t keep);
void erase(Connection& sql, const std::string& id);
void giveUpClaim(Connection& sql, const std::string& id, const std::string& claim);
/// Whosever it is.
void giveUpClaim(Connection& sql, const std::string& claim);
/// All of them.
void giveUpClaims(Connection& sql);
[[nodiscard]] std::size_t countLive(Connection& sql, core::WallTime now);
/// With those whose claim ends after `claimedAfter`: they are being resumed, or can be renewed still.
[[nodiscard]] std::size_t countLive(
    Connection& sql, const char* column, const std::string& value, core::WallTime now, core::WallTime claimedAfter);

} // namespace vivavoce::broker::rows
