#pragma once

#include "broker/audit/audit_tail.h"
#include "broker/audit/audit_verifier.h"
#include "broker/fault.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <atomic>
#include <filesystem>
#include <memory>

namespace boost::asio {
class thread_pool;
} // namespace boost::asio

namespace vivavoce::broker::admin {

/// Reads the audit for people, on threads of its own: pages from the end, and the whole chain where somebody wants to know.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: its destructor waits for a page that is being read, and for a line
/// of the whole chain.
class AuditDesk {
public:
    struct Verification {
        enum class State { Never, Running, Whole, Flawed };
        State state = State::Never;
        /// When that was asked for.
        core::WallTime since{};
        AuditSummary summary;
        /// The first flaw, in words: "audit.altered".
        std::string flaw;
        std::string file;
        std::uint64_t line = 0;
    };

    explicit AuditDesk(std::filesystem::path folder);
    ~AuditDesk();
    AuditDesk(const AuditDesk&) = delete;
    AuditDesk& operator=(const AuditDesk&) = delete;

    /// Unavailable: too many others ask, the disk is slow, or it cannot be read.
    [[nodiscard]] net::Awaitable<core::Expected<AuditTailPage, Fault>> tail(AuditTailQuery query);
    /// Begins to follow the whole chain, unless that is under way.
    void verify(core::WallTime now);
    [[nodiscard]] Verification verification() const;

private:
    struct Shared;

    const std::filesystem::path m_folder;
    const std::shared_ptr<Shared> m_shared;
    std::unique_ptr<boost::asio::thread_pool> m_reader;
    std::unique_ptr<boost::asio::thread_pool> m_verifier;
};

} // namespace vivavoce::broker::admin
