#include "app/application.h"
#include "app/platform/display.h"
#include "app/program.h"
#include "audio/audio_engine.h"
#include "core/base/process_memory.h"
#include "core/base/standard_streams.h"
#include "core/base/thread_role.h"

#include <utility>

using namespace vivavoce;

int main(int argc, char** argv)
{
    core::wipeFreedMemory(argv);
    core::occupyStandardStreams();
    core::hideProcessMemory(core::CoreLimit::Liftable);
    core::threadRole() = core::ThreadRole::Main;
    audio::prepareProcess();
    auto credential = app::Application::takeCredential();
    return platform::hasDisplay() ? app::runInWindow(argc, argv, std::move(credential))
                                  : app::runWithoutDisplay(argc, argv);
}
