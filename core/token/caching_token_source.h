#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/token/token_source.h"

#include <memory>

namespace vivavoce::core {

/// Remembers the token of another source and asks it only when it must.
/// - Single flight: while one request is under way every further fetch waits for its answer.
/// - A token past its renewal time is renewed; if that fails for a passing reason, the old one serves until it expires.
/// - An expired or superseded token is never handed out.
/// Threads: as TokenSource. Lifetime: `inner`, `clock` and `executor` outlive it.
class CachingTokenSource final : public TokenSource {
public:
    CachingTokenSource(TokenSource& inner, const Clock& clock, Executor& executor);
    ~CachingTokenSource() override;

    void fetch(const TokenQuery& query, TokenCallback done) override;
    /// The provider refused it: the next fetch asks for a fresh one.
    void discard(const TokenPtr& token);

private:
    struct State;
    static void arrived(const std::shared_ptr<State>& state, Expected<TokenPtr, Error> result);

    TokenSource& m_inner;
    const Clock& m_clock;
    Executor& m_executor;
    std::shared_ptr<State> m_state;
};

} // namespace vivavoce::core
