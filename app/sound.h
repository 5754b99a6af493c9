#pragma once

#include "core/base/executor.h"
#include "core/ports/device_catalog.h"
#include "core/ports/voice_controls.h"
#include "core/ports/voice_io.h"
#include "core/settings/settings.h"

#include <memory>

namespace vivavoce::app {

/// The sound as the application sees it: three ports of one engine. The only place that knows which engine.
/// Lifetime: the ports live as long as this.
class Sound {
public:
    virtual ~Sound() = default;
    [[nodiscard]] virtual core::VoiceIo& voice() = 0;
    [[nodiscard]] virtual core::VoiceControls& controls() = 0;
    [[nodiscard]] virtual core::DeviceCatalog& devices() = 0;
    /// Devices and processing as a person has set them; also while a conversation runs.
    virtual void apply(const core::Settings& settings) = 0;
};

/// Never null. Where this build has no engine, it has no devices either, and says so when a conversation wants to be heard.
[[nodiscard]] std::unique_ptr<Sound> makeSound(core::Executor& executor, const core::Settings& settings);

} // namespace vivavoce::app
