#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/units.h"
#include "core/settings/settings.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vivavoce::dsp {

/// Writes PCM16 stereo as it comes, as WAV (RF64 from 4 GiB on) or Ogg Opus (about 64 kbit/s while somebody speaks). Whatever ends the program,
/// the file can be played up to a quarter of a second before the last `write`, if that was followed by a `settle`.
/// Every failure is RecordingFailed, where nothing could be begun with a recording_fault. Threads: one at a time.
class SoundFileWriter {
public:
    /// `path` is there already, with the permissions that it is to have.
    static core::Expected<SoundFileWriter, core::Error> create(
        const std::string& path, core::SoundFormat format, core::SampleRate rate);

    SoundFileWriter(SoundFileWriter&&) noexcept;
    SoundFileWriter& operator=(SoundFileWriter&&) noexcept;
    ~SoundFileWriter();

    /// Interleaved.
    core::Expected<void, core::Error> write(std::span<const std::int16_t> samples);
    /// What was written is part of the file from here on.
    void settle();
    core::Expected<void, core::Error> close();

private:
    struct State;
    explicit SoundFileWriter(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

/// Reads a recording from any place on, as PCM16 mono; channels are added, as two voices in a room are. Threads: one at a time.
class SoundFileReader {
public:
    /// InputUnreadable (no such file, no permission), InputNotAudio, InputEmpty.
    static core::Expected<SoundFileReader, core::Error> open(const std::string& path);

    SoundFileReader(SoundFileReader&&) noexcept;
    SoundFileReader& operator=(SoundFileReader&&) noexcept;
    ~SoundFileReader();

    [[nodiscard]] core::SampleRate rate() const;
    [[nodiscard]] core::FrameCount length() const;
    /// InputNotAudio: it is damaged there.
    core::Expected<void, core::Error> seek(core::FrameCount to);
    /// At most so many; fewer at its end, where what follows is none.
    [[nodiscard]] core::Expected<std::vector<std::int16_t>, core::Error> read(core::FrameCount most);

private:
    struct State;
    explicit SoundFileReader(std::unique_ptr<State> state);

    std::unique_ptr<State> m_state;
};

} // namespace vivavoce::dsp
