#include "core/session/speech_memory.h"

#include "core/base/pcm.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vivavoce::core {
namespace {

/// A provider takes some time to find out that somebody speaks.
constexpr Milliseconds kNoticed{1'000};
/// Of a provider that never writes anything down.
constexpr std::size_t kMostTurns = 16;
/// Longer than any silence that a session bears, at a ping a second.
constexpr std::size_t kMostPings = 64;
/// Of the samples' mean square: -50 dBFS. Speech is far above it, and what a microphone hears of a quiet room is below.
constexpr std::int64_t kSilence = 100 * 100;
/// Providers take 20 to 100 ms a message.
constexpr Milliseconds kPiece{100};

} // namespace

Milliseconds speechIn(std::span<const std::uint8_t> pcm, SampleRate rate)
{
    const std::vector<std::int16_t> samples = pcmSamples(pcm);
    std::int64_t sum = 0;
    for (const std::int64_t sample : samples) {
        sum += sample * sample;
    }
    return sum > kSilence * static_cast<std::int64_t>(samples.size()) ? pcmDuration(pcm.size(), rate) : Milliseconds{0};
}

std::deque<Bytes> inPieces(std::span<const std::uint8_t> pcm, SampleRate rate)
{
    std::deque<Bytes> pieces;
    const std::size_t most = pcmBytesIn(kPiece, rate);
    while (!pcm.empty()) {
        const auto piece = pcm.first(std::min(most, pcm.size()));
        pieces.emplace_back(piece.begin(), piece.end());
        pcm = pcm.subspan(piece.size());
    }
    return pieces;
}

void SpeechMemory::sent(Bytes pcm, std::size_t most)
{
    m_end += pcm.size();
    m_pieces.push_back({std::move(pcm), m_rate});
    while (m_end - m_begin > most && !m_pieces.empty()) {
        forgetOldest();
    }
}

void SpeechMemory::turnBegan(std::string_view itemId, Milliseconds at)
{
    if (m_turns.size() == kMostTurns) {
        m_turns.erase(m_turns.begin());
    }
    // What is settled was heard, and was not this; and what lies before this was heard, too.
    const std::size_t begin = std::clamp(pcmBytesIn(at, m_rate), m_settled, m_end);
    m_turns.push_back({std::string(itemId), begin, {}, false});
    settle(begin);
    forgetSettled();
}

void SpeechMemory::turnEnded(std::string_view itemId, Milliseconds at)
{
    if (Turn* turn = find(itemId); turn != nullptr && !turn->end) {
        const std::size_t end = pcmBytesIn(at, m_rate);
        turn->end = end > turn->begin && end <= m_end ? end : m_end;
    }
}

void SpeechMemory::committed(std::string_view itemId)
{
    if (Turn* turn = find({}); turn != nullptr && find(itemId) == nullptr) {
        turn->itemId = itemId;
    }
}

void SpeechMemory::writtenDown(std::string_view itemId)
{
    if (const Turn* turn = find(itemId)) {
        settle(turn->end.value_or(m_end));
        m_turns.erase(m_turns.begin() + (turn - m_turns.data()));
        forgetSettled();
    }
}

void SpeechMemory::answered(bool areWordsToCome)
{
    for (Turn& turn : m_turns) {
        if (turn.end) {
            turn.isAnswered = true;
            settle(*turn.end);
        }
    }
    if (!areWordsToCome) {
        std::erase_if(m_turns, [](const Turn& turn) { return turn.isAnswered; });
    }
    forgetSettled();
}

void SpeechMemory::pinged()
{
    if (m_pinged.size() == kMostPings) {
        m_pinged.pop_front();
    }
    m_pinged.push_back({++m_pings, m_end});
}

void SpeechMemory::pingAnswered(std::uint64_t ping, bool isByProvider)
{
    while (!m_pinged.empty() && m_pinged.front().ping <= ping) {
        m_arrived = m_pinged.front().end;
        m_pinged.pop_front();
    }
    if (isByProvider) {
        settle(m_arrived - std::min(m_arrived, pcmBytesIn(kNoticed, m_rate)));
        forgetSettled();
    }
}

SpeechMemory::Rest SpeechMemory::take()
{
    Rest rest;
    std::size_t lost = m_missed;
    for (const Turn& turn : m_turns) {
        if (turn.isAnswered) {
            lost += turn.end.value_or(m_end) - turn.begin;
        } else {
            rest.turns.push_back(turn.itemId);
        }
    }
    rest.lost = pcmDuration(lost, m_rate);
    forgetSettled();
    rest.pieces = takePieces();
    const SampleRate rate = m_rate;
    *this = SpeechMemory();
    m_rate = rate;
    return rest;
}

std::deque<Bytes> SpeechMemory::takePieces()
{
    std::deque<Bytes> taken;
    for (auto piece = m_pieces.begin(); piece != m_pieces.end();) {
        const SampleRate rate = piece->rate;
        const auto end = std::find_if(piece, m_pieces.end(), [rate](const Piece& other) { return other.rate != rate; });
        if (rate == m_rate) {
            std::for_each(piece, end, [&](Piece& one) { taken.push_back(std::move(one.pcm)); });
        } else {
            // In one: the ends of each of them would be heard.
            Bytes whole;
            std::for_each(
                piece, end, [&](const Piece& one) { whole.insert(whole.end(), one.pcm.begin(), one.pcm.end()); });
            const std::deque<Bytes> pieces = inPieces(pcmAtRate(whole, rate, m_rate), m_rate);
            taken.insert(taken.end(), pieces.begin(), pieces.end());
        }
        piece = end;
    }
    m_pieces.clear();
    return taken;
}

SpeechMemory::Turn* SpeechMemory::find(std::string_view itemId)
{
    const auto found =
        std::find_if(m_turns.rbegin(), m_turns.rend(), [&](const Turn& turn) { return turn.itemId == itemId; });
    return found == m_turns.rend() ? nullptr : &*found;
}

std::size_t SpeechMemory::firstNeeded() const
{
    std::size_t first = m_settled;
    for (const Turn& turn : m_turns) {
        first = turn.isAnswered ? first : std::min(first, turn.begin);
    }
    return first;
}

void SpeechMemory::settle(std::size_t until)
{
    m_settled = std::max(m_settled, std::min(until, m_end));
}

void SpeechMemory::forgetSettled()
{
    const std::size_t needed = firstNeeded();
    while (!m_pieces.empty() && m_begin + m_pieces.front().pcm.size() <= needed) {
        m_begin += m_pieces.front().pcm.size();
        m_pieces.pop_front();
    }
    if (m_begin <= needed) {
        m_missed = 0;
    }
}

void SpeechMemory::forgetOldest()
{
    const Piece& oldest = m_pieces.front();
    const std::size_t end = m_begin + oldest.pcm.size();
    const std::size_t needed = std::max(firstNeeded(), m_begin);
    const bool isOfTurn = std::any_of(m_turns.begin(), m_turns.end(),
        [&](const Turn& turn) { return !turn.isAnswered && turn.begin < end && m_begin < turn.end.value_or(m_end); });
    if (needed < end && (isOfTurn || speechIn(oldest.pcm, oldest.rate) > Milliseconds{0})) {
        m_missed += end - needed;
    }
    m_begin = end;
    m_pieces.pop_front();
}

} // namespace vivavoce::core
