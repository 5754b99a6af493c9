#pragma once

#include "broker/store/database.h"

#include <string>

namespace vivavoce::broker {

/// A database's address as SOCI wants it.
struct DatabaseAddress {
    Database::Kind kind = Database::Kind::Sqlite;
    /// A path for SQLite; libpq's URI for PostgreSQL, which may hold a password.
    core::Secret target;
};

/// "sqlite:///absolute", "sqlite://relative", "postgresql://…" or "postgres://…". BadConfiguration without any part of the text.
[[nodiscard]] core::Expected<DatabaseAddress, core::Error> parseDatabaseUrl(const core::Secret& url);

} // namespace vivavoce::broker
