#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/token/access_token.h"

#include <functional>
#include <string>

namespace vivavoce::core {

/// What is asked of a token source.
struct TokenQuery {
    /// The token to be renewed: the answer belongs to the same session. Null: any valid token will do.
    TokenPtr previous;
    /// Continues the caller's own session after its token has expired. Empty: a new session.
    std::string resumeSessionId;
};

using TokenCallback = std::function<void(Expected<TokenPtr, Error>)>;

/// Where tokens come from. Callers cannot tell, and need not know, which kind they hold.
/// Threads: the executor's own thread. The callback is called exactly once, never from within `fetch`, unless the source is
/// destroyed first. No lock is held across I/O.
class TokenSource {
public:
    virtual ~TokenSource() = default;
    virtual void fetch(const TokenQuery& query, TokenCallback done) = 0;
};

} // namespace vivavoce::core
