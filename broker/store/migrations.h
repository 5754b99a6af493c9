#pragma once

#include "broker/store/database.h"

#include <optional>
#include <string>

namespace vivavoce::broker {

/// Brings the tables to this version's shape, step by step, each in a transaction of its own. Of several brokers that start together one
/// does it. What went wrong, where something did: tables that a newer version made. Throws soci::soci_error.
[[nodiscard]] std::optional<std::string> migrate(Connection& sql, Database::Kind kind);

} // namespace vivavoce::broker
