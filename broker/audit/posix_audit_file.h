#pragma once

#include "broker/audit/audit_file.h"
#include "core/base/error.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

namespace vivavoce::broker {

/// The operating system's files: mode 0600, O_APPEND, fdatasync, the folder synchronised when a name is new.
/// Invariant: holds a lock on the folder, so that no second process forks the chain.
class PosixAuditFile final : public AuditFile {
public:
    /// Makes the folder (mode 0700) where there is none; not its parents. OutputUnwritable, AlreadyRunning.
    [[nodiscard]] static core::Expected<std::unique_ptr<PosixAuditFile>, core::Error> create(
        const std::filesystem::path& folder);
    ~PosixAuditFile() override;
    PosixAuditFile(const PosixAuditFile&) = delete;
    PosixAuditFile& operator=(const PosixAuditFile&) = delete;

    [[nodiscard]] Result<void> open(const std::string& name) override;
    [[nodiscard]] Result<std::uint64_t> size() override;
    [[nodiscard]] Result<void> append(std::string_view bytes) override;
    [[nodiscard]] Result<void> sync() override;
    [[nodiscard]] Result<void> truncate(std::uint64_t size) override;

private:
    PosixAuditFile(std::filesystem::path path, int folder) : m_path(std::move(path)), m_folder(folder) {}
    void close();
    /// Whoever looks for the file finds the one that is open.
    [[nodiscard]] bool isInItsPlace() const;
    [[nodiscard]] bool isFolderInItsPlace() const;

    const std::filesystem::path m_path;
    int m_folder;
    std::string m_name;
    int m_file = -1;
};

} // namespace vivavoce::broker
