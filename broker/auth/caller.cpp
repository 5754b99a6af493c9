#include "broker/auth/caller.h"

#include <algorithm>

namespace vivavoce::broker::auth {

std::string Caller::key() const
{
    // Both lengths are fixed by the first: no two callers can run into one.
    return std::to_string(static_cast<int>(kind)) + ":" + std::to_string(issuer.size()) + ":" + issuer + ":" + subject;
}

bool Caller::may(std::string_view scope) const
{
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

} // namespace vivavoce::broker::auth
