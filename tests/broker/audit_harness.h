#pragma once

#include "broker/audit/file_audit_trail.h"
#include "tests/broker/broker_harness.h"

#include <QTemporaryDir>

#include <condition_variable>
#include <filesystem>
#include <future>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// What the test decides about file operations, and what it sees of them.
class DiskScript {
public:
    /// Operations `first` up to `first + count` (from 0) fail; an append leaves half of its bytes.
    void failFrom(std::size_t first, std::size_t count = 1);
    void heal() { failFrom(0, 0); }
    /// Syncs wait from now on, until `release`.
    void hold();
    void release();
    /// Waits until a sync waits; false after long.
    [[nodiscard]] bool isHolding();
    [[nodiscard]] std::vector<std::string> operations() const;
    [[nodiscard]] std::size_t syncs() const;

    /// True: the operation that asks has to fail.
    [[nodiscard]] bool next(const char* operation);
    void passSync();

private:
    mutable std::mutex m_mutex;
    std::condition_variable m_changed;
    std::vector<std::string> m_operations;
    std::size_t m_syncs = 0;
    std::size_t m_first = 0;
    std::size_t m_count = 0;
    bool m_isHeld = false;
    bool m_hasWaiter = false;
};

/// Real files in `folder` behind a script.
[[nodiscard]] std::unique_ptr<broker::AuditFile> makeFailingAuditFile(
    const std::filesystem::path& folder, std::shared_ptr<DiskScript> script);

/// A folder, threads, and trails in it.
class AuditWorld {
public:
    using Appended = broker::AuditTrail::Appended;

    AuditWorld();

    /// A trail with the script in between; throws where it cannot be made.
    [[nodiscard]] std::unique_ptr<broker::FileAuditTrail> open();
    [[nodiscard]] broker::FileAuditTrail::Created tryOpen();
    [[nodiscard]] std::future<Appended> begin(broker::AuditTrail& trail, broker::AuditRecord record);
    [[nodiscard]] static Appended wait(std::future<Appended> appended);
    /// Appends a mint with this request id.
    [[nodiscard]] Appended append(broker::AuditTrail& trail, const std::string& request);
    /// Opens, appends this many with ids "1", "2", …, and closes.
    void fill(std::size_t records);

    /// All files of the trail, in order, as lines; what is torn counts as a line.
    [[nodiscard]] std::vector<std::string> lines() const;
    [[nodiscard]] std::vector<std::filesystem::path> files() const;
    /// The request ids of all lines, in order.
    [[nodiscard]] std::vector<std::string> requests() const;

    QTemporaryDir temporary;
    broker::FileAuditTrail::Settings settings;
    std::shared_ptr<DiskScript> disk = std::make_shared<DiskScript>();
    NetThreads threads;
    SharedClock clock;
    CapturedLog log;
};

[[nodiscard]] broker::AuditRecord mintRecord(const std::string& request);
[[nodiscard]] std::string readFile(const std::filesystem::path& path);
void writeFile(const std::filesystem::path& path, const std::string& text);

} // namespace vivavoce::tests
