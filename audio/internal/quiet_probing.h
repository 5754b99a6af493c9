#pragma once

namespace vivavoce::audio {

/// ALSA, JACK and PortAudio print pages while they look for devices that are not there. They let themselves be told not to,
/// where they are loaded; nobody else's output is touched.
void quietProbing();

/// Looking for a JACK server is no reason to start one. Writes to the environment, which other threads read at any time: it is called
/// before there are any.
void startNoSoundServer();

} // namespace vivavoce::audio
