#include "app/cli/recorded_voice_io.h"

#include <algorithm>

namespace vivavoce::cli {
namespace {

constexpr core::Milliseconds kTick{20};
constexpr std::size_t kFastFactor = 8;
/// After a pause of the machine the speaker does not talk faster for ever: at most this much is made up for at once.
constexpr core::Milliseconds kMostAtOnce{500};
/// Providers take 20 to 100 ms a message.
constexpr std::size_t kLongestPiece = 2400;

std::size_t framesIn(core::MonotonicTime::duration time)
{
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    return static_cast<std::size_t>(microseconds) * core::kRealtimeRate.hz() / 1'000'000;
}

core::MonotonicTime::duration timeOf(std::size_t frames)
{
    return std::chrono::microseconds(static_cast<std::int64_t>(frames) * 1'000'000 / core::kRealtimeRate.hz());
}

} // namespace

RecordedVoiceIo::RecordedVoiceIo(
    core::Executor& executor, const core::Clock& clock, std::vector<std::int16_t> recording, Pace pace, Heard heard)
    : m_executor(executor), m_clock(clock), m_recording(std::move(recording)), m_pace(pace), m_heard(std::move(heard))
{
}

RecordedVoiceIo::~RecordedVoiceIo() = default;

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
    const std::size_t frames = framesIn(m_owed);
    m_owed -= timeOf(frames);
    scheduleTick();
    // Once the recording is through, silence is not worth hurrying.
    speak(m_pace == Pace::Fast && m_spoken < m_recording.size() ? frames * kFastFactor : frames);
    if (m_listener != nullptr) {
        hear(m_pace == Pace::Fast ? SIZE_MAX : frames);
    }
}

void RecordedVoiceIo::speak(std::size_t frames)
{
    static const std::vector<std::int16_t> silence(kLongestPiece, 0);
    while (frames > 0 && m_listener != nullptr) {
        if (m_spoken < m_recording.size()) {
            const std::size_t piece = std::min({frames, kLongestPiece, m_recording.size() - m_spoken});
            const std::size_t begin = m_spoken;
            m_spoken += piece;
            frames -= piece;
            m_listener->voiceCaptured(std::span(m_recording).subspan(begin, piece));
        } else {
            const std::size_t piece = std::min(frames, kLongestPiece);
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
        m_heardTotal += piece;
        frames -= piece;
        if (piece > 0 && !m_heard(samples)) {
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
        result.heard = core::FrameCount{static_cast<std::int64_t>(item.heard)}.duration(core::kRealtimeRate);
        result.wasWhole = item.isFinished && item.heard == item.samples.size();
        m_queue.clear();
    }
    return result;
}

} // namespace vivavoce::cli
