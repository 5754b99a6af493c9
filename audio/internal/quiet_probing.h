#pragma once

namespace vivavoce::audio {

/// ALSA, JACK and PortAudio print pages while they look for devices that are not there. They let themselves be told not to,
/// where they are loaded; nobody else's output is touched.
void quietProbing();

} // namespace vivavoce::audio
