#pragma once

/// Why nothing is recorded, where that is neither a full disk nor a slow one: the `foreignCode` of an error RecordingFailed. As stable as the
/// codes are.
namespace vivavoce::core::recording_fault {

/// This computer's sound library does not write that kind of file.
inline constexpr const char* kFormat = "recording.format";
/// The file, or its folder, cannot be made.
inline constexpr const char* kPlace = "recording.place";

} // namespace vivavoce::core::recording_fault
