#pragma once

#include "broker/store/connection.h"
#include "broker/store/database_url.h"

#include <exception>
#include <memory>
#include <string>

namespace vivavoce::broker {

/// A connection as we want it: a SQLite file that only we may read, with its journal on disk before a commit returns; PostgreSQL that
/// gives up on a statement after `patience`. Throws soci::soci_error.
[[nodiscard]] std::unique_ptr<Connection> connectTo(const DatabaseAddress& address, core::Milliseconds patience);

/// For the log: what went wrong, in one line, without the statement and its values.
[[nodiscard]] std::string reasonOf(const std::exception& error);
/// Another transaction was in the way: running again may help.
[[nodiscard]] bool isConflict(const std::exception& error);
/// The database is there and takes no writes: there is no room, or it may only be read.
[[nodiscard]] bool isRefusal(const std::exception& error);
/// Another connection may find one that does it: its server goes down, or is a standby by now.
[[nodiscard]] bool isOfThisConnection(const std::exception& error);
/// Writes what needs room of its own, and rolls it back. Throws soci::soci_error.
void tryToWrite(Connection& sql, Database::Kind kind);

} // namespace vivavoce::broker
