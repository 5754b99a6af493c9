#include "audio/dsp/sound_file.h"

#include "core/ports/recording_fault.h"

#include <sndfile.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace vivavoce::dsp {
namespace {

using core::Error;
using core::ErrorCode;
using core::Expected;
using core::fail;

constexpr int kChannels = 2;
/// Of Ogg's pages: what a crash costs.
constexpr double kPageMilliseconds = 200;
/// On libsndfile's scale of 256 kbit/s a channel to 6: two voices are clear, and neither is heard on the other's side.
constexpr double kCompression = 0.8;

struct SndFileDeleter {
    void operator()(SNDFILE* file) const { sf_close(file); }
};
using SndFilePtr = std::unique_ptr<SNDFILE, SndFileDeleter>;

int formatOf(core::SoundFormat format)
{
    // It stays a plain WAV file as long as that can hold it.
    return format == core::SoundFormat::Wav ? SF_FORMAT_RF64 | SF_FORMAT_PCM_16 : SF_FORMAT_OGG | SF_FORMAT_OPUS;
}

} // namespace

struct SoundFileWriter::State {
    std::string path;
    SndFilePtr file;
    bool isWav = false;

    [[nodiscard]] core::Unexpected<Error> failure() const
    {
        return fail(ErrorCode::RecordingFailed, path + " cannot be written: " + sf_strerror(file.get()));
    }
    /// It was not begun: the disk may be full, too.
    [[nodiscard]] core::Unexpected<Error> unmade() const
    {
        auto made = failure();
        if (sf_error(nullptr) != SF_ERR_SYSTEM) {
            made.value().foreignCode = core::recording_fault::kFormat;
        } else if (!std::fstream(path, std::ios::in | std::ios::out)) {
            made.value().foreignCode = core::recording_fault::kPlace;
        }
        return made;
    }
};

SoundFileWriter::SoundFileWriter(std::unique_ptr<State> state) : m_state(std::move(state)) {}
SoundFileWriter::SoundFileWriter(SoundFileWriter&&) noexcept = default;
SoundFileWriter& SoundFileWriter::operator=(SoundFileWriter&&) noexcept = default;
SoundFileWriter::~SoundFileWriter() = default;

Expected<SoundFileWriter, Error> SoundFileWriter::create(
    const std::string& path, core::SoundFormat format, core::SampleRate rate)
{
    SF_INFO info{};
    info.samplerate = static_cast<int>(rate.hz());
    info.channels = kChannels;
    info.format = formatOf(format);
    auto state = std::make_unique<State>();
    state->path = path;
    state->isWav = format == core::SoundFormat::Wav;
    state->file.reset(sf_open(path.c_str(), SFM_WRITE, &info));
    if (state->file == nullptr) {
        return state->unmade();
    }
    if (state->isWav) {
        sf_command(state->file.get(), SFC_RF64_AUTO_DOWNGRADE, nullptr, SF_TRUE);
    } else {
        double latency = kPageMilliseconds;
        double compression = kCompression;
        sf_command(state->file.get(), SFC_SET_OGG_PAGE_LATENCY_MS, &latency, sizeof latency);
        sf_command(state->file.get(), SFC_SET_COMPRESSION_LEVEL, &compression, sizeof compression);
    }
    return SoundFileWriter(std::move(state));
}

Expected<void, Error> SoundFileWriter::write(std::span<const std::int16_t> samples)
{
    const auto frames = static_cast<sf_count_t>(samples.size() / kChannels);
    if (sf_writef_short(m_state->file.get(), samples.data(), frames) != frames
        || sf_error(m_state->file.get()) != SF_ERR_NO_ERROR) {
        return m_state->failure();
    }
    return {};
}

void SoundFileWriter::settle()
{
    if (m_state->isWav) {
        sf_command(m_state->file.get(), SFC_UPDATE_HEADER_NOW, nullptr, 0);
    }
    // The power may fail, too.
    sf_write_sync(m_state->file.get());
}

Expected<void, Error> SoundFileWriter::close()
{
    sf_write_sync(m_state->file.get());
    const bool isSafe = sf_error(m_state->file.get()) == SF_ERR_NO_ERROR;
    if (sf_close(m_state->file.release()) != 0 || !isSafe) {
        return fail(ErrorCode::RecordingFailed, m_state->path + " could not be written to its end");
    }
    return {};
}

struct SoundFileReader::State {
    std::string path;
    SndFilePtr file;
    SF_INFO info{};
    std::vector<float> raw;

    [[nodiscard]] core::Unexpected<Error> damaged() const
    {
        return fail(ErrorCode::InputNotAudio, path + " cannot be read: " + sf_strerror(file.get()));
    }
};

SoundFileReader::SoundFileReader(std::unique_ptr<State> state) : m_state(std::move(state)) {}
SoundFileReader::SoundFileReader(SoundFileReader&&) noexcept = default;
SoundFileReader& SoundFileReader::operator=(SoundFileReader&&) noexcept = default;
SoundFileReader::~SoundFileReader() = default;

Expected<SoundFileReader, Error> SoundFileReader::open(const std::string& path)
{
    // Opening a pipe waits for somebody at its other end.
    if (std::error_code none; !std::filesystem::is_regular_file(path, none)) {
        return fail(ErrorCode::InputUnreadable, path + " is not there");
    }
    if (std::ifstream probe(path, std::ios::binary); !probe || probe.peek() == std::ifstream::traits_type::eof()) {
        return probe.is_open()
            ? fail(ErrorCode::InputEmpty, path + " is empty")
            : fail(ErrorCode::InputUnreadable, path + " cannot be read: " + std::generic_category().message(errno));
    }
    auto state = std::make_unique<State>();
    state->path = path;
    state->file.reset(sf_open(path.c_str(), SFM_READ, &state->info));
    if (state->file == nullptr) {
        return state->damaged();
    }
    const SF_INFO& info = state->info;
    if (info.channels < 1 || info.seekable == 0 || info.samplerate < static_cast<int>(core::SampleRate::kLowest)
        || info.samplerate > static_cast<int>(core::SampleRate::kHighest)) {
        return fail(ErrorCode::InputNotAudio, path + " is no recording of ours");
    }
    if (info.frames <= 0) {
        return fail(ErrorCode::InputEmpty, path + " has no sound in it");
    }
    return SoundFileReader(std::move(state));
}

core::SampleRate SoundFileReader::rate() const
{
    return core::SampleRate(static_cast<std::uint32_t>(m_state->info.samplerate));
}

core::FrameCount SoundFileReader::length() const
{
    return core::FrameCount{m_state->info.frames};
}

Expected<void, Error> SoundFileReader::seek(core::FrameCount to)
{
    const sf_count_t place = std::clamp<sf_count_t>(to.value(), 0, m_state->info.frames);
    if (sf_seek(m_state->file.get(), place, SEEK_SET) != place) {
        return m_state->damaged();
    }
    return {};
}

Expected<std::vector<std::int16_t>, Error> SoundFileReader::read(core::FrameCount most)
{
    const auto channels = static_cast<std::size_t>(m_state->info.channels);
    m_state->raw.resize(static_cast<std::size_t>(most.value()) * channels);
    const sf_count_t frames = sf_readf_float(m_state->file.get(), m_state->raw.data(), most.value());
    if (frames < 0 || (frames < most.value() && sf_error(m_state->file.get()) != SF_ERR_NO_ERROR)) {
        return m_state->damaged();
    }
    std::vector<std::int16_t> mono(static_cast<std::size_t>(frames));
    for (std::size_t i = 0; i < mono.size(); ++i) {
        float sum = 0;
        for (std::size_t channel = 0; channel < channels; ++channel) {
            sum += m_state->raw[i * channels + channel];
        }
        mono[i] = static_cast<std::int16_t>(std::clamp(sum * 32768.0F, -32768.0F, 32767.0F));
    }
    return mono;
}

} // namespace vivavoce::dsp
