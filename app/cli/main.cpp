#include "app/cli/devices_command.h"
#include "app/cli/doctor_command.h"
#include "app/cli/options.h"
#include "app/cli/talk_command.h"
#include "app/platform/interrupt_signal.h"
#include "core/base/process_memory.h"
#include "core/base/thread_role.h"

#include <QCoreApplication>
#include <QTimer>

using namespace vivavoce::cli;

namespace {

int talk(TalkOptions options)
{
    int exitCode = 0;
    TalkCommand command(std::move(options), [&exitCode](int code) {
        exitCode = code;
        QCoreApplication::exit(code);
    });
    const vivavoce::platform::InterruptSignal interrupted([&command] { command.interrupt(); });
    QTimer::singleShot(0, qApp, [&command] { command.start(); });
    QCoreApplication::exec();
    return exitCode;
}

} // namespace

int main(int argc, char** argv)
{
    vivavoce::core::wipeFreedMemory(argv);
    vivavoce::core::hideProcessMemory(vivavoce::core::CoreLimit::Liftable);
    vivavoce::core::threadRole() = vivavoce::core::ThreadRole::Main;
    Command command = parseCommandLine(argc, argv);
    if (const auto* end = std::get_if<EndNow>(&command)) {
        return end->exitCode;
    }
    QCoreApplication app(argc, argv);
    if (const auto* devices = std::get_if<DevicesOptions>(&command)) {
        return runDevices(*devices);
    }
    if (const auto* doctor = std::get_if<DoctorOptions>(&command)) {
        return runDoctor(*doctor);
    }
    return talk(std::move(std::get<TalkOptions>(command)));
}
