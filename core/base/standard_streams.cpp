#include "core/base/standard_streams.h"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#endif

namespace vivavoce::core {

void occupyStandardStreams()
{
#ifndef _WIN32
    // By number. What cannot be written to standard output is told; what cannot be to standard error nobody could be told of.
    constexpr std::array kModes{O_RDONLY, O_RDONLY, O_WRONLY};
    for (int number = 0; number < static_cast<int>(kModes.size()); ++number) {
        if (::fcntl(number, F_GETFD) >= 0 || errno != EBADF) {
            continue;
        }
        // The lowest number that is free, which is this one.
        [[maybe_unused]] const int opened = ::open("/dev/null", kModes[static_cast<std::size_t>(number)]);
    }
#endif
}

} // namespace vivavoce::core
