#include "agent/realtime/input_audio.h"

#include "core/base/random_id.h"

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

constexpr std::size_t kFrameSamples = 160;

} // namespace

InputAudio::InputAudio(Parts parts) : m_parts(std::move(parts)) {}

InputAudio::~InputAudio()
{
    if (m_utterance) {
        m_utterance->cancel();
    }
}

std::optional<EventFault> InputAudio::configure(WireFormat format, const TurnDetection& turn)
{
    if (!m_decoder || format != m_format) {
        auto decoder = WireDecoder::create(format);
        if (!decoder) {
            return serverFault("The input format cannot be decoded here: " + decoder.error().detail);
        }
        if (m_decoder) {
            clear();
        }
        m_decoder = std::move(*decoder);
        m_format = format;
    }
    if (turn.isManual != m_settings.isManual) {
        clear();
    }
    m_settings = turn;
    m_detector.configure(turn);
    return std::nullopt;
}

core::Milliseconds InputAudio::bufferLength() const
{
    return playTime(m_wire.size(), m_format);
}

std::optional<EventFault> InputAudio::append(core::Bytes bytes)
{
    if (m_settings.isManual && m_wire.size() + bytes.size() > kMaxBufferBytes) {
        return invalidValue("audio", "The input audio buffer is full; commit or clear it first.");
    }
    if (!m_odd.empty()) {
        bytes.insert(bytes.begin(), m_odd.begin(), m_odd.end());
        m_odd.clear();
    }
    if (m_format == WireFormat::Pcm && bytes.size() % 2 != 0) {
        m_odd.push_back(bytes.back());
        bytes.pop_back();
    }
    const std::size_t step = bytesPerMillisecond(m_format) * 10;
    for (std::size_t at = 0; at < bytes.size() && !m_isStopped; at += step) {
        slice(std::span(bytes).subspan(at, std::min(step, bytes.size() - at)));
    }
    return std::nullopt;
}

void InputAudio::slice(std::span<const std::uint8_t> wire)
{
    m_wire.insert(m_wire.end(), wire.begin(), wire.end());
    const std::vector<std::int16_t> samples = m_decoder->decode(wire);
    m_rest.insert(m_rest.end(), samples.begin(), samples.end());
    std::size_t at = 0;
    for (; m_rest.size() - at >= kFrameSamples; at += kFrameSamples) {
        frame(std::span(m_rest).subspan(at, kFrameSamples));
    }
    m_rest.erase(m_rest.begin(), m_rest.begin() + static_cast<std::ptrdiff_t>(at));
}

void InputAudio::frame(std::span<std::int16_t> samples)
{
    m_now += TurnDetector::kFrame;
    // Also in manual mode: the recogniser is to hear what the detector has cleaned.
    const bool isSpeech = m_parts.detector->isSpeech(samples);
    if (m_settings.isManual) {
        if (!m_utterance) {
            startTurn(core::Milliseconds{0});
        }
        m_utterance->accept(samples);
        return;
    }
    const auto change = m_detector.accept(isSpeech);
    if (m_utterance) {
        m_utterance->accept(samples);
    } else {
        m_samples.insert(m_samples.end(), samples.begin(), samples.end());
    }
    if (change == TurnDetector::Change::Started) {
        startTurn(m_settings.prefixPadding + TurnDetector::onsetWindow());
    } else if (change == TurnDetector::Change::Stopped) {
        stopTurn();
    } else if (m_utterance && m_now - m_turnStart >= kMaxTurn) {
        m_detector.reset();
        stopTurn();
    } else if (!m_utterance) {
        forgetBefore(m_settings.prefixPadding + TurnDetector::onsetWindow());
    }
}

void InputAudio::startTurn(core::Milliseconds lookBack)
{
    m_itemId = "item_" + core::randomId();
    m_utterance = m_parts.makeUtterance(m_itemId);
    if (m_settings.isManual) {
        m_turnStart = m_now;
        m_parts.emit(UtteranceBegun{m_itemId, m_utterance});
        return;
    }
    m_turnStart = std::max({m_now - lookBack, m_lastTurnEnd, core::Milliseconds{0}});
    m_parts.emit(SpeechStarted{m_itemId, m_turnStart, m_utterance});
    m_utterance->accept(m_samples);
    m_samples.clear();
}

void InputAudio::stopTurn()
{
    m_lastTurnEnd = m_now;
    m_parts.emit(SpeechStopped{m_itemId, m_now});
    commitBuffer(true);
}

/// The owner learns of the item before its recognition can end.
void InputAudio::commitBuffer(bool isByDetector)
{
    const core::Milliseconds length = bufferLength();
    m_parts.emit(AudioCommitted{m_itemId, std::exchange(m_wire, {}), length, isByDetector});
    m_utterance->finish();
    m_itemId.clear();
    m_utterance.reset();
    m_samples.clear();
}

std::optional<EventFault> InputAudio::commit()
{
    // While nobody speaks the detector's buffer holds only the look-back, which is nobody's turn.
    const bool isEmpty = !m_utterance || bufferLength() < kShortestCommit;
    if (isEmpty) {
        const core::Milliseconds length = m_settings.isManual ? bufferLength() : core::Milliseconds{0};
        return EventFault{"input_audio_buffer_commit_empty",
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has "
                + std::to_string(length.count()) + "ms of audio.",
            {}};
    }
    m_detector.reset();
    m_lastTurnEnd = m_now;
    commitBuffer(false);
    return std::nullopt;
}

void InputAudio::clear()
{
    if (m_utterance) {
        m_utterance->cancel();
        m_utterance.reset();
    }
    m_detector.reset();
    m_itemId.clear();
    m_wire.clear();
    m_samples.clear();
    m_rest.clear();
    m_odd.clear();
    m_lastTurnEnd = m_now;
}

InputAudio::Silence InputAudio::commitSilence()
{
    const core::Milliseconds length = bufferLength();
    Silence silence{"item_" + core::randomId(), m_now > length ? m_now - length : core::Milliseconds{0}, m_now};
    clear();
    return silence;
}

void InputAudio::forgetBefore(core::Milliseconds keep)
{
    const auto trim = [](auto& buffer, std::size_t limit) {
        if (buffer.size() > limit) {
            buffer.erase(buffer.begin(), buffer.end() - static_cast<std::ptrdiff_t>(limit));
        }
    };
    const auto milliseconds = static_cast<std::size_t>(keep.count());
    trim(m_wire, milliseconds * bytesPerMillisecond(m_format));
    trim(m_samples, milliseconds * 16);
}

} // namespace vivavoce::agent::realtime
