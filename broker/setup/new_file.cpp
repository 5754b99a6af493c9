#include "broker/setup/new_file.h"

#include "core/base/random_id.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

namespace vivavoce::broker {
namespace {

using Result = core::Expected<void, core::Error>;

core::Unexpected<core::Error> unwritable(const std::string& path, int reason)
{
    return core::fail(
        core::ErrorCode::OutputUnwritable, path + " cannot be written: " + std::system_category().message(reason));
}

/// Closes what it holds.
class Handle {
public:
    explicit Handle(int fd) : m_fd(fd) {}
    ~Handle() { m_fd >= 0 ? static_cast<void>(::close(m_fd)) : void(); }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    [[nodiscard]] int fd() const { return m_fd; }

private:
    int m_fd;
};

bool writeAll(int fd, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    // Whatever the umask is, nobody but the owner.
    return ::fchmod(fd, S_IRUSR | S_IWUSR) == 0 && ::fsync(fd) == 0;
}

} // namespace

core::Expected<void, core::Error> writeNewFile(const std::string& path, std::string_view bytes)
{
    const std::string above = std::filesystem::path(path).parent_path().string();
    const Handle folder(::open(above.empty() ? "." : above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const std::string name = std::filesystem::path(path).filename().string();
    if (folder.fd() < 0 || name.empty()) {
        return unwritable(path, folder.fd() < 0 ? errno : EISDIR);
    }
    const std::string temporary = "." + name + "." + core::randomId();
    const Handle file(
        ::openat(folder.fd(), temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (file.fd() < 0) {
        return unwritable(path, errno);
    }
    Result result;
    // A link does not replace what is there, as a renaming would.
    if (!writeAll(file.fd(), bytes)) {
        result = unwritable(path, errno);
    } else if (::linkat(folder.fd(), temporary.c_str(), folder.fd(), name.c_str(), 0) != 0) {
        result = errno == EEXIST
            ? Result(core::fail(core::ErrorCode::BadUsage, path + " is there already, and stays as it is"))
            : Result(unwritable(path, errno));
    }
    ::unlinkat(folder.fd(), temporary.c_str(), 0);
    if (result && ::fsync(folder.fd()) != 0) {
        result = unwritable(path, errno);
    }
    return result;
}

} // namespace vivavoce::broker
