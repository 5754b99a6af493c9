#include "core/token/caching_token_source.h"

#include <utility>
#include <vector>

namespace vivavoce::core {

struct CachingTokenSource::State {
    explicit State(const Clock& systemClock) : clock(systemClock) {}

    struct Waiter {
        TokenCallback done;
        /// An explicit renewal must not be answered with the old token.
        bool wantsNew = false;
    };

    const Clock& clock;
    TokenPtr current;
    std::vector<Waiter> waiters;
    bool inFlight = false;
};

CachingTokenSource::CachingTokenSource(TokenSource& inner, const Clock& clock, Executor& executor)
    : m_inner(inner), m_clock(clock), m_executor(executor), m_state(std::make_shared<State>(clock))
{
}

CachingTokenSource::~CachingTokenSource() = default;

void CachingTokenSource::fetch(const TokenQuery& query, TokenCallback done)
{
    const MonotonicTime now = m_clock.now();
    State& state = *m_state;
    if (state.current != nullptr && state.current->isExpired(now)) {
        state.current.reset();
    }
    // Somebody who renews an already superseded token is served by its successor.
    const bool renews = query.previous != nullptr && query.previous == state.current;
    if (state.current != nullptr && !renews && !state.current->wantsRenewal(now)) {
        m_executor.post([token = state.current, done = std::move(done)] { done(token); });
        return;
    }
    state.waiters.push_back({std::move(done), renews});
    if (state.inFlight) {
        return;
    }
    state.inFlight = true;
    TokenQuery inner = query;
    inner.previous = state.current;
    m_inner.fetch(inner, [weak = std::weak_ptr<State>(m_state)](Expected<TokenPtr, Error> result) {
        if (const auto alive = weak.lock()) {
            arrived(alive, std::move(result));
        }
    });
}

void CachingTokenSource::discard(const TokenPtr& token)
{
    if (m_state->current == token) {
        m_state->current.reset();
    }
}

void CachingTokenSource::arrived(const std::shared_ptr<State>& state, Expected<TokenPtr, Error> result)
{
    state->inFlight = false;
    if (result) {
        state->current = *result;
    } else if (result.error().code == ErrorCode::NotAuthorised) {
        state->current.reset();
    }
    const bool oldServes = !result && isRetryable(result.error().code) && state->current != nullptr
        && !state->current->isExpired(state->clock.now());
    // A waiter may fetch again, or destroy the source, from its callback.
    for (State::Waiter& waiter : std::exchange(state->waiters, {})) {
        if (oldServes && !waiter.wantsNew) {
            waiter.done(state->current);
        } else {
            waiter.done(result);
        }
    }
}

} // namespace vivavoce::core
