#pragma once

/// Why a device cannot be had, where a conversation has to know: the `foreignCode` of an error SoundNoLoudspeaker. Nobody else is told.
namespace vivavoce::core::sound_fault {

/// It was there in this conversation, and what it played ended there.
inline constexpr const char* kGone = "sound.gone";

} // namespace vivavoce::core::sound_fault
