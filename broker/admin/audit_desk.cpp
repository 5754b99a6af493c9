#include "broker/admin/audit_desk.h"

#include "net/pending_value.h"

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <mutex>
#include <optional>
#include <utility>

namespace vivavoce::broker::admin {
namespace {

namespace asio = boost::asio;
using core::Unexpected;
using Read = core::Expected<AuditTailPage, core::Error>;

constexpr int kMostWaiting = 16;
constexpr core::Milliseconds kPatience{10'000};

Unexpected<Fault> notNow()
{
    return Unexpected<Fault>(Fault{FaultCode::Unavailable, "the audit cannot be read now", std::chrono::seconds(5)});
}

// What these throw would end the process: nobody else is on their threads.

Read readTail(const std::filesystem::path& folder, const AuditTailQuery& query)
{
    try {
        return readAuditTail(folder, query);
    } catch (const std::exception&) {
        return core::fail(core::ErrorCode::OutputUnwritable, "the audit cannot be read");
    }
}

AuditVerifier::Verified verifyAll(const std::filesystem::path& folder, const std::atomic<bool>& isStopped)
{
    try {
        return AuditVerifier::verify(folder, &isStopped);
    } catch (const std::exception&) {
        return Unexpected<AuditFinding>(AuditFinding{AuditFlaw::Unreadable, folder.filename().string(), 0, {}});
    }
}

} // namespace

struct AuditDesk::Shared {
    std::atomic<bool> isStopped{false};
    std::atomic<int> waiting{0};
    mutable std::mutex mutex;
    Verification verification;
};

AuditDesk::AuditDesk(std::filesystem::path folder)
    : m_folder(std::move(folder)),
      m_shared(std::make_shared<Shared>()),
      m_reader(std::make_unique<asio::thread_pool>(1)),
      m_verifier(std::make_unique<asio::thread_pool>(1))
{
}

AuditDesk::~AuditDesk()
{
    // The whole chain may take minutes.
    m_shared->isStopped = true;
    m_verifier->join();
}

net::Awaitable<core::Expected<AuditTailPage, Fault>> AuditDesk::tail(AuditTailQuery query)
{
    if (++m_shared->waiting > kMostWaiting) {
        --m_shared->waiting;
        co_return notNow();
    }
    const auto executor = co_await asio::this_coro::executor;
    const auto pending = std::make_shared<net::PendingValue<Read>>(executor, kPatience);
    const net::Pending::Waiter waiter(*pending);
    asio::post(*m_reader, [pending, shared = m_shared, folder = m_folder, query = std::move(query)] {
        static_cast<void>(pending->complete(readTail(folder, query)));
        --shared->waiting;
    });
    co_await pending->wait();
    auto read = pending->take();
    if (!read || !*read) {
        co_return notNow();
    }
    co_return std::move(**read);
}

void AuditDesk::verify(core::WallTime now)
{
    {
        const std::lock_guard lock(m_shared->mutex);
        if (m_shared->verification.state == Verification::State::Running) {
            return;
        }
        m_shared->verification = {};
        m_shared->verification.state = Verification::State::Running;
        m_shared->verification.since = now;
    }
    asio::post(*m_verifier, [shared = m_shared, folder = m_folder] {
        const auto verified = verifyAll(folder, shared->isStopped);
        const std::lock_guard lock(shared->mutex);
        Verification& told = shared->verification;
        told.state = verified ? Verification::State::Whole : Verification::State::Flawed;
        told.summary = verified ? *verified : verified.error().before;
        if (!verified) {
            told.flaw = auditFlawText(verified.error().flaw);
            told.file = verified.error().file;
            told.line = verified.error().line;
        }
    });
}

AuditDesk::Verification AuditDesk::verification() const
{
    const std::lock_guard lock(m_shared->mutex);
    return m_shared->verification;
}

} // namespace vivavoce::broker::admin
