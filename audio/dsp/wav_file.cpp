#include "audio/dsp/wav_file.h"

#include "audio/dsp/resampler.h"

#include <sndfile.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace vivavoce::dsp {
namespace {

using core::Error;
using core::ErrorCode;
using core::fail;

constexpr std::int64_t kLongestSeconds = 3600;
constexpr std::size_t kPiece = 8192;

struct SndFileDeleter {
    void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndFilePtr = std::unique_ptr<SNDFILE, SndFileDeleter>;

/// What went wrong, without the library's own "System error : " before the system's words.
std::string reasonOf(SNDFILE* file)
{
    const std::string text = sf_strerror(file);
    const std::size_t own = sf_error(file) == SF_ERR_SYSTEM ? text.find(" : ") : std::string::npos;
    return own == std::string::npos ? text : text.substr(own + 3);
}

std::int16_t toPcm16(float sample)
{
    // The scale that libsndfile reads 16 bit files with: those come back bit for bit.
    return static_cast<std::int16_t>(std::lrintf(std::clamp(sample * 32768.0F, -32768.0F, 32767.0F)));
}

std::vector<std::int16_t> readMono(SNDFILE* file, int channels)
{
    const auto width = static_cast<std::size_t>(channels);
    std::vector<float> piece(kPiece * width);
    std::vector<std::int16_t> mono;
    while (const sf_count_t frames = sf_readf_float(file, piece.data(), kPiece)) {
        for (std::size_t i = 0; i < static_cast<std::size_t>(frames); ++i) {
            float sum = 0;
            for (std::size_t c = 0; c < width; ++c) {
                const float sample = piece[i * width + c];
                // A float file may hold anything.
                sum += std::isfinite(sample) ? sample : 0.0F;
            }
            mono.push_back(toPcm16(sum / static_cast<float>(channels)));
        }
    }
    return mono;
}

} // namespace

core::Expected<std::vector<std::int16_t>, Error> readWav(const std::string& path, core::SampleRate rate)
{
    // Opening a pipe waits for somebody at its other end.
    if (std::error_code none; std::filesystem::exists(path, none) && !std::filesystem::is_regular_file(path, none)) {
        return fail(ErrorCode::InputUnreadable, path + " is not a file");
    }
    if (std::ifstream probe(path, std::ios::binary); !probe || probe.peek() == std::ifstream::traits_type::eof()) {
        const bool isEmpty = probe.is_open() && !probe.bad() && probe.eof();
        return isEmpty ? fail(ErrorCode::InputEmpty, path + " is empty")
                       : fail(ErrorCode::InputUnreadable,
                           path + " cannot be read: " + std::generic_category().message(errno != 0 ? errno : EIO));
    }
    SF_INFO info{};
    const SndFilePtr file(sf_open(path.c_str(), SFM_READ, &info));
    if (file == nullptr) {
        return fail(ErrorCode::InputNotAudio, path + " is not a recording that can be read: " + reasonOf(nullptr));
    }
    const core::SampleRate own(static_cast<std::uint32_t>(std::max(info.samplerate, 0)));
    if (info.channels < 1 || !own.isValid()) {
        return fail(
            ErrorCode::InputNotAudio, path + " has a sampling rate of " + std::to_string(info.samplerate) + " Hz");
    }
    if (info.frames > kLongestSeconds * info.samplerate) {
        return fail(ErrorCode::InputNotAudio, path + " is longer than an hour");
    }
    const std::vector<std::int16_t> mono = readMono(file.get(), info.channels);
    if (mono.empty()) {
        return fail(ErrorCode::InputEmpty, path + " has no sound in it");
    }
    auto resampler = Resampler::create(own, rate);
    if (!resampler) {
        return core::Unexpected<Error>(resampler.error());
    }
    std::vector<std::int16_t> result = resampler->process(mono);
    const std::vector<std::int16_t> rest = resampler->flush();
    result.insert(result.end(), rest.begin(), rest.end());
    return result;
}

struct WavWriter::State {
    std::string path;
    SndFilePtr file;

    [[nodiscard]] core::Unexpected<Error> failure() const
    {
        return fail(ErrorCode::OutputUnwritable, path + " cannot be written: " + reasonOf(file.get()));
    }
};

WavWriter::WavWriter(std::unique_ptr<State> state) : m_state(std::move(state)) {}
WavWriter::WavWriter(WavWriter&&) noexcept = default;
WavWriter& WavWriter::operator=(WavWriter&&) noexcept = default;
WavWriter::~WavWriter() = default;

core::Expected<WavWriter, Error> WavWriter::create(const std::string& path, core::SampleRate rate)
{
    SF_INFO info{};
    info.samplerate = static_cast<int>(rate.hz());
    info.channels = 1;
    info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
    auto state = std::make_unique<State>();
    state->path = path;
    state->file.reset(sf_open(path.c_str(), SFM_WRITE, &info));
    if (state->file == nullptr) {
        return state->failure();
    }
    sf_command(state->file.get(), SFC_SET_UPDATE_HEADER_AUTO, nullptr, SF_TRUE);
    return WavWriter(std::move(state));
}

core::Expected<void, Error> WavWriter::write(std::span<const std::int16_t> samples)
{
    if (m_state == nullptr || m_state->file == nullptr) {
        return fail(ErrorCode::OutputUnwritable, "the file is closed");
    }
    const auto count = static_cast<sf_count_t>(samples.size());
    if (sf_write_short(m_state->file.get(), samples.data(), count) != count) {
        return m_state->failure();
    }
    return {};
}

core::Expected<void, Error> WavWriter::close()
{
    if (m_state == nullptr || m_state->file == nullptr) {
        return {};
    }
    const bool isSafe = sf_error(m_state->file.get()) == SF_ERR_NO_ERROR;
    const std::string reason = isSafe ? std::string() : ": " + reasonOf(m_state->file.get());
    sf_write_sync(m_state->file.get());
    if (sf_close(m_state->file.release()) != 0 || !isSafe) {
        return fail(ErrorCode::OutputUnwritable, m_state->path + " could not be written to its end" + reason);
    }
    return {};
}

} // namespace vivavoce::dsp
