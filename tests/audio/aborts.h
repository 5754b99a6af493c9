#pragma once

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

namespace vivavoce::tests {

/// Whether `work` aborts, tried in a child.
template <typename Work>
bool aborts(Work work)
{
    const pid_t child = fork();
    if (child == 0) {
        ::close(STDERR_FILENO);
        std::signal(SIGABRT, SIG_DFL);
        work();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

} // namespace vivavoce::tests
