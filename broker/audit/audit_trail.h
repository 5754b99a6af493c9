#pragma once

#include "broker/audit/audit_record.h"
#include "broker/fault.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace vivavoce::broker {

/// Why a record is not known to be on disk. In each case the answer that it belongs to must not leave.
enum class AuditFailure {
    /// Too many records wait: refused at once, nothing was kept.
    QueueFull,
    /// The disk takes too long. The record still waits, and may yet be stored.
    TimedOut,
    /// The disk refused: full, read-only, failing. The record is dropped.
    Unwritable,
    /// The trail is going away.
    Closed,
};

/// What such a failure means to whoever asked us: 503, once more in a second.
[[nodiscard]] Fault faultOfAudit(AuditFailure failure);

/// Since the start: records that are on disk, records that were refused or lost, and how many wait.
struct AuditCounts {
    std::uint64_t lines = 0;
    std::uint64_t failures = 0;
    std::size_t queued = 0;
};

/// Port: the record of what the broker decided. An effect (a token that leaves, a session that ends) waits for its record.
/// Threads: [any thread].
class AuditTrail {
public:
    using Appended = core::Expected<void, AuditFailure>;

    virtual ~AuditTrail() = default;

    /// Takes the record now, at the call; the awaited part ends when it is stored, or is not. It ends in bounded time and does not
    /// follow the caller's cancellation: a client that goes away takes nothing out of the trail.
    /// After a failure the record may or may not be there; after success it is.
    [[nodiscard]] virtual net::Awaitable<Appended> append(AuditRecord record) = 0;
    /// The last record that was tried could be stored. It becomes true by itself where that is over, also when nothing is appended.
    [[nodiscard]] virtual bool isWorking() const = 0;
    [[nodiscard]] virtual AuditCounts counts() const { return {}; }
    /// The destructor waits no longer than until then, and a moment.
    virtual void closeBy(std::chrono::steady_clock::time_point) {}
};

/// Writes nothing and says yes to everything: for a broker that serves the program that started it, and nobody else.
class DiscardingAuditTrail final : public AuditTrail {
public:
    [[nodiscard]] net::Awaitable<Appended> append(AuditRecord record) override;
    [[nodiscard]] bool isWorking() const override { return true; }
};

} // namespace vivavoce::broker
