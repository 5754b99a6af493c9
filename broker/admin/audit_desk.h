#pragma once

#include "broker/audit/audit_tail.h"
#include "broker/audit/audit_verifier.h"
#include "broker/fault.h"
#include "broker/workshop.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace boost::asio {
class thread_pool;
} // namespace boost::asio

namespace vivavoce::broker::admin {

/// Reads the audit for people, on threads of its own: pages from the end, and its chains as a whole where somebody wants to know.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: its destructor waits for a page that is being read, and for a line
/// of the whole chain.
class AuditDesk {
public:
    /// Each has one writer: the broker, and whoever keeps projects by `vivavoce-broker project`.
    enum class Chain { Broker, CommandLine };
    static constexpr std::array kChains{Chain::Broker, Chain::CommandLine};

    struct Verification {
        /// Absent: the chain has no lines; where there were any, they were deleted as a whole.
        enum class State { Never, Running, Absent, Whole, Flawed };
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
    [[nodiscard]] net::Awaitable<core::Expected<AuditTailPage, Fault>> tail(Chain chain, AuditTailQuery query);
    /// Begins to follow each chain as a whole, unless that is under way.
    void verify(core::WallTime now);
    [[nodiscard]] Verification verification(Chain chain) const;

private:
    struct Shared;

    [[nodiscard]] std::filesystem::path folderOf(Chain chain) const;

    const std::filesystem::path m_folder;
    const std::shared_ptr<Shared> m_shared;
    Workshop m_reader;
    std::unique_ptr<boost::asio::thread_pool> m_verifier;
};

/// "broker", "command-line".
[[nodiscard]] std::string_view textOf(AuditDesk::Chain chain);

} // namespace vivavoce::broker::admin
