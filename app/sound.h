#pragma once

#include "audio/audio_engine.h"
#include "core/base/executor.h"
#include "core/settings/live_settings.h"

#include <memory>

namespace vivavoce::app {

/// The sound of the application: the engine, kept as the settings want it.
/// Lifetime: executor and settings outlive it, and settings are not changed after it has gone.
class Sound {
public:
    Sound(core::Executor& executor, core::LiveSettings& settings);

    [[nodiscard]] audio::AudioEngine& engine() { return m_engine; }

private:
    void follow(const core::Settings& settings);

    audio::AudioEngine m_engine;
    /// The system is watched a little later: its library takes its time to load, and a first window should not wait for it.
    std::unique_ptr<core::Timer> m_watchLater;
    std::shared_ptr<audio::DeviceWatch> m_watch;
};

} // namespace vivavoce::app
