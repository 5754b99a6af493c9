#include "core/base/standard_streams.h"

#include <QTest>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#endif

using namespace vivavoce::core;

namespace {

#ifndef _WIN32
/// What is wrong with them in a process that was started without; 0: nothing.
int faultWithout()
{
    for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        ::close(number);
    }
    occupyStandardStreams();
    char letter = 0;
    if (::open("/dev/null", O_RDONLY) <= STDERR_FILENO) {
        return 1;
    }
    if (::read(STDIN_FILENO, &letter, 1) != 0) {
        return 2;
    }
    if (::write(STDOUT_FILENO, &letter, 1) >= 0 || errno != EBADF) {
        return 3;
    }
    return ::write(STDERR_FILENO, &letter, 1) == 1 ? 0 : 4;
}

/// Nothing is closed: nothing changes.
int faultWith()
{
    int ends[2]{};
    if (::pipe(ends) != 0 || ::dup2(ends[0], STDIN_FILENO) < 0 || ::dup2(ends[1], STDOUT_FILENO) < 0) {
        return 1;
    }
    occupyStandardStreams();
    char letter = 'x';
    const bool isPiped = ::write(STDOUT_FILENO, &letter, 1) == 1 && ::read(STDIN_FILENO, &letter, 1) == 1;
    return isPiped ? 0 : 2;
}

int inAnotherProcess(int (*what)())
{
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(what());
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
#endif

} // namespace

class StandardStreamsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void streamsThatWereClosed_AreNoOtherFile()
    {
#ifdef _WIN32
        QSKIP("a matter of Unix");
#else
        QCOMPARE(inAnotherProcess(&faultWithout), 0);
#endif
    }

    void streamsThatAreThere_StayAsTheyAre()
    {
#ifdef _WIN32
        QSKIP("a matter of Unix");
#else
        QCOMPARE(inAnotherProcess(&faultWith), 0);
#endif
    }
};

QTEST_GUILESS_MAIN(StandardStreamsTest)
#include "test_standard_streams.moc"
