#include "broker/tokens/session_ender.h"

#include "broker/tokens/flight.h"
#include "broker/tokens/session_audit.h"

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace vivavoce::broker {

using core::Unexpected;
namespace asio = boost::asio;

namespace {

net::Awaitable<> landWhenStored(net::Awaitable<AuditTrail::Appended> line, std::shared_ptr<Flight> flight)
{
    const auto stored = co_await std::move(line);
    flight->land({stored ? std::nullopt : std::optional(faultOfAudit(stored.error()))});
}

/// What is remembered of what the audit could not be told of.
constexpr std::size_t kMostOwed = 10'000;

AuditRecord killOf(const Client& admin, const SessionRecord& session)
{
    AuditRecord record = recordOf(AuditEvent::Kill, admin, session);
    record.issuer = admin.caller.issuer;
    record.subject = admin.caller.subject;
    record.target = session.caller;
    return record;
}

/// That all of a caller's or a project's are to end: which sessions those are is told after.
AuditRecord orderOf(const Client& admin, std::string caller, std::string project)
{
    SessionRecord all;
    all.issuer = admin.caller.issuer;
    all.subject = admin.caller.subject;
    AuditRecord order = recordOf(AuditEvent::Kill, admin, all);
    order.target = std::move(caller);
    order.project = std::move(project);
    order.why = "all_sessions";
    return order;
}

/// Of usage.
const char* reasonOf(AuditEvent event)
{
    return event == AuditEvent::Revoke ? "ended" : "revoked";
}

/// What whoever asked is told where nothing but the streams here could be ended.
Fault cutHereAlone(Fault fault)
{
    fault.detail = "its stream here is cut; that it has ended is recorded when the store is back";
    return fault;
}

} // namespace

/// What the audit is told while something else goes on, with one deadline for all of it.
class SessionEnder::Told {
public:
    Told(AuditTrail& audit, net::IoExecutor executor, const Settings& settings)
        : m_audit(audit),
          m_executor(std::move(executor)),
          m_deadline(std::chrono::steady_clock::now() + settings.answerPatience)
    {
    }

    /// Taken in now, in this order.
    void tell(AuditRecord record)
    {
        auto flight = std::make_shared<Flight>();
        m_lines.push_back({record, flight});
        asio::co_spawn(
            m_executor, landWhenStored(m_audit.append(std::move(record)), std::move(flight)), asio::detached);
    }
    /// Waits until all is stored, at most that long. What was not, if anything.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> wait(core::Milliseconds patience)
    {
        return waitUntil(std::chrono::steady_clock::now() + patience);
    }
    /// The same up to the deadline.
    [[nodiscard]] net::Awaitable<std::optional<Fault>> wait() { return waitUntil(m_deadline); }
    /// What is not known to be stored by now.
    [[nodiscard]] net::Awaitable<std::vector<AuditRecord>> untold()
    {
        std::vector<AuditRecord> records;
        for (const Line& line : m_lines) {
            const auto landing = co_await line.flight->wait(core::Milliseconds{0});
            if (!landing || landing->fault) {
                records.push_back(line.record);
            }
        }
        co_return records;
    }

private:
    [[nodiscard]] net::Awaitable<std::optional<Fault>> waitUntil(std::chrono::steady_clock::time_point end)
    {
        std::optional<Fault> fault;
        for (const Line& line : m_lines) {
            const auto left = std::chrono::ceil<core::Milliseconds>(end - std::chrono::steady_clock::now());
            const auto landing = co_await line.flight->wait(std::max(left, core::Milliseconds{0}));
            if (!landing) {
                co_return faultOfAudit(AuditFailure::TimedOut);
            }
            fault = fault ? fault : landing->fault;
        }
        co_return fault;
    }
    struct Line {
        AuditRecord record;
        std::shared_ptr<Flight> flight;
    };
    AuditTrail& m_audit;
    const net::IoExecutor m_executor;
    const std::chrono::steady_clock::time_point m_deadline;
    std::vector<Line> m_lines;
};

void SessionEnder::owe(std::vector<AuditRecord> untold)
{
    const std::lock_guard lock(m_mutex);
    for (AuditRecord& record : untold) {
        if (m_owed.size() < kMostOwed) {
            m_owed.push_back(std::move(record));
        }
    }
}

net::Awaitable<> SessionEnder::tellOwed()
{
    std::vector<AuditRecord> owed;
    if (m_audit.isWorking()) {
        const std::lock_guard lock(m_mutex);
        owed.swap(m_owed);
    }
    if (owed.empty()) {
        co_return;
    }
    Told told(m_audit, co_await asio::this_coro::executor, m_settings);
    for (AuditRecord& record : owed) {
        record.why = "told_late";
        told.tell(std::move(record));
    }
    const auto fault = co_await told.wait();
    if (fault) {
        owe(co_await told.untold());
    }
}

void SessionEnder::oweEnd(AuditRecord ended)
{
    const std::lock_guard lock(m_mutex);
    if (m_unended.size() < kMostOwed) {
        m_unended.push_back(std::move(ended));
    }
}

std::optional<AuditRecord> SessionEnder::nextUnended()
{
    if (!m_registry.isWorking()) {
        return std::nullopt;
    }
    const std::lock_guard lock(m_mutex);
    return m_unended.empty() ? std::nullopt : std::optional(m_unended.front());
}

net::Awaitable<> SessionEnder::endOwed()
{
    while (auto owed = nextUnended()) {
        const std::string session = owed->session;
        m_ledger.endsBecause(session, reasonOf(owed->event));
        const auto gone = co_await m_registry.end(session);
        if (!gone) {
            co_return;
        }
        if (*gone) {
            // The line before said that it failed.
            owe({std::move(*owed)});
        }
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_unended, [&](const AuditRecord& one) { return one.session == session; });
    }
}

std::vector<SessionRecord> SessionEnder::sessionsHere(const RunningStreams::Which& which) const
{
    return m_streams == nullptr ? std::vector<SessionRecord>() : m_streams->sessions(which);
}

void SessionEnder::cut(const std::vector<SessionRecord>& here)
{
    if (!here.empty()) {
        m_streams->endAllOf(here);
    }
}

net::Awaitable<std::optional<Fault>> SessionEnder::end(Client client, std::string sessionId)
{
    const bool isAdmin = client.caller.may(auth::scope::kAdmin);
    // A stream knows whose it is, and the registry may take seconds to say that it cannot tell.
    const auto here = sessionsHere([&](const SessionRecord& one) { return one.id == sessionId; });
    std::optional<SessionRecord> session;
    if (here.empty()) {
        auto found = co_await m_registry.find(sessionId);
        if (!found) {
            co_return found.error();
        }
        session = std::move(*found);
    } else {
        session = here.front();
    }
    if (!session || (session->caller != client.caller.key() && !isAdmin)) {
        co_return Fault{FaultCode::SessionNotFound, "there is no such session of yours", std::nullopt};
    }
    // From here on whoever gives up waiting leaves nothing half done.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    const bool isTheirs = session->caller == client.caller.key();
    AuditRecord ended = killOf(client, *session);
    ended.event = isTheirs ? AuditEvent::Revoke : AuditEvent::Kill;
    // Told first: should it fail half-way, there is a line too many, not one too few.
    Told told(m_audit, co_await asio::this_coro::executor, m_settings);
    told.tell(ended);
    if (m_audit.isWorking()) {
        const auto early = co_await told.wait(m_settings.patience);
        static_cast<void>(early);
    }
    // Ended in any case: what could not be told of must not go on for that.
    m_ledger.endsBecause(sessionId, reasonOf(ended.event));
    cut(here);
    const auto gone = co_await m_registry.end(std::move(sessionId));
    if (!gone) {
        tellOfFailure(m_audit, ended, gone.error());
        if (!here.empty()) {
            oweEnd(std::move(ended));
        }
    }
    auto fault = co_await told.wait();
    if (gone && fault) {
        owe(co_await told.untold());
    }
    if (!gone && !fault) {
        fault = here.empty() ? gone.error() : cutHereAlone(gone.error());
    }
    co_return fault;
}

net::Awaitable<core::Expected<std::size_t, Fault>> SessionEnder::endAllOf(Client admin, std::string caller)
{
    auto end = m_registry.endAllOf(caller);
    auto ended = co_await endAll(std::move(admin), std::move(caller), {}, std::move(end));
    co_return ended;
}

net::Awaitable<core::Expected<std::size_t, Fault>> SessionEnder::endProject(Client admin, std::string project)
{
    auto end = m_registry.endAllOfProject(project);
    auto ended = co_await endAll(std::move(admin), {}, std::move(project), std::move(end));
    co_return ended;
}

net::Awaitable<core::Expected<std::size_t, Fault>> SessionEnder::endAll(
    Client admin, std::string caller, std::string project, SessionRegistry::Answer<std::vector<SessionRecord>> end)
{
    // Whoever gives up waiting leaves no session untold.
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    Told told(m_audit, co_await asio::this_coro::executor, m_settings);
    const auto here = sessionsHere(
        [&](const SessionRecord& one) { return caller.empty() ? one.project == project : one.caller == caller; });
    AuditRecord order = orderOf(admin, std::move(caller), std::move(project));
    told.tell(order);
    if (m_audit.isWorking()) {
        const auto early = co_await told.wait(m_settings.patience);
        static_cast<void>(early);
    }
    cut(here);
    const auto ended = co_await std::move(end);
    if (!ended) {
        tellOfFailure(m_audit, std::move(order), ended.error());
        for (const SessionRecord& session : here) {
            oweEnd(killOf(admin, session));
        }
        co_return Unexpected<Fault>(here.empty() ? ended.error() : cutHereAlone(ended.error()));
    }
    std::optional<Fault> fault;
    // Those that share a write to the disk; more would find the audit's queue full, and others there no room.
    constexpr std::size_t kAtATime = 256;
    for (std::size_t i = 0; i < ended->size(); ++i) {
        m_ledger.endsBecause((*ended)[i].id, "revoked");
        told.tell(killOf(admin, (*ended)[i]));
        if (i % kAtATime == kAtATime - 1) {
            fault = co_await told.wait();
        }
    }
    fault = co_await told.wait();
    if (fault) {
        owe(co_await told.untold());
        co_return Unexpected<Fault>(std::move(*fault));
    }
    co_return ended->size();
}

} // namespace vivavoce::broker
