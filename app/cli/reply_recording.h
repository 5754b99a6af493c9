#pragma once

#include "audio/dsp/resampler.h"
#include "audio/dsp/wav_file.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vivavoce::cli {

/// The WAV file that replies go to, at the rate at which the first of them comes. A file that was there before stays until there is
/// something to put in its place, and a conversation without a reply leaves no file.
/// Threads: one at a time.
class ReplyRecording {
public:
    /// OutputUnwritable.
    [[nodiscard]] static core::Expected<ReplyRecording, core::Error> create(const std::string& path);

    [[nodiscard]] bool write(std::span<const std::int16_t> samples, core::SampleRate rate);
    [[nodiscard]] bool isEmpty() const { return m_isEmpty; }
    /// Why it could not be written.
    [[nodiscard]] const std::optional<core::Error>& fault() const { return m_fault; }
    /// The file has its name from here on. OutputUnwritable.
    [[nodiscard]] core::Expected<void, core::Error> finish();

private:
    ReplyRecording(std::string path, std::string writtenTo, dsp::WavWriter writer);
    [[nodiscard]] core::Expected<void, core::Error> writeAt(
        std::span<const std::int16_t> samples, core::SampleRate rate);
    /// From another rate.
    [[nodiscard]] core::Expected<void, core::Error> writeMade(std::span<const std::int16_t> samples);
    /// What is still on its way from another rate comes before anything else.
    [[nodiscard]] core::Expected<void, core::Error> endOther();

    std::string m_path;
    /// The same, or a neighbour of the file that is still there.
    std::string m_writtenTo;
    /// Of the file.
    core::SampleRate m_rate = core::kRealtimeRate;
    dsp::WavWriter m_writer;
    /// Of what comes at another rate than the file has.
    core::SampleRate m_otherRate;
    std::optional<dsp::Resampler> m_fromOther;
    /// Of what it gives, so much comes before anything of what it got.
    std::size_t m_late = 0;
    bool m_isEmpty = true;
    std::optional<core::Error> m_fault;
};

} // namespace vivavoce::cli
