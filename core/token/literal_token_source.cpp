#include "core/token/literal_token_source.h"

#include <utility>

namespace vivavoce::core {

LiteralTokenSource::LiteralTokenSource(Executor& executor, TokenPtr token)
    : m_executor(executor), m_token(std::move(token))
{
}

void LiteralTokenSource::fetch(const TokenQuery& query, TokenCallback done)
{
    const bool renew = query.previous != nullptr;
    m_executor.post([token = m_token, renew, done = std::move(done)] {
        if (renew) {
            done(fail(ErrorCode::TokenExpired, "this token cannot be renewed"));
        } else {
            done(token);
        }
    });
}

} // namespace vivavoce::core
