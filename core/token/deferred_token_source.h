#pragma once

#include "core/token/token_source.h"

#include <memory>
#include <utility>
#include <vector>

namespace vivavoce::core {

/// A source that becomes known later: what is asked before then waits.
/// Threads and lifetime: as TokenSource.
class DeferredTokenSource final : public TokenSource {
public:
    /// Once.
    void become(std::unique_ptr<TokenSource> source);
    void fetch(const TokenQuery& query, TokenCallback done) override;

private:
    std::unique_ptr<TokenSource> m_source;
    std::vector<std::pair<TokenQuery, TokenCallback>> m_waiting;
};

} // namespace vivavoce::core
