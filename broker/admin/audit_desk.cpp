#include "broker/admin/audit_desk.h"

#include "broker/audit/file_audit_trail.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

namespace vivavoce::broker::admin {
namespace {

namespace asio = boost::asio;
using core::Unexpected;
using Read = core::Expected<AuditTailPage, core::Error>;

constexpr const char* kNotNow = "the audit cannot be read now";

Workshop::Settings readerSettings()
{
    Workshop::Settings settings;
    settings.patience = core::Milliseconds(10'000);
    settings.refusal = kNotNow;
    return settings;
}

/// What this throws would end the process: nobody else is on its thread.
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
    mutable std::mutex mutex;
    /// By chain.
    std::array<Verification, kChains.size()> verifications;

    [[nodiscard]] Verification& of(Chain chain) { return verifications.at(static_cast<std::size_t>(chain)); }
    void told(Chain chain, const AuditVerifier::Verified& verified);
};

void AuditDesk::Shared::told(Chain chain, const AuditVerifier::Verified& verified)
{
    using State = Verification::State;
    const std::lock_guard lock(mutex);
    Verification& told = of(chain);
    const bool isMissing = !verified && verified.error().flaw == AuditFlaw::Missing;
    // The broker has written its start at least; whether the other one ever had a line, nobody can tell.
    told.state = verified ? State::Whole : isMissing && chain == Chain::CommandLine ? State::Absent : State::Flawed;
    told.summary = verified ? *verified : verified.error().before;
    if (told.state == State::Flawed) {
        told.flaw = auditFlawText(verified.error().flaw);
        told.file = verified.error().file;
        told.line = verified.error().line;
    }
}

AuditDesk::AuditDesk(std::filesystem::path folder)
    : m_folder(std::move(folder)),
      m_shared(std::make_shared<Shared>()),
      m_reader(readerSettings()),
      m_verifier(std::make_unique<asio::thread_pool>(1))
{
}

AuditDesk::~AuditDesk()
{
    // The whole chain may take minutes.
    m_shared->isStopped = true;
    m_verifier->join();
}

net::Awaitable<core::Expected<AuditTailPage, Fault>> AuditDesk::tail(Chain chain, AuditTailQuery query)
{
    std::function<Read()> work = [folder = folderOf(chain), query = std::move(query)] {
        return readAuditTail(folder, query);
    };
    auto read = co_await m_reader.make<Read>(std::move(work));
    if (!read) {
        co_return Unexpected<Fault>(std::move(read.error()));
    }
    if (!*read) {
        co_return Unexpected<Fault>(Fault{FaultCode::Unavailable, kNotNow, std::chrono::seconds(5)});
    }
    co_return std::move(**read);
}

void AuditDesk::verify(core::WallTime now)
{
    {
        const std::lock_guard lock(m_shared->mutex);
        // They are begun together; the last one ends last.
        if (m_shared->verifications.back().state == Verification::State::Running) {
            return;
        }
        for (Verification& verification : m_shared->verifications) {
            verification = {};
            verification.state = Verification::State::Running;
            verification.since = now;
        }
    }
    for (const Chain chain : kChains) {
        asio::post(*m_verifier, [shared = m_shared, chain, folder = folderOf(chain)] {
            shared->told(chain, verifyAll(folder, shared->isStopped));
        });
    }
}

AuditDesk::Verification AuditDesk::verification(Chain chain) const
{
    const std::lock_guard lock(m_shared->mutex);
    return m_shared->of(chain);
}

std::filesystem::path AuditDesk::folderOf(Chain chain) const
{
    return chain == Chain::Broker ? m_folder : m_folder / kCommandLineChain;
}

std::string_view textOf(AuditDesk::Chain chain)
{
    return chain == AuditDesk::Chain::Broker ? "broker" : kCommandLineChain;
}

} // namespace vivavoce::broker::admin
