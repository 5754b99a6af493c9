#include "app/cli/recorded_voice_io.h"

#include "audio/dsp/resampler.h"

#include <algorithm>

namespace vivavoce::cli {
namespace {

constexpr core::Milliseconds kTick{20};
constexpr std::size_t kFastFactor = 8;
/// After a pause of the machine the speaker does not talk faster for ever: at most this much is made up for at once.
constexpr core::Milliseconds kMostAtOnce{500};
/// Providers take 20 to 100 ms a message.
constexpr core::Milliseconds kLongestPiece{100};

std::size_t framesIn(core::Milliseconds time, core::SampleRate rate)
{
    return static_cast<std::size_t>(core::FrameCount::of(time, rate).value());
}

std::size_t scaled(std::size_t frames, core::SampleRate from, core::SampleRate to)
{
    return frames * to.hz() / from.hz();
}

} // namespace

RecordedVoiceIo::RecordedVoiceIo(
    core::Executor& executor, const core::Clock& clock, std::vector<std::int16_t> recording, Pace pace, Heard heard)
    : m_executor(executor), m_clock(clock), m_recording(std::move(recording)), m_pace(pace), m_heard(std::move(heard))
{
}

RecordedVoiceIo::~RecordedVoiceIo() = default;

void RecordedVoiceIo::useRates(const core::VoiceRates& rates)
{
    const core::VoiceRates before = m_rates;
    if (rates.input != before.input) {
        m_spoken = std::min(m_spoken, m_recording.size());
        m_recording = dsp::resampled(m_recording, before.input, rates.input);
        m_spoken = scaled(m_spoken, before.input, rates.input);
    }
    if (rates.output != before.output) {
        m_heardBefore += heardNow();
        m_heardFrames = 0;
        for (Queued& item : m_queue) {
            const bool isThrough = item.heard == item.samples.size();
            item.samples = dsp::resampled(item.samples, before.output, rates.output);
            item.heard = isThrough ? item.samples.size() : scaled(item.heard, before.output, rates.output);
        }
    }
    m_rates = rates;
}

void RecordedVoiceIo::start(core::VoiceListener& listener)
{
    m_listener = &listener;
    m_lastTick = m_clock.now();
    scheduleTick();
}

void RecordedVoiceIo::stop()
{
    m_timer.reset();
    m_listener = nullptr;
}

void RecordedVoiceIo::scheduleTick()
{
    m_timer = m_executor.after(kTick, [this] { tick(); });
}

void RecordedVoiceIo::tick()
{
    const core::MonotonicTime now = m_clock.now();
    m_owed = std::min<core::MonotonicTime::duration>(m_owed + (now - m_lastTick), kMostAtOnce);
    m_lastTick = now;
    const auto due = std::chrono::floor<core::Milliseconds>(m_owed);
    m_owed -= due;
    scheduleTick();
    // Once the recording is through, silence is not worth hurrying.
    const std::size_t frames = framesIn(due, m_rates.input);
    speak(m_pace == Pace::Fast && m_spoken < m_recording.size() ? frames * kFastFactor : frames);
    if (m_listener != nullptr) {
        hear(m_pace == Pace::Fast ? SIZE_MAX : framesIn(due, m_rates.output));
    }
}

void RecordedVoiceIo::speak(std::size_t frames)
{
    const std::size_t longest = framesIn(kLongestPiece, m_rates.input);
    const std::vector<std::int16_t> silence(longest, 0);
    while (frames > 0 && m_listener != nullptr) {
        if (m_spoken < m_recording.size()) {
            const std::size_t piece = std::min({frames, longest, m_recording.size() - m_spoken});
            const std::size_t begin = m_spoken;
            m_spoken += piece;
            frames -= piece;
            m_listener->voiceCaptured(std::span(m_recording).subspan(begin, piece));
        } else {
            const std::size_t piece = std::min(frames, longest);
            frames -= piece;
            m_listener->voiceCaptured(std::span(silence).first(piece));
        }
        if (m_spoken == m_recording.size() && !m_hasEnded && m_listener != nullptr) {
            m_hasEnded = true;
            m_listener->captureEnded();
        }
    }
}

void RecordedVoiceIo::hear(std::size_t frames)
{
    while (frames > 0 && !m_queue.empty()) {
        Queued& item = m_queue.front();
        const std::size_t piece = std::min(frames, item.samples.size() - item.heard);
        const auto samples = std::span<const std::int16_t>(item.samples).subspan(item.heard, piece);
        item.heard += piece;
        m_heardFrames += piece;
        frames -= piece;
        if (piece > 0 && !m_heard(samples, m_rates.output)) {
            m_listener->voiceFailed(
                {core::ErrorCode::OutputUnwritable, "the recording of the reply cannot be written", std::nullopt, {}});
            return;
        }
        const bool isThrough = item.heard == item.samples.size();
        const bool isLast = m_queue.size() == 1;
        if (isThrough && (item.isFinished || !isLast)) {
            m_queue.pop_front();
            if (m_queue.empty()) {
                m_listener->playbackDrained();
                return;
            }
        } else if (isThrough) {
            // More of it is on its way: an underrun, heard as silence.
            return;
        }
    }
}

RecordedVoiceIo::Queued* RecordedVoiceIo::find(std::string_view itemId)
{
    const auto found =
        std::find_if(m_queue.begin(), m_queue.end(), [&](const Queued& item) { return item.itemId == itemId; });
    return found == m_queue.end() ? nullptr : &*found;
}

void RecordedVoiceIo::play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples)
{
    Queued* item = find(itemId);
    if (item == nullptr) {
        Queued fresh;
        fresh.itemId = itemId;
        fresh.contentIndex = contentIndex;
        item = &m_queue.emplace_back(std::move(fresh));
    }
    item->samples.insert(item->samples.end(), samples.begin(), samples.end());
}

void RecordedVoiceIo::finishItem(std::string_view itemId)
{
    if (Queued* item = find(itemId)) {
        item->isFinished = true;
    }
}

core::HeardAudio RecordedVoiceIo::interrupt()
{
    core::HeardAudio result;
    if (!m_queue.empty()) {
        const Queued& item = m_queue.front();
        result.itemId = item.itemId;
        result.contentIndex = item.contentIndex;
        result.heard = core::FrameCount{static_cast<std::int64_t>(item.heard)}.duration(m_rates.output);
        result.wasWhole = item.isFinished && item.heard == item.samples.size();
        m_queue.clear();
    }
    return result;
}

} // namespace vivavoce::cli
