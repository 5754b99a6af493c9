#pragma once

#include "bench/relay/frames.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::bench {

/// Both ends of many sessions, the clients and their provider, in one thread and on one clock: what is sent at one end is looked for at the
/// other, and nothing but the relay is between them.
/// Bounded: each wait has a deadline, and what a socket does not take is counted and not kept, but for the rest of one message.
class Load {
public:
    using Clock = std::chrono::steady_clock;

    /// Where clients connect to.
    struct Target {
        std::uint16_t port = 0;
        std::string path;
        /// One a session, or none at all.
        std::vector<std::string> tokens;
    };
    struct Figures {
        std::uint64_t sent = 0;
        std::uint64_t received = 0;
        /// Came twice, in another order, or after one that is missing.
        std::uint64_t misplaced = 0;
        /// Received while it was measured.
        std::uint64_t measured = 0;
        double p50Us = 0;
        double p99Us = 0;
        double worstUs = 0;
    };

    Load();
    ~Load();
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;

    /// Of the provider.
    [[nodiscard]] std::uint16_t port() const { return m_port; }
    /// Opens so many sessions. The reason why it could not; empty: they are open.
    [[nodiscard]] std::string open(const Target& target, std::size_t sessions);
    /// Each end of each session sends so many messages a second for a second, and then for the time that is measured; `told` hears when that
    /// begins ("warm") and ends ("over").
    [[nodiscard]] Figures run(
        double rate, std::size_t bytes, std::chrono::milliseconds time, const std::function<void(const char*)>& told);
    /// The provider sends as fast as it may, and no client reads. The bytes that somebody has taken.
    [[nodiscard]] std::uint64_t stall(std::chrono::milliseconds time);
    /// Idle, but for pings that are answered.
    void wait(std::chrono::milliseconds time) { pumpUntil(Clock::now() + time); }
    /// The clients go; and whether all is closed then.
    bool close();

private:
    struct Line;

    void pumpUntil(Clock::time_point end)
    {
        pumpUntil(end, [] { return false; });
    }
    void pumpUntil(Clock::time_point end, const std::function<bool()>& isDone);
    void accept();
    void dial(const Target& target, std::size_t index);
    void add(std::unique_ptr<Line> line);
    void readFrom(Line& line);
    void heed(Line& line);
    void heedHead(Line& line);
    bool heedFrame(Line& line, const FrameView& frame);
    /// False: it was not taken.
    bool send(Line& line, std::string_view bytes);
    void flush(Line& line);
    void drop(Line& line);
    [[nodiscard]] std::vector<Line*> openLines(SoundMessage::From end) const;
    void sendDue(const std::vector<Line*>& senders, std::uint64_t number);

    int m_poll = -1;
    int m_listener = -1;
    std::uint16_t m_port = 0;
    std::vector<std::unique_ptr<Line>> m_lines;
    std::string m_failure;
    std::vector<char> m_room;

    std::unique_ptr<SoundMessage> m_up;
    std::unique_ptr<SoundMessage> m_down;
    Figures m_figures;
    Clock::time_point m_begin;
    Clock::time_point m_end;
    std::vector<std::uint32_t> m_tookNs;
};

} // namespace vivavoce::bench
