#include "tests/integration/written_files.h"

#include "tests/broker/marker_search.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

namespace vivavoce::tests {

WrittenFiles::WrittenFiles()
    : m_events(fanotify_init(
        FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE, O_RDONLY | O_CLOEXEC | O_LARGEFILE))
{
    int watched = 0;
    std::ifstream mounts("/proc/self/mounts");
    for (std::string line; m_events >= 0 && std::getline(mounts, line);) {
        std::istringstream words(line);
        std::string device;
        std::string place;
        words >> device >> place;
        // Where nothing is kept, it refuses.
        watched +=
            fanotify_mark(m_events, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, FAN_CLOSE_WRITE, AT_FDCWD, place.c_str()) == 0
            ? 1
            : 0;
    }
    if (watched == 0 && m_events >= 0) {
        ::close(m_events);
        m_events = -1;
    }
}

WrittenFiles::~WrittenFiles()
{
    if (m_events >= 0) {
        ::close(m_events);
    }
}

QStringList WrittenFiles::findIn(const std::vector<qint64>& processes, const MarkerSearch& search)
{
    QStringList found;
    alignas(fanotify_event_metadata) std::array<char, 16 * 1024> buffer{};
    ssize_t size = 0;
    while (m_events >= 0 && (size = ::read(m_events, buffer.data(), buffer.size())) > 0) {
        const auto* event = reinterpret_cast<const fanotify_event_metadata*>(buffer.data());
        for (; FAN_EVENT_OK(event, size); event = FAN_EVENT_NEXT(event, size)) {
            if (event->fd < 0) {
                continue;
            }
            if (std::find(processes.begin(), processes.end(), event->pid) != processes.end()) {
                const std::string file = "/proc/self/fd/" + std::to_string(event->fd);
                std::error_code error;
                const auto name = std::filesystem::read_symlink(file, error);
                found += search.findIn(QString::fromStdString(name.string()), bytesOf(file));
            }
            ::close(event->fd);
        }
    }
    return found;
}

} // namespace vivavoce::tests
