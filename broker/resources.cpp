#include "broker/resources.h"

#ifdef __linux__
#include <unistd.h>

#include <fstream>
#endif

namespace vivavoce::broker {

std::optional<std::int64_t> residentBytes()
{
#ifdef __linux__
    std::ifstream file("/proc/self/statm");
    std::int64_t total = 0;
    std::int64_t resident = 0;
    if (file >> total >> resident) {
        return resident * sysconf(_SC_PAGESIZE);
    }
#endif
    return std::nullopt;
}

} // namespace vivavoce::broker
