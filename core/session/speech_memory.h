#pragma once

#include "core/base/base64.h"
#include "core/base/units.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// How much of that PCM16 mono counts as something said when it is lost: all, or nothing where it is silence.
[[nodiscard]] Milliseconds speechIn(std::span<const std::uint8_t> pcm, SampleRate rate);

/// The same in pieces that providers take.
[[nodiscard]] std::deque<Bytes> inPieces(std::span<const std::uint8_t> pcm, SampleRate rate);

/// What the user said over the present connection and would be lost with it: sent, but neither written down nor answered yet.
/// Bounded: of more than `most` bytes the oldest are forgotten, and their loss is told when it has become one.
/// A value without I/O. Positions are those of the provider: time of speech sent over this connection.
class SpeechMemory {
public:
    /// What is sent is at that rate from now on, and so the provider counts what it has got. kRealtimeRate, unless told.
    void setRate(SampleRate rate) { m_rate = rate; }
    /// PCM16 mono has been sent.
    void sent(Bytes pcm, std::size_t most);
    void turnBegan(std::string_view itemId, Milliseconds at);
    void turnEnded(std::string_view itemId, Milliseconds at);
    /// The turn that has ended is that item now; not every provider says so before.
    void committed(std::string_view itemId);
    /// The words of that turn are known: they can be told again as text.
    void writtenDown(std::string_view itemId);
    /// What has ended is being answered: it is not to be said again. Its words are still worth waiting for, if they are to come.
    void answered(bool areWordsToCome);
    /// The words of everything said are known, or are not to come.
    [[nodiscard]] bool isWrittenDown() const { return m_turns.empty(); }
    /// A ping is on its way behind everything sent.
    void pinged();
    /// That one, the first being 1, was answered: what was sent before it has arrived. Where the provider itself says so, what was sent long
    /// enough before it and began no turn was no speech; a relay has it, and whether the provider got it nobody knows.
    void pingAnswered(std::uint64_t ping, bool isByProvider);
    /// Positions: everything sent, and that of it which has arrived.
    [[nodiscard]] std::size_t end() const { return m_end; }
    [[nodiscard]] std::size_t arrived() const { return m_arrived; }

    /// What is to be said again over the next connection.
    struct Rest {
        /// At the present rate, whatever was sent at another one before that was known.
        std::deque<Bytes> pieces;
        /// Turns that are in there.
        std::vector<std::string> turns;
        /// Said, and not to be said again.
        Milliseconds lost{0};
    };
    /// The connection is gone; so is what was remembered of it, but for the rate.
    [[nodiscard]] Rest take();

    bool operator==(const SpeechMemory&) const = default;

private:
    struct Piece {
        Bytes pcm;
        /// At which it was captured.
        SampleRate rate;
        bool operator==(const Piece&) const = default;
    };

    struct Turn {
        std::string itemId;
        std::size_t begin = 0;
        std::optional<std::size_t> end;
        bool isAnswered = false;
        bool operator==(const Turn&) const = default;
    };

    struct Pinged {
        std::uint64_t ping = 0;
        std::size_t end = 0;
        bool operator==(const Pinged&) const = default;
    };

    [[nodiscard]] std::deque<Bytes> takePieces();
    [[nodiscard]] Turn* find(std::string_view itemId);
    [[nodiscard]] std::size_t firstNeeded() const;
    void settle(std::size_t until);
    void forgetSettled();
    void forgetOldest();

    SampleRate m_rate = kRealtimeRate;
    std::deque<Piece> m_pieces;
    /// Bytes since the connection began: where the first piece begins, and where the last one ends.
    std::size_t m_begin = 0;
    std::size_t m_end = 0;
    /// Nothing before it is missed, but for the turns below.
    std::size_t m_settled = 0;
    /// Bytes before m_begin that were forgotten unsettled and were no silence.
    std::size_t m_missed = 0;
    std::size_t m_arrived = 0;
    std::uint64_t m_pings = 0;
    /// Not answered yet.
    std::deque<Pinged> m_pinged;
    std::vector<Turn> m_turns;
};

} // namespace vivavoce::core
