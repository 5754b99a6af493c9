#pragma once

#include "core/base/executor.h"
#include "core/token/token_source.h"

namespace vivavoce::core {

/// Always the same token, for servers that want none or one that never changes (self-hosted, tests). Renewing answers
/// TokenExpired: nobody can renew it.
class LiteralTokenSource final : public TokenSource {
public:
    LiteralTokenSource(Executor& executor, TokenPtr token);
    void fetch(const TokenQuery& query, TokenCallback done) override;

private:
    Executor& m_executor;
    TokenPtr m_token;
};

} // namespace vivavoce::core
