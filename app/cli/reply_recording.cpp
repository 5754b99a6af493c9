#include "app/cli/reply_recording.h"

#include <filesystem>
#include <utility>

namespace vivavoce::cli {

namespace fs = std::filesystem;

core::Expected<ReplyRecording, core::Error> ReplyRecording::create(const std::string& path)
{
    std::error_code none;
    // What is no plain file (a pipe, a device) is written to as it is.
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
    if (rate == m_rate) {
        return m_writer.write(samples);
    }
    if (!m_fromOther || m_otherRate != rate) {
        auto resampler = dsp::Resampler::create(rate, m_rate);
        if (!resampler) {
            return core::Unexpected<core::Error>(resampler.error());
        }
        m_fromOther.emplace(std::move(*resampler));
        m_otherRate = rate;
    }
    return m_writer.write(m_fromOther->process(samples));
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
    return closed;
}

} // namespace vivavoce::cli
