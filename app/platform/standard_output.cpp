#include "app/platform/standard_output.h"

#include <QtGlobal>

#ifdef Q_OS_UNIX
#include <poll.h>
#endif

namespace vivavoce::platform {

bool waitUntilTaken([[maybe_unused]] std::FILE* out, [[maybe_unused]] core::Milliseconds patience)
{
#ifdef Q_OS_UNIX
    pollfd waiting{::fileno(out), POLLOUT, 0};
    return ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
#else
    return true;
#endif
}

} // namespace vivavoce::platform
