#pragma once

#include "broker/store/database_url.h"

#include <exception>
#include <memory>
#include <string>

namespace vivavoce::broker {

/// A connection as we want it: a SQLite file that only we may read, with its journal on disk before a commit returns; PostgreSQL that
/// gives up on a statement after `patience`. Throws soci::soci_error.
[[nodiscard]] std::unique_ptr<soci::session> connectTo(const DatabaseAddress& address, core::Milliseconds patience);

/// For the log: what went wrong, in one line, without the statement and its values.
[[nodiscard]] std::string reasonOf(const std::exception& error);
/// Another transaction was in the way: running again may help.
[[nodiscard]] bool isConflict(const std::exception& error);

} // namespace vivavoce::broker
