#include "audio/internal/voice_worker.h"

#include "core/base/thread_role.h"
#include "core/ports/sound_fault.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace vivavoce::audio {
namespace {

using core::SoundDirection;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kTick{5};
/// How often a device that should be there is asked for again.
constexpr std::chrono::seconds kRetry{1};
constexpr std::chrono::milliseconds kHealthCheck{500};
/// Looking means probing everything there is: not too often.
constexpr std::chrono::seconds kLookAgain{2};
/// What providers send comes in bursts; this much is gathered before an item begins.
constexpr core::Milliseconds kPreBuffer{60};
/// Pieces of 20 ms go to the session: half as many messages as frames.
constexpr core::Milliseconds kPiece{20};
/// A little more than 10 ms, of which a resampler gives now more, now less.
constexpr core::Milliseconds kFrameVoice{12};
/// What the other side hears of a muted microphone, so that a turn can end.
constexpr core::Milliseconds kSilenceAfterMute{1'000};
constexpr const char* kToneItem = "test-tone";
constexpr const char* kRecordingItem = "recording";

core::ErrorCode lackOf(SoundDirection direction)
{
    return direction == SoundDirection::Capture ? core::ErrorCode::SoundNoMicrophone
                                                : core::ErrorCode::SoundNoLoudspeaker;
}

std::size_t samplesOf(core::Milliseconds time, core::SampleRate rate)
{
    return static_cast<std::size_t>(core::FrameCount::of(time, rate).value());
}

/// A second of it.
std::vector<std::int16_t> tone(core::SampleRate at)
{
    constexpr double kFrequency = 440;
    constexpr double kAmplitude = 0.1 * 32767;
    const double rate = at.hz();
    std::vector<std::int16_t> samples(at.hz());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double done = static_cast<double>(i) / static_cast<double>(samples.size());
        // Swells and fades: a tone that starts at once clicks.
        const double swell = std::sin(std::numbers::pi * done);
        samples[i] = static_cast<std::int16_t>(
            kAmplitude * swell * std::sin(2 * std::numbers::pi * kFrequency * static_cast<double>(i) / rate));
    }
    return samples;
}

} // namespace

VoiceWorker::VoiceWorker(BackendFactory makeBackend, Callbacks callbacks)
    : m_makeBackend(std::move(makeBackend)), m_callbacks(std::move(callbacks)), m_queue(kPreBuffer)
{
    m_thread = std::thread([this] { run(); });
}

VoiceWorker::~VoiceWorker()
{
    {
        const std::lock_guard lock(m_mutex);
        m_isEnding = true;
    }
    m_changed.notify_one();
    m_thread.join();
}

void VoiceWorker::wish(const VoiceWishes& wishes)
{
    {
        const std::lock_guard lock(m_mutex);
        m_isCaptureReported = m_isCaptureReported && m_wishes.wantsCapture && wishes.wantsCapture;
        m_isPlaybackReported = m_isPlaybackReported && m_wishes.wantsPlayback && wishes.wantsPlayback;
        if (m_wishes.wantsPlayback && !wishes.wantsPlayback) {
            (void)m_queue.cut(0);
            m_heardAtLoss.reset();
            m_isToneOn = false;
        }
        m_isLookFresh = m_isLookFresh && m_wishes.wantsCapture == wishes.wantsCapture
            && m_wishes.wantsPlayback == wishes.wantsPlayback;
        if (!wishes.wantsCapture || wishes.isMuted) {
            m_deafSince.reset();
        }
        m_wishes = wishes;
        m_captureRetry = m_playbackRetry = {};
    }
    m_changed.notify_one();
}

void VoiceWorker::rescan(bool hasMicrophone)
{
    {
        const std::lock_guard lock(m_mutex);
        m_hasMicrophone = hasMicrophone;
        m_wantsLook = true;
    }
    m_changed.notify_one();
}

void VoiceWorker::useRates(const core::VoiceRates& rates)
{
    const std::lock_guard lock(m_mutex);
    m_inputRate = rates.input;
    useOutputRate(rates.output);
}

void VoiceWorker::useOutputRate(core::SampleRate rate)
{
    if (m_heardAtLoss) {
        m_heardAtLoss = *m_heardAtLoss * rate.hz() / m_queue.rate().hz();
    }
    m_queue.useRate(rate);
    if (m_playback) {
        m_playback->chain->useRate(rate);
    }
}

void VoiceWorker::play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples)
{
    const std::lock_guard lock(m_mutex);
    // A reply behind the tone is what the end of it all is about.
    m_isToneOn = false;
    if (!m_queue.endsWith(itemId)) {
        // Nobody has cut the one before.
        m_heardAtLoss.reset();
    }
    m_queue.play(itemId, contentIndex, samples);
}

void VoiceWorker::finishItem(std::string_view itemId)
{
    const std::lock_guard lock(m_mutex);
    m_queue.finishItem(itemId);
}

core::HeardAudio VoiceWorker::interrupt()
{
    const std::lock_guard lock(m_mutex);
    m_isToneOn = false;
    const std::uint64_t atEar = m_playback ? m_playback->heard() : m_heardAtLoss.value_or(m_queue.given());
    m_heardAtLoss.reset();
    core::HeardAudio heard = m_queue.cut(atEar);
    if (m_playback) {
        m_playback->callback->cut();
        m_wasCut = true;
        m_playback->chain->restart(*m_playback->ring, m_queue);
    }
    // Nobody but us knows of the tone.
    return heard.itemId == kToneItem || heard.itemId == kRecordingItem ? core::HeardAudio() : heard;
}

bool VoiceWorker::isPlaying() const
{
    const std::lock_guard lock(m_mutex);
    return m_queue.isPlaying();
}

void VoiceWorker::playTone()
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_queue.isPlaying()) {
            // The loudspeaker can be heard as it is.
            return;
        }
        m_queue.play(kToneItem, 0, tone(m_queue.rate()));
        m_queue.finishItem(kToneItem);
        m_isToneOn = true;
        m_playbackRetry = {};
    }
    m_changed.notify_one();
}

void VoiceWorker::playRecording(int part, std::span<const std::int16_t> samples)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_wishes.wantsPlayback) {
            return;
        }
        useOutputRate(core::kRealtimeRate);
        m_queue.play(kRecordingItem, part, samples);
        if (!std::exchange(m_isToneOn, true)) {
            m_playbackRetry = {};
        }
    }
    m_changed.notify_one();
}

void VoiceWorker::finishRecording()
{
    finishItem(kRecordingItem);
}

core::HeardAudio VoiceWorker::heardOfRecording() const
{
    const std::lock_guard lock(m_mutex);
    core::HeardAudio heard = m_queue.at(m_playback ? m_playback->heard() : 0);
    return heard.itemId == kRecordingItem ? heard : core::HeardAudio();
}

void VoiceWorker::record(std::shared_ptr<RecordingWriter> writer)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_wantedWriter && m_wantedWriter != m_writer) {
            // Nothing was ever said into it.
            m_wantedWriter->finish();
        }
        m_wantedWriter = std::move(writer);
        m_isPauseWanted = false;
    }
    m_changed.notify_one();
}

void VoiceWorker::pauseRecording(bool isPaused)
{
    {
        const std::lock_guard lock(m_mutex);
        m_isPauseWanted = isPaused;
    }
    m_changed.notify_one();
}

SoundFaults VoiceWorker::takeFaults()
{
    const std::lock_guard lock(m_mutex);
    if (m_capture) {
        m_capture->count(m_faults);
    }
    if (m_playback) {
        m_playback->count(m_faults);
    }
    const core::Milliseconds late = m_queue.starved();
    m_faults.replyLate = late - std::exchange(m_lateTold, late);
    return std::exchange(m_faults, {});
}

std::vector<core::SoundDevice> VoiceWorker::devices(SoundDirection direction)
{
    std::vector<core::SoundDevice> found;
    {
        const std::lock_guard lock(m_mutex);
        std::copy_if(m_devices.begin(), m_devices.end(), std::back_inserter(found),
            [&](const core::SoundDevice& device) { return device.direction == direction; });
        if (m_hasLooked || m_wantsLook) {
            return found;
        }
        m_wantsLook = true;
    }
    m_changed.notify_one();
    return found;
}

void VoiceWorker::run()
{
    core::threadRole() = core::ThreadRole::Worker;
    std::unique_lock lock(m_mutex);
    while (!m_isEnding) {
        if (m_wantsLook) {
            look(lock);
        }
        reconcile(lock);
        pump(lock);
        if (isBusy()) {
            m_changed.wait_for(lock, kTick);
        } else {
            m_changed.wait(lock, [this] { return m_isEnding || m_wantsLook || isBusy(); });
        }
    }
    m_wantedWriter.reset();
    reconcileRecording();
    m_capture.reset();
    m_playback.reset();
    // The thread that made it also ends it.
    m_backend.reset();
}

/// Closing takes the system its time; nobody has to wait for that to hear what is playing.
template <typename Line>
void VoiceWorker::close(std::unique_lock<std::mutex>& lock, std::optional<Line>& line)
{
    std::optional<Line> closing = std::exchange(line, std::nullopt);
    ++m_lineChanges;
    lock.unlock();
    closing.reset();
    lock.lock();
}

void VoiceWorker::closeCapture(std::unique_lock<std::mutex>& lock)
{
    if (!m_capture) {
        return;
    }
    m_capture->count(m_faults);
    if (m_wishes.wantsCapture && !m_wishes.isMuted && !m_deafSince) {
        m_deafSince = m_heardAt;
    }
    close(lock, m_capture);
}

void VoiceWorker::closePlayback(std::unique_lock<std::mutex>& lock)
{
    if (m_playback) {
        m_playback->count(m_faults);
        // What is in the ring reaches nobody any more.
        m_heardAtLoss = m_queue.isPlaying() ? std::optional(m_playback->heard()) : std::nullopt;
    }
    close(lock, m_playback);
}

/// The device is gone, or the one that is wanted has come, or another one is the default now.
void VoiceWorker::closeThoseThatServeNot(std::unique_lock<std::mutex>& lock)
{
    lock.unlock();
    const bool isCaptureAlive = m_capture && m_capture->stream->isAlive();
    const bool isPlaybackAlive = m_playback && m_playback->stream->isAlive();
    lock.lock();
    if (m_capture
        && (!isCaptureAlive || !m_hasMicrophone
            || m_capture->runsOn != servingDevice(m_devices, SoundDirection::Capture, m_capture->deviceId))) {
        closeCapture(lock);
    }
    if (m_playback
        && (!isPlaybackAlive
            || m_playback->runsOn != servingDevice(m_devices, SoundDirection::Playback, m_playback->deviceId))) {
        closePlayback(lock);
    }
}

/// Some libraries can look only while no device is open; those that are still wanted are opened again right after.
void VoiceWorker::look(std::unique_lock<std::mutex>& lock)
{
    m_wantsLook = false;
    if (m_backend != nullptr && !m_backend->looksWhileOpen()) {
        closeCapture(lock);
        closePlayback(lock);
    }
    lock.unlock();
    if (m_backend == nullptr) {
        if (auto made = m_makeBackend()) {
            m_backend = std::move(*made);
        }
    } else {
        m_backend->rescan();
    }
    std::vector<core::SoundDevice> found;
    if (m_backend != nullptr) {
        for (const SoundDirection direction : {SoundDirection::Capture, SoundDirection::Playback}) {
            const auto some = m_backend->devices(direction);
            found.insert(found.end(), some.begin(), some.end());
        }
    }
    lock.lock();
    const bool isNews = !m_hasLooked || found != m_devices;
    m_hasLooked = m_isLookFresh = true;
    m_lastLook = steady_clock::now();
    m_devices = std::move(found);
    m_captureRetry = m_playbackRetry = {};
    closeThoseThatServeNot(lock);
    if (isNews) {
        lock.unlock();
        m_callbacks.devicesChanged();
        lock.lock();
    }
}

void VoiceWorker::reconcile(std::unique_lock<std::mutex>& lock)
{
    const Time now = steady_clock::now();
    if (!m_hasLooked && (m_wishes.wantsCapture || wantsPlayback())) {
        look(lock);
    }
    if (m_processing) {
        m_processing->set(m_wishes.processing);
    }
    if (hasLostADevice(lock, now)) {
        look(lock);
    }
    reconcilePlayback(lock, now);
    reconcileCapture(lock, now);
    reconcileRecording();
}

bool VoiceWorker::hasLostADevice(std::unique_lock<std::mutex>& lock, Time now)
{
    if (now - m_lastCheck < kHealthCheck) {
        return false;
    }
    m_lastCheck = now;
    // Only this thread opens and closes.
    lock.unlock();
    const bool isLost = (m_capture && !m_capture->stream->isAlive()) || (m_playback && !m_playback->stream->isAlive());
    lock.lock();
    // With nothing to be had the sound server itself may have gone, and come back meanwhile.
    const bool isDeaf =
        !m_capture && !m_playback && (m_isCaptureReported || m_isPlaybackReported) && now - m_lastLook >= kLookAgain;
    return isLost || isDeaf;
}

void VoiceWorker::reconcileCapture(std::unique_lock<std::mutex>& lock, Time now)
{
    if (m_capture && (!m_wishes.wantsCapture || m_capture->deviceId != m_wishes.devices.captureId)) {
        closeCapture(lock);
    }
    if (!m_wishes.wantsCapture) {
        m_knownMicrophone.reset();
        m_piece.clear();
    }
    if (m_capture || !m_wishes.wantsCapture || now < m_captureRetry) {
        return;
    }
    m_captureRetry = now + kRetry;
    if (m_backend == nullptr) {
        report(lock, SoundDirection::Capture,
            {core::ErrorCode::SoundFailed, "the sound system does not start", std::nullopt, {}});
        return;
    }
    if (!m_hasMicrophone) {
        // The sound server would hand out what the loudspeaker plays.
        report(
            lock, SoundDirection::Capture, {core::ErrorCode::SoundFailed, "there is no microphone", std::nullopt, {}});
        return;
    }
    const std::string wanted = m_wishes.devices.captureId;
    lock.unlock();
    auto line = CaptureLine::open(*m_backend, wanted);
    if (!line && !wanted.empty()) {
        // The chosen one is not there: the default serves until it is.
        line = CaptureLine::open(*m_backend, {});
    }
    const std::vector<core::SoundDevice> there = m_backend->devices(SoundDirection::Capture);
    lock.lock();
    if (!line && mayHaveComeBack(m_isCaptureReported)) {
        return;
    }
    if (!line) {
        report(lock, SoundDirection::Capture, line.error());
        return;
    }
    line->runsOn = servingDevice(there, SoundDirection::Capture, line->deviceId);
    line->deviceId = wanted;
    if (const auto entered = enterRoom(m_knownMicrophone, line->runsOn); !entered) {
        report(lock, SoundDirection::Capture, entered.error());
        return;
    }
    reportFound(lock, SoundDirection::Capture);
    if (m_playback) {
        // What was played before anybody listened has no echo here.
        hearPlayed(nullptr);
    }
    m_capture.emplace(std::move(*line));
    ++m_lineChanges;
    m_heardAt = steady_clock::now();
}

/// Another microphone or loudspeaker is another room. The same one again is heard through what was learnt.
core::Expected<void, core::Error> VoiceWorker::enterRoom(std::optional<std::string>& known, const std::string& device)
{
    if (m_processing && known == device) {
        m_processing->resumed();
        return {};
    }
    auto processing = dsp::EchoCanceller::create(m_wishes.processing);
    if (!processing) {
        return core::Unexpected<core::Error>(processing.error());
    }
    m_processing.emplace(std::move(*processing));
    m_wasCut = false;
    known = device;
    return {};
}

void VoiceWorker::reconcilePlayback(std::unique_lock<std::mutex>& lock, Time now)
{
    if (m_playback && (!wantsPlayback() || m_playback->deviceId != m_wishes.devices.playbackId)) {
        closePlayback(lock);
    }
    if (!wantsPlayback()) {
        m_knownLoudspeaker.reset();
    }
    if (m_playback || !wantsPlayback() || now < m_playbackRetry) {
        return;
    }
    m_playbackRetry = now + kRetry;
    if (m_backend == nullptr) {
        report(lock, SoundDirection::Playback,
            {core::ErrorCode::SoundFailed, "the sound system does not start", std::nullopt, {}});
        return;
    }
    const std::string wanted = m_wishes.devices.playbackId;
    lock.unlock();
    auto line = PlaybackLine::open(*m_backend, wanted);
    if (!line && !wanted.empty()) {
        line = PlaybackLine::open(*m_backend, {});
    }
    const std::vector<core::SoundDevice> there = m_backend->devices(SoundDirection::Playback);
    lock.lock();
    if (!line && mayHaveComeBack(m_isPlaybackReported)) {
        return;
    }
    if (!line) {
        if (std::exchange(m_isToneOn, false)) {
            (void)m_queue.cut(m_queue.given());
            m_heardAtLoss.reset();
        }
        report(lock, SoundDirection::Playback, line.error());
        return;
    }
    line->runsOn = servingDevice(there, SoundDirection::Playback, line->deviceId);
    line->deviceId = wanted;
    reportFound(lock, SoundDirection::Playback);
    if (m_processing) {
        // Where it cannot be made the old one serves: it learns again.
        static_cast<void>(enterRoom(m_knownLoudspeaker, line->runsOn));
    }
    m_knownLoudspeaker = line->runsOn;
    m_playback.emplace(std::move(*line));
    ++m_lineChanges;
    m_playback->chain->useRate(m_queue.rate());
    m_playback->chain->restart(*m_playback->ring, m_queue);
    m_heardAtLoss.reset();
}

/// What could not be opened may have come since the last look; before its lack is told, there is one more.
bool VoiceWorker::mayHaveComeBack(bool isReported)
{
    if (isReported || m_isLookFresh) {
        return false;
    }
    m_wantsLook = true;
    return true;
}

void VoiceWorker::reportFound(std::unique_lock<std::mutex>& lock, SoundDirection direction)
{
    bool& isReported = direction == SoundDirection::Capture ? m_isCaptureReported : m_isPlaybackReported;
    if (!std::exchange(isReported, false)) {
        return;
    }
    lock.unlock();
    m_callbacks.found(lackOf(direction));
    lock.lock();
}

void VoiceWorker::report(std::unique_lock<std::mutex>& lock, SoundDirection direction, core::Error error)
{
    error.code = lackOf(direction);
    bool& isReported = direction == SoundDirection::Capture ? m_isCaptureReported : m_isPlaybackReported;
    if (std::exchange(isReported, true)) {
        return;
    }
    core::Milliseconds lost{0};
    if (direction == SoundDirection::Capture && m_deafSince) {
        // From here on it is known that nobody is heard.
        lost = std::chrono::duration_cast<core::Milliseconds>(steady_clock::now() - *m_deafSince);
        m_deafSince.reset();
    }
    if (direction == SoundDirection::Playback && m_knownLoudspeaker) {
        error.foreignCode = core::sound_fault::kGone;
    }
    lock.unlock();
    if (lost.count() > 0) {
        m_callbacks.lost(lost);
    }
    m_callbacks.missing(std::move(error));
    lock.lock();
}

/// Without a loudspeaker time passes all the same: a reply is over when it would have been heard. The one in which the loudspeaker went
/// waits for whoever cuts it.
std::uint64_t VoiceWorker::playUnheard(Time now)
{
    const Time since = std::exchange(m_unheardUntil, now);
    if (m_heardAtLoss) {
        return *m_heardAtLoss;
    }
    const std::int64_t most = m_queue.rate().hz();
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(now - since).count();
    const std::int64_t due = std::min(most, passed * most / 1'000'000);
    if (due < most) {
        std::vector<std::int16_t> nobodyHears(static_cast<std::size_t>(due));
        m_queue.take(nobodyHears);
    }
    return m_queue.given();
}

void VoiceWorker::pumpPlayback(std::unique_lock<std::mutex>& lock)
{
    if (!m_playback && !(m_wishes.wantsPlayback && m_isPlaybackReported)) {
        return;
    }
    std::uint64_t heard = 0;
    if (m_playback) {
        if (m_processing && std::exchange(m_wasCut, false)) {
            m_processing->cut();
        }
        hearPlayed(m_processing ? &*m_processing : nullptr);
        m_playback->fill(m_queue, m_playbackMeter);
        heard = m_playback->heard();
    } else {
        heard = playUnheard(steady_clock::now());
    }
    if (m_queue.heardUpTo(heard) && !std::exchange(m_isToneOn, false)) {
        lock.unlock();
        m_callbacks.drained();
        lock.lock();
    }
}

/// What the user may have said that is in no ring, since the last call.
core::Milliseconds VoiceWorker::takeLost(Time now)
{
    core::Milliseconds lost = m_capture->takeDropped();
    const core::Milliseconds waiting = m_capture->waiting();
    if (waiting.count() > 0) {
        if (m_deafSince) {
            const auto gap = std::chrono::duration_cast<core::Milliseconds>(now - *m_deafSince) - waiting;
            lost += std::max(gap, core::Milliseconds{0});
            m_deafSince.reset();
        }
        m_heardAt = now;
    }
    return m_wishes.isMuted ? core::Milliseconds{0} : lost;
}

void VoiceWorker::pump(std::unique_lock<std::mutex>& lock)
{
    pumpPlayback(lock);
    if (m_capture) {
        const bool isMuted = m_wishes.isMuted;
        const core::Milliseconds delay =
            m_capture->delay() + (m_playback ? m_playback->delay() : core::Milliseconds{0});
        const core::Milliseconds lost = takeLost(steady_clock::now());
        m_capture->chain->useRate(m_inputRate);
        if (m_pieceRate != m_inputRate) {
            m_piece = dsp::resampled(m_piece, m_pieceRate, m_inputRate);
            m_pieceRate = m_inputRate;
        }
        // Nobody else touches what is used from here on.
        lock.unlock();
        if (lost.count() > 0) {
            m_callbacks.lost(lost);
        }
        m_capture->chain->pump(*m_capture->ring, *m_processing, delay, isMuted, m_captureMeter,
            [&](std::span<const std::int16_t> voice, std::span<const std::int16_t> wide, core::FrameCount dropped) {
                record(voice, wide, dropped);
                hand(voice, isMuted);
            });
        lock.lock();
    }
    if (m_sides) {
        m_writer->put(m_sides->take(recorded(), steady_clock::now()));
    }
}

void VoiceWorker::record(
    std::span<const std::int16_t> voice, std::span<const std::int16_t> wide, core::FrameCount dropped)
{
    if (!m_sides || !m_isTalkKnown) {
        return;
    }
    m_sides->saidNothing(dropped.value() * std::int64_t{TwoSides::kRate.hz()} / dsp::EchoCanceller::kRate.hz());
    if (m_pieceRate == TwoSides::kRate) {
        m_sides->said(voice);
    } else {
        m_sides->saidWide(wide);
    }
}

void VoiceWorker::hearPlayed(dsp::EchoCanceller* processing)
{
    m_playback->farEnd->pump(*m_playback->played, processing, [this](std::span<const std::int16_t> wide) {
        if (m_sides && m_isTalkKnown) {
            m_sides->heard(wide);
        }
    });
}

void VoiceWorker::reconcileRecording()
{
    const Time now = steady_clock::now();
    if (m_writer != m_wantedWriter) {
        if (m_sides) {
            m_writer->put(m_sides->take({}, now));
        }
        if (m_writer) {
            m_writer->finish();
        }
        m_sides.reset();
        m_writer = m_wantedWriter;
        if (m_writer) {
            if (auto sides = TwoSides::create(now)) {
                m_sides.emplace(std::move(*sides));
            } else {
                m_writer->finish();
            }
        }
        m_isTalkKnown = m_wishes.wantsPlayback;
        m_knownChanges = m_lineChanges - 1;
    }
    if (!m_sides) {
        return;
    }
    if (m_knownChanges != m_lineChanges || m_isTalkKnown != m_wishes.wantsPlayback) {
        m_knownChanges = m_lineChanges;
        // A page that shows a meter opens the microphone too: nobody is talked to.
        m_isTalkKnown = m_wishes.wantsPlayback;
        m_sides->change(recorded(), now);
    }
    if (m_sides->isPaused() != m_isPauseWanted) {
        m_sides->pause(recorded(), m_isPauseWanted);
    }
}

/// As far as they serve a conversation.
TwoSides::Devices VoiceWorker::recorded() const
{
    TwoSides::Devices devices;
    const auto scaled = [](std::int64_t frames, core::SampleRate rate) {
        return frames * std::int64_t{TwoSides::kRate.hz()} / std::int64_t{rate.hz()};
    };
    if (!m_isTalkKnown) {
        return devices;
    }
    std::int64_t lag = m_processing ? m_processing->delay().value() : 0;
    if (m_capture) {
        const StreamFormat format = m_capture->stream->format();
        devices.microphone = {scaled(static_cast<std::int64_t>(m_capture->ring->fill()), format.rate)
                + scaled(m_capture->chain->inside().value(), dsp::EchoCanceller::kRate),
            scaled(format.latency.value(), format.rate)};
        lag += m_capture->chain->latency().value();
    }
    if (m_playback) {
        const StreamFormat format = m_playback->stream->format();
        devices.loudspeaker = {scaled(static_cast<std::int64_t>(m_playback->played->fill()), format.rate),
            scaled(format.latency.value(), format.rate)};
        lag -= m_playback->farEnd->latency().value();
    }
    devices.lag = scaled(lag, dsp::EchoCanceller::kRate);
    return devices;
}

/// `voice` is silence already where the microphone was muted.
void VoiceWorker::hand(std::span<const std::int16_t> voice, bool isMuted)
{
    // What was held back till now may be from before.
    const bool isSilence = isMuted && voice.size() <= samplesOf(kFrameVoice, m_pieceRate);
    m_silence = isSilence ? m_silence + voice.size() : 0;
    if (m_silence > samplesOf(kSilenceAfterMute, m_pieceRate)) {
        m_piece.clear();
        return;
    }
    m_piece.insert(m_piece.end(), voice.begin(), voice.end());
    const std::size_t size = samplesOf(kPiece, m_pieceRate);
    while (m_piece.size() >= size) {
        const auto end = m_piece.begin() + static_cast<std::ptrdiff_t>(size);
        m_callbacks.captured({m_piece.begin(), end}, m_pieceRate);
        m_piece.erase(m_piece.begin(), end);
    }
}

} // namespace vivavoce::audio
