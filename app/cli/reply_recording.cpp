#include "app/cli/reply_recording.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace vivavoce::cli {

namespace fs = std::filesystem;

core::Expected<ReplyRecording, core::Error> ReplyRecording::create(const std::string& path)
{
    std::error_code none;
    // What is no plain file, but a device, is written to as it is. Into a pipe nobody writes a WAV file: its header is known at the end.
    const bool isReplaced = fs::is_regular_file(path, none);
    std::string writtenTo = isReplaced ? path + ".part" : path;
    auto writer = dsp::WavWriter::create(writtenTo, core::kRealtimeRate);
    if (!writer) {
        return core::Unexpected<core::Error>(writer.error());
    }
    return ReplyRecording(path, std::move(writtenTo), std::move(*writer));
}

ReplyRecording::ReplyRecording(std::string path, std::string writtenTo, dsp::WavWriter writer)
    : m_path(std::move(path)), m_writtenTo(std::move(writtenTo)), m_writer(std::move(writer))
{
}

core::Expected<void, core::Error> ReplyRecording::writeAt(std::span<const std::int16_t> samples, core::SampleRate rate)
{
    if (m_isEmpty && rate != m_rate) {
        // Nothing was written but its header.
        auto writer = dsp::WavWriter::create(m_writtenTo, rate);
        if (!writer) {
            return core::Unexpected<core::Error>(writer.error());
        }
        m_writer = std::move(*writer);
        m_rate = rate;
    }
    m_isEmpty = m_isEmpty && samples.empty();
    if (rate != m_otherRate) {
        if (auto rest = endOther(); !rest) {
            return rest;
        }
    }
    if (rate == m_rate) {
        return m_writer.write(samples);
    }
    if (!m_fromOther) {
        auto resampler = dsp::Resampler::create(rate, m_rate);
        if (!resampler) {
            return core::Unexpected<core::Error>(resampler.error());
        }
        m_fromOther.emplace(std::move(*resampler));
        m_otherRate = rate;
        m_late = static_cast<std::size_t>(m_fromOther->latency().value());
    }
    return writeMade(m_fromOther->process(samples));
}

core::Expected<void, core::Error> ReplyRecording::writeMade(std::span<const std::int16_t> samples)
{
    const std::size_t late = std::min(m_late, samples.size());
    m_late -= late;
    return m_writer.write(samples.subspan(late));
}

core::Expected<void, core::Error> ReplyRecording::endOther()
{
    if (!m_fromOther) {
        return {};
    }
    auto written = writeMade(m_fromOther->flush());
    m_fromOther.reset();
    return written;
}

bool ReplyRecording::write(std::span<const std::int16_t> samples, core::SampleRate rate)
{
    auto written = writeAt(samples, rate);
    if (!written) {
        m_fault = written.error();
    }
    return written.has_value();
}

core::Expected<void, core::Error> ReplyRecording::finish()
{
    const auto rest = endOther();
    auto closed = m_writer.close();
    std::error_code fault;
    if (m_isEmpty) {
        if (fs::is_regular_file(m_writtenTo, fault)) {
            fs::remove(m_writtenTo, fault);
        }
        return closed;
    }
    if (m_writtenTo != m_path) {
        fs::rename(m_writtenTo, m_path, fault);
        if (fault) {
            return core::fail(core::ErrorCode::OutputUnwritable, m_path + ": " + fault.message());
        }
    }
    return rest ? closed : rest;
}

} // namespace vivavoce::cli
