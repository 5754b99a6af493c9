#include "tests/broker/audit_harness.h"

#include "broker/audit/posix_audit_file.h"
#include "core/base/json.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>

namespace vivavoce::tests {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using broker::AuditFile;
using broker::AuditFileFault;

constexpr std::chrono::seconds kPatience{20};

class FailingAuditFile final : public AuditFile {
public:
    FailingAuditFile(std::unique_ptr<AuditFile> real, std::shared_ptr<DiskScript> script)
        : m_real(std::move(real)), m_script(std::move(script))
    {
    }

    [[nodiscard]] Result<void> open(const std::string& name) override
    {
        return m_script->next("open") ? fault("open") : m_real->open(name);
    }
    [[nodiscard]] Result<std::uint64_t> size() override
    {
        return m_script->next("size") ? Result<std::uint64_t>(fault("size")) : m_real->size();
    }
    [[nodiscard]] Result<void> append(std::string_view bytes) override
    {
        if (!m_script->next("append")) {
            return m_real->append(bytes);
        }
        (void)m_real->append(bytes.substr(0, bytes.size() / 2));
        return fault("append");
    }
    [[nodiscard]] Result<void> sync() override
    {
        m_script->passSync();
        return m_script->next("sync") ? fault("sync") : m_real->sync();
    }
    [[nodiscard]] Result<void> truncate(std::uint64_t size) override
    {
        return m_script->next("truncate") ? fault("truncate") : m_real->truncate(size);
    }

private:
    static core::Unexpected<AuditFileFault> fault(std::string_view operation)
    {
        return core::Unexpected<AuditFileFault>(AuditFileFault{operation, ENOSPC});
    }

    const std::unique_ptr<AuditFile> m_real;
    const std::shared_ptr<DiskScript> m_script;
};

} // namespace

void DiskScript::failFrom(std::size_t first, std::size_t count)
{
    const std::lock_guard lock(m_mutex);
    m_first = first;
    m_count = count;
}

void DiskScript::hold()
{
    const std::lock_guard lock(m_mutex);
    m_isHeld = true;
}

void DiskScript::release()
{
    const std::lock_guard lock(m_mutex);
    m_isHeld = false;
    m_changed.notify_all();
}

bool DiskScript::isHolding()
{
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, kPatience, [this] { return m_hasWaiter; });
}

std::vector<std::string> DiskScript::operations() const
{
    const std::lock_guard lock(m_mutex);
    return m_operations;
}

std::size_t DiskScript::syncs() const
{
    const std::lock_guard lock(m_mutex);
    return m_syncs;
}

bool DiskScript::next(const char* operation)
{
    const std::lock_guard lock(m_mutex);
    const std::size_t number = m_operations.size();
    m_operations.emplace_back(operation);
    return number >= m_first && number - m_first < m_count;
}

void DiskScript::passSync()
{
    std::unique_lock lock(m_mutex);
    ++m_syncs;
    m_hasWaiter = m_isHeld;
    m_changed.notify_all();
    m_changed.wait(lock, [this] { return !m_isHeld; });
    m_hasWaiter = false;
}

std::unique_ptr<AuditFile> makeFailingAuditFile(const fs::path& folder, std::shared_ptr<DiskScript> script)
{
    auto real = broker::PosixAuditFile::create(folder);
    if (!real) {
        throw std::runtime_error(real.error().detail);
    }
    return std::make_unique<FailingAuditFile>(std::move(*real), std::move(script));
}

AuditWorld::AuditWorld()
{
    settings.folder = fs::path(temporary.path().toStdString()) / "audit";
    settings.patience = core::Milliseconds(kPatience);
    // A test counts operations and lines.
    settings.probeEvery = std::chrono::hours(1);
}

broker::FileAuditTrail::Created AuditWorld::tryOpen()
{
    return broker::FileAuditTrail::create(settings, {clock, log}, makeFailingAuditFile(settings.folder, disk));
}

std::unique_ptr<broker::FileAuditTrail> AuditWorld::open()
{
    auto made = tryOpen();
    if (!made) {
        throw std::runtime_error(made.error().detail);
    }
    return std::move(*made);
}

std::future<AuditWorld::Appended> AuditWorld::begin(broker::AuditTrail& trail, broker::AuditRecord record)
{
    return asio::co_spawn(threads.executor(), trail.append(std::move(record)), asio::use_future);
}

AuditWorld::Appended AuditWorld::wait(std::future<Appended> appended)
{
    if (appended.wait_for(kPatience) != std::future_status::ready) {
        throw std::runtime_error("the trail does not answer");
    }
    return appended.get();
}

AuditWorld::Appended AuditWorld::append(broker::AuditTrail& trail, const std::string& request)
{
    return wait(begin(trail, mintRecord(request)));
}

void AuditWorld::fill(std::size_t records)
{
    const auto trail = open();
    for (std::size_t i = 1; i <= records; ++i) {
        if (!append(*trail, std::to_string(i))) {
            throw std::runtime_error("the trail cannot be filled");
        }
    }
}

std::vector<fs::path> AuditWorld::files() const
{
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(settings.folder)) {
        if (entry.path().extension() == ".jsonl") {
            paths.push_back(entry.path());
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

std::vector<std::string> AuditWorld::lines() const
{
    std::vector<std::string> all;
    for (const fs::path& path : files()) {
        std::istringstream text(readFile(path));
        for (std::string line; std::getline(text, line);) {
            all.push_back(line);
        }
    }
    return all;
}

std::vector<std::string> AuditWorld::requests() const
{
    std::vector<std::string> ids;
    for (const std::string& line : lines()) {
        const auto fields = core::parseJson(line);
        ids.push_back(fields ? fields->value("request", "none") : "not JSON");
    }
    return ids;
}

broker::AuditRecord mintRecord(const std::string& request)
{
    broker::AuditRecord record;
    record.event = broker::AuditEvent::Mint;
    record.outcome = broker::AuditOutcome::Done;
    record.why = "ok";
    record.issuer = "https://issuer.example";
    record.subject = "somebody";
    record.peer = "192.0.2.7";
    record.session = "voice_1_abc";
    record.project = "project";
    record.request = request;
    return record;
}

std::string readFile(const fs::path& path)
{
    std::ifstream input(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(input), std::istreambuf_iterator<char>()};
}

void writeFile(const fs::path& path, const std::string& text)
{
    std::ofstream output(path, std::ios::binary | std::ios::trunc);
    output << text;
}

} // namespace vivavoce::tests
