#include "app/cli/sound_devices.h"

#include "app/platform/qt_executor.h"
#include "audio/audio_engine.h"

#include <QEventLoop>

namespace vivavoce::cli {
namespace {

constexpr core::Milliseconds kPatience{10'000};

} // namespace

std::vector<core::SoundDevice> findSoundDevices(core::SoundBackend backend)
{
    platform::QtExecutor executor;
    audio::AudioEngine engine(executor, audio::backendOf(backend));
    QEventLoop loop;
    engine.watch([&loop] { loop.quit(); });
    const auto deadline = executor.after(kPatience, [&loop] { loop.quit(); });
    std::vector<core::SoundDevice> found = engine.devices(core::SoundDirection::Capture);
    loop.exec();
    found = engine.devices(core::SoundDirection::Capture);
    const auto loudspeakers = engine.devices(core::SoundDirection::Playback);
    found.insert(found.end(), loudspeakers.begin(), loudspeakers.end());
    return found;
}

} // namespace vivavoce::cli
