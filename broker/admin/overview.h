#pragma once

#include "broker/metrics.h"
#include "broker/providers/providers.h"
#include "broker/usage/ledger.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "net/awaitable.h"

#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace vivavoce::broker::admin {

/// How the broker does now, on one page: sessions, tokens, refusals, what today came to, health of what it stands on.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: what it is made of outlives it.
class Overview {
public:
    struct Dependencies {
        const Metrics& metrics;
        const Providers& providers;
        usage::Ledger& ledger;
        const core::Clock& clock;
        core::MonotonicTime started{};
        /// What the parts say of themselves. [any thread]
        std::function<Readings()> readings;
        /// Admins keep the projects here.
        bool keepsProjects = false;
        bool keepsAudit = false;
    };

    explicit Overview(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    [[nodiscard]] net::Awaitable<core::Json> look();
    /// What of it is news: without what changes with every look.
    [[nodiscard]] static std::string news(const core::Json& overview);

private:
    /// What today came to, a few seconds old at most; null where the ledger cannot be asked.
    [[nodiscard]] net::Awaitable<core::Json> today();

    const Dependencies m_deps;
    std::mutex m_mutex;
    std::optional<core::MonotonicTime> m_todayAt;
    std::string m_today;
};

} // namespace vivavoce::broker::admin
