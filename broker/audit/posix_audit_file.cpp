#include "broker/audit/posix_audit_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace vivavoce::broker {
namespace {

core::Unexpected<AuditFileFault> fault(std::string_view operation)
{
    return core::Unexpected<AuditFileFault>(AuditFileFault{operation, errno});
}

core::Unexpected<core::Error> unusable(const char* what)
{
    return core::fail(core::ErrorCode::OutputUnwritable,
        std::string("the audit trail's folder ") + what + ": " + std::system_category().message(errno));
}

bool isSame(const struct stat& one, const struct stat& other)
{
    return one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/// The calls that a signal may interrupt, again until they are through.
template <typename Call>
auto persist(Call call)
{
    auto result = call();
    while (result < 0 && errno == EINTR) {
        result = call();
    }
    return result;
}

} // namespace

core::Expected<std::unique_ptr<PosixAuditFile>, core::Error> PosixAuditFile::create(const std::filesystem::path& folder)
{
    const bool isNew = ::mkdir(folder.c_str(), 0700) == 0;
    if (!isNew && errno != EEXIST) {
        return unusable("cannot be made");
    }
    const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (handle < 0) {
        return unusable("cannot be opened");
    }
    std::unique_ptr<PosixAuditFile> file(new PosixAuditFile(folder, handle));
    if (isNew) {
        const int parent = ::openat(handle, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        const bool isDurable = parent >= 0 && persist([&] { return ::fsync(parent); }) == 0;
        if (parent >= 0) {
            ::close(parent);
        }
        if (!isDurable) {
            return unusable("cannot be made durable");
        }
    }
    if (persist([&] { return ::flock(handle, LOCK_EX | LOCK_NB); }) != 0) {
        if (errno == EWOULDBLOCK) {
            return core::fail(core::ErrorCode::AlreadyRunning, "another broker writes this audit trail");
        }
        return unusable("cannot be locked");
    }
    return file;
}

PosixAuditFile::~PosixAuditFile()
{
    close();
    ::close(m_folder);
}

void PosixAuditFile::close()
{
    if (m_file >= 0) {
        ::close(m_file);
        m_file = -1;
    }
}

bool PosixAuditFile::isFolderInItsPlace() const
{
    struct stat ours {};
    struct stat there {};
    return ::fstat(m_folder, &ours) == 0 && ::stat(m_path.c_str(), &there) == 0 && isSame(ours, there);
}

bool PosixAuditFile::isInItsPlace() const
{
    struct stat ours {};
    struct stat there {};
    return isFolderInItsPlace() && ::fstat(m_file, &ours) == 0
        && ::fstatat(m_folder, m_name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 && isSame(ours, there);
}

AuditFile::Result<void> PosixAuditFile::open(const std::string& name)
{
    close();
    if (!isFolderInItsPlace()) {
        auto again = create(m_path);
        if (!again) {
            errno = EIO;
            return fault("open_folder");
        }
        std::swap(m_folder, (*again)->m_folder);
    }
    m_name = name;
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    m_file = persist([&] { return ::openat(m_folder, name.c_str(), flags, 0600); });
    if (m_file < 0) {
        return fault("open");
    }
    // Always: whoever made the name may have died before it was durable.
    if (persist([&] { return ::fsync(m_folder); }) != 0) {
        return fault("sync_folder");
    }
    return {};
}

AuditFile::Result<std::uint64_t> PosixAuditFile::size()
{
    struct stat about {};
    if (::fstat(m_file, &about) != 0) {
        return fault("size");
    }
    // A file without a name takes every line and keeps none; one that was moved is not where anybody looks for it.
    if (!isInItsPlace()) {
        errno = ENOENT;
        return fault("size");
    }
    return static_cast<std::uint64_t>(about.st_size);
}

AuditFile::Result<void> PosixAuditFile::append(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = persist([&] { return ::write(m_file, bytes.data(), bytes.size()); });
        if (count <= 0) {
            return fault("append");
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

AuditFile::Result<void> PosixAuditFile::sync()
{
#ifdef __APPLE__
    // There fsync leaves the bytes in the drive's own memory.
    const int done = persist([&] { return ::fcntl(m_file, F_FULLFSYNC); });
#else
    const int done = persist([&] { return ::fdatasync(m_file); });
#endif
    return done == 0 ? Result<void>() : Result<void>(fault("sync"));
}

AuditFile::Result<void> PosixAuditFile::truncate(std::uint64_t size)
{
    if (persist([&] { return ::ftruncate(m_file, static_cast<off_t>(size)); }) != 0) {
        return fault("truncate");
    }
    return {};
}

} // namespace vivavoce::broker
