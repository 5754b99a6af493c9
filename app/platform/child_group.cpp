#include "app/platform/child_group.h"

#include <QProcess>

#ifdef Q_OS_UNIX
#include <csignal>
#include <unistd.h>
#endif
#ifdef Q_OS_LINUX
#include <sys/prctl.h>
#endif

namespace vivavoce::platform {

void tieToUs(QProcess& process)
{
#ifdef Q_OS_LINUX
    process.setChildProcessModifier([parent = ::getpid()] {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        // We may have gone before that was said.
        if (::getppid() != parent) {
            ::_exit(1);
        }
    });
#elif defined(Q_OS_UNIX)
    process.setChildProcessModifier([] { ::setpgid(0, 0); });
#else
    (void)process;
#endif
}

void killGroup(QProcess& process)
{
    killRestOfGroup(process.processId());
    process.kill();
}

void killRestOfGroup(qint64 leader)
{
#ifdef Q_OS_UNIX
    if (leader > 0) {
        ::kill(static_cast<pid_t>(-leader), SIGKILL);
    }
#else
    (void)leader;
#endif
}

} // namespace vivavoce::platform
