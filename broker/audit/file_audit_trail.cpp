#include "broker/audit/file_audit_trail.h"

#include "broker/audit/internal/audit_ticket.h"
#include "broker/audit/internal/chain_writer.h"
#include "broker/audit/posix_audit_file.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace vivavoce::broker {
namespace {

using audit::AuditTicket;
using audit::ChainWriter;
using audit::StampedRecord;
using core::Unexpected;
using Tickets = std::vector<std::shared_ptr<AuditTicket>>;

/// Keeps one turn, and with it what a fault throws away, within a few megabytes.
constexpr std::size_t kMaxBatch = 1024;

/// So that a disk that works takes over what is queued.
constexpr core::Milliseconds kShortestFarewell{250};

std::string systemText(const AuditFileFault& fault)
{
    return std::system_category().message(fault.systemError);
}

void landAll(const Tickets& tickets, const AuditTrail::Appended& result)
{
    for (const auto& ticket : tickets) {
        ticket->land(result);
    }
}

} // namespace

/// What the writing thread works with; shared, so that a hung disk can be left behind with it.
struct FileAuditTrail::State {
    State(const Settings& wanted, Dependencies given, std::unique_ptr<AuditFile> file)
        : settings(wanted), dependencies(given), writer(std::move(file), wanted.rotateBytes)
    {
    }

    struct Pending {
        StampedRecord stamped;
        std::shared_ptr<AuditTicket> ticket;
    };

    const Settings settings;
    const Dependencies dependencies;
    /// Only the writing thread's, once it runs.
    ChainWriter writer;

    mutable std::mutex mutex;
    std::condition_variable wake;
    std::condition_variable over;
    std::deque<Pending> queue;
    /// Denials that found no room since the log was told.
    std::uint64_t lostDenials = 0;
    Tickets inFlight;
    std::uint64_t lines = 0;
    std::uint64_t failures = 0;
    std::optional<core::MonotonicTime> turnSince;
    bool isWorking = true;
    bool isClosing = false;
    bool isOver = false;
    /// Clock and log may be gone.
    bool isAbandoned = false;
    std::chrono::steady_clock::time_point end = std::chrono::steady_clock::time_point::max();

    void take(AuditRecord record, const std::shared_ptr<AuditTicket>& ticket)
    {
        audit::limitTexts(record);
        {
            const std::lock_guard lock(mutex);
            if (queue.size() < roomFor(record.event)) {
                // Stamped under the lock: the order of the lines is the order of their times.
                queue.push_back({{std::move(record), dependencies.clock.wallNow()}, ticket});
                wake.notify_one();
                return;
            }
            ++failures;
            lostDenials += record.event == AuditEvent::Deny ? 1 : 0;
        }
        ticket->land(Unexpected<AuditFailure>(AuditFailure::QueueFull));
    }

    [[nodiscard]] std::size_t roomFor(AuditEvent event) const
    {
        return event == AuditEvent::Deny ? std::min(settings.maxQueued, settings.maxQueuedForDenials)
                                         : settings.maxQueued;
    }

    /// Nothing: the trail closes.
    std::vector<StampedRecord> nextTurn()
    {
        std::unique_lock lock(mutex);
        const auto isDue = [this] { return !queue.empty() || isClosing; };
        std::vector<StampedRecord> records;
        if (isWorking) {
            wake.wait(lock, isDue);
        } else if (!wake.wait_for(lock, settings.probeEvery, isDue)) {
            // Only a line that gets stored shows that the next one will.
            AuditRecord probe;
            probe.event = AuditEvent::Recovery;
            probe.outcome = AuditOutcome::Done;
            records.push_back({std::move(probe), dependencies.clock.wallNow()});
        }
        while (!queue.empty() && records.size() < kMaxBatch) {
            records.push_back(std::move(queue.front().stamped));
            inFlight.push_back(std::move(queue.front().ticket));
            queue.pop_front();
        }
        if (!records.empty()) {
            turnSince = dependencies.clock.now();
        }
        return records;
    }

    void finishTurn(const AuditFile::Result<void>& done, std::size_t records, bool isNewFile)
    {
        Tickets landed;
        {
            const std::lock_guard lock(mutex);
            landed.swap(inFlight);
            turnSince.reset();
            (done ? lines : failures) += records;
            const bool wasWorking = std::exchange(isWorking, done.has_value());
            if (!isAbandoned) {
                tell(done, wasWorking, isNewFile);
            }
        }
        landAll(landed, done ? Appended() : Appended(Unexpected<AuditFailure>(AuditFailure::Unwritable)));
    }

    /// Once for each change: a full disk must not fill the log as well.
    void tell(const AuditFile::Result<void>& done, bool wasWorking, bool isNewFile)
    {
        Log& log = dependencies.log;
        if (const auto lost = std::exchange(lostDenials, 0); lost > 0) {
            log.write(LogLevel::Warning, "audit.denials_lost", {{"count", lost}});
        }
        if (!done && wasWorking) {
            log.write(LogLevel::Error, "audit.failed",
                {{"operation", done.error().operation}, {"error", systemText(done.error())}});
        } else if (done && !wasWorking) {
            log.write(LogLevel::Warning, "audit.recovered", {{"file", writer.fileName()}});
        }
        if (done && isNewFile) {
            log.write(LogLevel::Info, "audit.rotated",
                {{"file", writer.fileName()}, {"seq", writer.head().sequence}, {"hash", hexOf(writer.head().hash)}});
        }
    }

    static void run(const std::shared_ptr<State>& state)
    {
        std::string file = state->writer.fileName();
        for (auto records = state->nextTurn(); !records.empty(); records = state->nextTurn()) {
            const auto done = state->writer.write(records);
            const bool isNewFile = state->writer.fileName() != file;
            state->finishTurn(done, records.size(), isNewFile);
            file = done ? state->writer.fileName() : file;
        }
        const std::lock_guard lock(state->mutex);
        state->isOver = true;
        state->over.notify_all();
    }

    /// False: the disk hangs, and who waits was told.
    bool close()
    {
        Tickets left;
        {
            std::unique_lock lock(mutex);
            isClosing = true;
            wake.notify_one();
            const auto now = std::chrono::steady_clock::now();
            const auto longest = std::max(settings.patience, kShortestFarewell);
            const auto until = std::clamp(end, now + kShortestFarewell, now + longest);
            if (over.wait_until(lock, until, [this] { return isOver; })) {
                return true;
            }
            isAbandoned = true;
            left = inFlight;
            for (const Pending& each : queue) {
                left.push_back(each.ticket);
            }
            queue.clear();
        }
        landAll(left, Unexpected<AuditFailure>(AuditFailure::Closed));
        return false;
    }
};

FileAuditTrail::Created FileAuditTrail::create(const Settings& settings, Dependencies dependencies)
{
    auto file = PosixAuditFile::create(settings.folder);
    if (!file) {
        return Unexpected<core::Error>(file.error());
    }
    return create(settings, dependencies, std::move(*file));
}

FileAuditTrail::Created FileAuditTrail::create(
    const Settings& settings, Dependencies dependencies, std::unique_ptr<AuditFile> file)
{
    auto tail = audit::readTail(settings.folder);
    if (!tail) {
        return Unexpected<core::Error>(tail.error());
    }
    const auto tornBytes = tail->torn.size();
    auto state = std::make_shared<State>(settings, dependencies, std::move(file));
    if (const auto begun = state->writer.begin(std::move(*tail)); !begun) {
        return core::fail(core::ErrorCode::OutputUnwritable,
            "the audit trail cannot be written (" + std::string(begun.error().operation)
                + "): " + systemText(begun.error()));
    }
    // In a log that goes elsewhere, this tells later whether the end of the trail was cut off.
    dependencies.log.write(tornBytes == 0 ? LogLevel::Info : LogLevel::Warning, "audit.opened",
        {{"file", state->writer.fileName()}, {"seq", state->writer.head().sequence},
            {"hash", hexOf(state->writer.head().hash)}, {"tornBytes", tornBytes}});
    return std::unique_ptr<FileAuditTrail>(new FileAuditTrail(std::move(state)));
}

FileAuditTrail::FileAuditTrail(std::shared_ptr<State> state)
    : m_state(std::move(state)), m_thread([shared = m_state] { State::run(shared); })
{
}

FileAuditTrail::~FileAuditTrail()
{
    if (m_state->close()) {
        m_thread.join();
    } else {
        m_thread.detach();
    }
}

net::Awaitable<AuditTrail::Appended> FileAuditTrail::append(AuditRecord record)
{
    // Not a coroutine itself: one that is cancelled before it begins would never have taken the record.
    auto ticket = std::make_shared<AuditTicket>();
    m_state->take(std::move(record), ticket);
    return AuditTicket::wait(std::move(ticket), m_state->settings.patience);
}

bool FileAuditTrail::isWorking() const
{
    const std::lock_guard lock(m_state->mutex);
    const auto& since = m_state->turnSince;
    const bool hangs = since && m_state->dependencies.clock.now() - *since >= m_state->settings.patience;
    return m_state->isWorking && !hangs;
}

void FileAuditTrail::closeBy(std::chrono::steady_clock::time_point end)
{
    const std::lock_guard lock(m_state->mutex);
    m_state->end = end;
}

AuditCounts FileAuditTrail::counts() const
{
    const std::lock_guard lock(m_state->mutex);
    return {m_state->lines, m_state->failures, m_state->queue.size() + m_state->inFlight.size()};
}

} // namespace vivavoce::broker
