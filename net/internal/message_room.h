#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

namespace vivavoce::net {

/// Memory for the long messages of all connections together that are not whole yet.
/// Threads: [any thread].
class MessageRoom {
public:
    explicit MessageRoom(std::size_t most) : m_left(most) {}

    /// False: there is no such room now, and nothing is taken.
    [[nodiscard]] bool take(std::size_t bytes)
    {
        std::size_t left = m_left.load();
        while (left >= bytes) {
            if (m_left.compare_exchange_weak(left, left - bytes)) {
                return true;
            }
        }
        return false;
    }
    void giveBack(std::size_t bytes) { m_left += bytes; }

private:
    std::atomic<std::size_t> m_left;
};

/// What one connection has of it. Without a room there is no end of it.
/// Threads: one at a time.
class RoomShare {
public:
    explicit RoomShare(std::shared_ptr<MessageRoom> room) : m_room(std::move(room)) {}
    ~RoomShare() { static_cast<void>(resize(0)); }
    RoomShare(const RoomShare&) = delete;
    RoomShare& operator=(const RoomShare&) = delete;

    [[nodiscard]] bool resize(std::size_t bytes)
    {
        if (m_room == nullptr || bytes == m_bytes) {
            return true;
        }
        if (bytes > m_bytes && !m_room->take(bytes - m_bytes)) {
            return false;
        }
        if (bytes < m_bytes) {
            m_room->giveBack(m_bytes - bytes);
        }
        m_bytes = bytes;
        return true;
    }

private:
    std::shared_ptr<MessageRoom> m_room;
    std::size_t m_bytes = 0;
};

} // namespace vivavoce::net
