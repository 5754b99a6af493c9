#pragma once

#include "broker/audit/audit_trail.h"
#include "broker/log.h"
#include "broker/tokens/client.h"

#include <cstddef>
#include <mutex>
#include <string_view>
#include <unordered_set>

namespace vivavoce::broker::http {

/// Tells log and audit of credentials that are good, each when it comes for the first time: who bears it has signed in with it.
/// Invariant: at most 2 × `remembered` credentials are known, by HMAC; one that was forgotten meanwhile is told of again.
/// Threads: [any thread]; one mutex, held for memory operations only.
class SignInReport {
public:
    struct Dependencies {
        AuditTrail& audit;
        const TokenHasher& hasher;
        Log& log;
    };

    explicit SignInReport(Dependencies dependencies, std::size_t remembered = 32'768)
        : m_deps(dependencies), m_remembered(remembered)
    {
    }

    /// Not waited for: what the client does next has a line of its own, which follows this one.
    void signedIn(const Client& client, std::string_view credential);

private:
    [[nodiscard]] bool isNew(const TokenHash& hash);

    const Dependencies m_deps;
    const std::size_t m_remembered;
    std::mutex m_mutex;
    std::unordered_set<TokenHash, TokenHashBucket> m_recent;
    /// What was recent before: forgotten as a whole when `m_recent` is full.
    std::unordered_set<TokenHash, TokenHashBucket> m_earlier;
};

} // namespace vivavoce::broker::http
