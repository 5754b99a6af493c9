#pragma once

#include "broker/audit/audit_file.h"
#include "broker/audit/internal/chain_files.h"

#include <memory>
#include <vector>

namespace vivavoce::broker::audit {

/// A record and when it was taken.
struct StampedRecord {
    AuditRecord record;
    core::WallTime time;
};

/// Adds lines to the chain on disk and mends what a fault left behind.
/// Invariant: up to `m_size` the file holds whole, durable lines, the last of which is `m_head`.
/// Threads: one at a time; every call may block for as long as the disk does.
class ChainWriter {
public:
    /// Begins a new file once one has `rotateBytes` or more.
    ChainWriter(std::unique_ptr<AuditFile> file, std::uint64_t rotateBytes);

    /// Opens the trail where it ended. A torn line is kept in `<file>.torn` and cut off.
    [[nodiscard]] AuditFile::Result<void> begin(ChainTail tail);
    /// All of them are durable, or, as far as the chain goes, none is. After a fault the next call mends the file first.
    [[nodiscard]] AuditFile::Result<void> write(const std::vector<StampedRecord>& records);

    [[nodiscard]] const ChainHead& head() const { return m_head; }
    [[nodiscard]] const std::string& fileName() const { return m_name; }

private:
    [[nodiscard]] AuditFile::Result<void> keepAside(const ChainTail& tail);
    [[nodiscard]] AuditFile::Result<void> cut();
    [[nodiscard]] AuditFile::Result<void> prepare();
    [[nodiscard]] AuditFile::Result<void> beginFile();
    [[nodiscard]] AuditFile::Result<void> store(const std::string& bytes);

    const std::unique_ptr<AuditFile> m_file;
    const std::uint64_t m_rotateBytes;
    ChainHead m_head;
    std::string m_name;
    std::uint64_t m_size = 0;
    /// False after a fault: behind `m_size` there may be anything.
    bool m_isSound = false;
};

} // namespace vivavoce::broker::audit
