#include "core/token/deferred_token_source.h"

namespace vivavoce::core {

void DeferredTokenSource::become(std::unique_ptr<TokenSource> source)
{
    m_source = std::move(source);
    for (auto& [query, done] : std::exchange(m_waiting, {})) {
        m_source->fetch(query, std::move(done));
    }
}

void DeferredTokenSource::fetch(const TokenQuery& query, TokenCallback done)
{
    if (m_source != nullptr) {
        m_source->fetch(query, std::move(done));
    } else {
        m_waiting.emplace_back(query, std::move(done));
    }
}

} // namespace vivavoce::core
