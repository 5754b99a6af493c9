#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/log.h"
#include "broker/tokens/client.h"

#include <cstddef>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_set>

namespace vivavoce::broker::http {

/// Tells log and audit of credentials that are good, each when it comes for the first time: who bears it has signed in with it.
/// Invariant: at most 2 × `remembered` credentials are known, by HMAC; one that was forgotten meanwhile, or whose line could not be stored,
/// is told of again.
/// Threads: [any thread]; one mutex, held for memory operations only.
class SignInReport {
public:
    struct Dependencies {
        AuditTrail& audit;
        const TokenHasher& hasher;
        Log& log;
    };

    explicit SignInReport(Dependencies dependencies, std::size_t remembered = 32'768)
        : m_deps(dependencies), m_known(std::make_shared<Known>(remembered))
    {
    }

    /// Not waited for: what the client does next has a line of its own, which follows this one. What becomes of the line is seen on `executor`.
    void signedIn(const Client& client, std::string_view credential, const net::IoExecutor& executor);

private:
    class Known {
    public:
        explicit Known(std::size_t most) : m_most(most) {}
        /// True the first time; known from then on.
        [[nodiscard]] bool isNew(const TokenHash& hash);
        void forget(const TokenHash& hash);

    private:
        const std::size_t m_most;
        std::mutex m_mutex;
        std::unordered_set<TokenHash, TokenHashBucket> m_recent;
        /// What was recent before: forgotten as a whole when `m_recent` is full.
        std::unordered_set<TokenHash, TokenHashBucket> m_earlier;
    };
    static net::Awaitable<> see(
        net::Awaitable<AuditTrail::Appended> line, std::shared_ptr<Known> known, TokenHash hash);

    const Dependencies m_deps;
    /// Shared with those who look after their lines.
    const std::shared_ptr<Known> m_known;
};

} // namespace vivavoce::broker::http
