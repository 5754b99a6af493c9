#include "app/cli/devices_command.h"
#include "app/cli/doctor_command.h"
#include "app/cli/options.h"
#include "app/cli/talk_command.h"
#include "app/cli/usage_command.h"
#include "app/platform/interrupt_signal.h"
#include "core/base/error.h"
#include "core/base/process_memory.h"
#include "core/base/standard_streams.h"
#include "core/base/thread_role.h"

#include <QCoreApplication>
#include <QTimer>

#include <csignal>
#include <cstdio>

using namespace vivavoce::cli;

namespace {

int talk(TalkOptions options)
{
    int exitCode = 0;
    TalkCommand command(std::move(options), [&exitCode](int code) {
        exitCode = code;
        QCoreApplication::exit(code);
    });
#ifdef SIGPIPE
    // Who stops reading does not end a conversation.
    std::signal(SIGPIPE, SIG_IGN);
#endif
    const vivavoce::platform::InterruptSignal interrupted([&command] { command.interrupt(); });
    QTimer::singleShot(0, qApp, [&command] { command.start(); });
    QCoreApplication::exec();
    return exitCode;
}

/// What it came to, unless nobody could be told.
int leave(int exitCode)
{
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) {
        return exitCode;
    }
    std::fputs("vivavoce-cli: standard output cannot be written (output.unwritable)\n", stderr);
    return exitCode == 0 ? vivavoce::core::exitCode(vivavoce::core::ErrorCode::OutputUnwritable) : exitCode;
}

} // namespace

int main(int argc, char** argv)
{
    vivavoce::core::wipeFreedMemory(argv);
    vivavoce::core::occupyStandardStreams();
    vivavoce::core::hideProcessMemory(vivavoce::core::CoreLimit::Liftable);
    vivavoce::core::threadRole() = vivavoce::core::ThreadRole::Main;
    Command command = parseCommandLine(argc, argv);
    if (const auto* end = std::get_if<EndNow>(&command)) {
        return leave(end->exitCode);
    }
    QCoreApplication app(argc, argv);
    if (const auto* devices = std::get_if<DevicesOptions>(&command)) {
        return leave(runDevices(*devices));
    }
    if (const auto* doctor = std::get_if<DoctorOptions>(&command)) {
        return leave(runDoctor(*doctor));
    }
    if (const auto* usage = std::get_if<UsageOptions>(&command)) {
        return leave(runUsage(*usage));
    }
    return leave(talk(std::move(std::get<TalkOptions>(command))));
}
