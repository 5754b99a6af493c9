#include "app/sound.h"

namespace vivavoce::app {
namespace {

constexpr core::Milliseconds kWatchAfter{2'000};

} // namespace

Sound::Sound(core::Executor& executor, core::LiveSettings& settings)
    : m_engine(executor, audio::backendOf(settings.current().soundBackend)),
      m_watchLater(executor.after(kWatchAfter, [this] { m_watch = audio::watchSystem(m_engine); }))
{
    follow(settings.current());
    settings.follow([this](const core::Settings& changed) { follow(changed); });
}

void Sound::follow(const core::Settings& settings)
{
    m_engine.choose(settings.devices);
    m_engine.setProcessing({settings.isEchoCancelled, settings.isNoiseSuppressed, settings.isGainAutomatic});
}

} // namespace vivavoce::app
