#pragma once

#include "broker/store/connection.h"
#include "broker/transcripts/line.h"
#include "core/base/clock.h"
#include "core/base/units.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

/// The transcripts' tables. All functions throw soci::soci_error.
namespace vivavoce::broker::transcripts::rows {

/// What is kept of one session at most; what is said after that is not, and the transcript says so.
inline constexpr long long kMostBytes = 1024 * 1024;
inline constexpr long long kMostLines = 5'000;

[[nodiscard]] long long millisOf(core::WallTime time);
[[nodiscard]] core::WallTime timeOf(long long millis);

/// Whether a project has to be in the table of projects.
enum class Projects { Anywhere, InTable };
/// Writes what is to be kept of them: nothing of a session whose transcript was deleted, nothing of a project that is gone.
void write(
    Connection& sql, const Conversation& of, const std::vector<Line>& lines, Projects projects, core::WallTime now);
/// A stream has begun: until its end is noted, its session's transcript may lack something, also where there is none yet.
void noteBeginning(Connection& sql, const Conversation& of);
/// All that was said in it is written.
void noteEnd(Connection& sql, const Conversation& of);
/// Something of that session could not be kept. False: it has no transcript that could say so.
[[nodiscard]] bool markTorn(Connection& sql, const std::string& session);
/// Deletes it, and has nothing more written of its session.
void remove(Connection& sql, const std::string& session, core::WallTime now);
/// The same of what there is of a project, at most so many. How many there were.
std::size_t removeOfProject(Connection& sql, const std::string& project, core::WallTime now, std::size_t most);
/// Deletes what was to be kept no longer than until now, and what nobody has said anything in since `oldest`; some of it. False: there may be
/// more.
[[nodiscard]] bool forget(Connection& sql, core::WallTime now, core::WallTime oldest);

} // namespace vivavoce::broker::transcripts::rows
