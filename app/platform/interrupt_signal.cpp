#include "app/platform/interrupt_signal.h"

#include <QtGlobal>

#ifdef Q_OS_UNIX
#include <QSocketNotifier>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>
#endif

namespace vivavoce::platform {

#ifdef Q_OS_UNIX
namespace {

constexpr std::array kSignals{SIGINT, SIGTERM, SIGHUP};
/// A signal handler may write to a pipe and little else.
int writeEnd = -1;
volatile std::sig_atomic_t wasSent = 0;
/// `timeout` and terminals send one to the program and one to its group; nobody asks twice so soon.
constexpr std::int64_t kTogetherMs = 500;
std::atomic<std::int64_t> sentAtMs = 0;
static_assert(std::atomic<std::int64_t>::is_always_lock_free);

std::int64_t nowMs()
{
    std::timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000 + std::int64_t{now.tv_nsec} / 1'000'000;
}

extern "C" void signalCame(int number)
{
    if (wasSent == 0) {
        sentAtMs = nowMs();
        wasSent = 1;
        const char byte = 1;
        [[maybe_unused]] const auto written = ::write(writeEnd, &byte, 1);
    } else if (nowMs() - sentAtMs >= kTogetherMs) {
        // For a program that does not end.
        std::signal(number, SIG_DFL);
        std::raise(number);
    }
}

} // namespace

struct InterruptSignal::State {
    std::array<int, 2> ends{-1, -1};
    std::unique_ptr<QSocketNotifier> notifier;
};

InterruptSignal::InterruptSignal(std::function<void()> interrupted) : m_state(std::make_unique<State>())
{
    if (::pipe(m_state->ends.data()) != 0) {
        return;
    }
    for (const int end : m_state->ends) {
        ::fcntl(end, F_SETFD, FD_CLOEXEC);
        ::fcntl(end, F_SETFL, O_NONBLOCK);
    }
    writeEnd = m_state->ends[1];
    wasSent = 0;
    m_state->notifier = std::make_unique<QSocketNotifier>(m_state->ends[0], QSocketNotifier::Read);
    const int readEnd = m_state->ends[0];
    QObject::connect(m_state->notifier.get(), &QSocketNotifier::activated, m_state->notifier.get(),
        [readEnd, interrupted = std::move(interrupted)] {
            std::array<char, 16> drained{};
            if (::read(readEnd, drained.data(), drained.size()) > 0) {
                interrupted();
            }
        });
    for (const int number : kSignals) {
        std::signal(number, &signalCame);
    }
}

InterruptSignal::~InterruptSignal()
{
    for (const int number : kSignals) {
        std::signal(number, SIG_DFL);
    }
    m_state->notifier.reset();
    writeEnd = -1;
    for (const int end : m_state->ends) {
        if (end >= 0) {
            ::close(end);
        }
    }
}

bool InterruptSignal::hasCome()
{
    return wasSent != 0;
}
#else
struct InterruptSignal::State {};
// Without it Ctrl-C ends the program at once, which loses nothing but the summary.
InterruptSignal::InterruptSignal(std::function<void()>) {}
InterruptSignal::~InterruptSignal() = default;
bool InterruptSignal::hasCome()
{
    return false;
}
#endif

} // namespace vivavoce::platform
