#pragma once

#include "broker/tokens/session_registry.h"
#include "broker/usage/account.h"

#include <string>

namespace vivavoce::broker {

/// Whose account a session's usage goes to; without a hold.
[[nodiscard]] usage::Account accountOf(const SessionRecord& session, std::string provider, const Budgets& budgets);

} // namespace vivavoce::broker
