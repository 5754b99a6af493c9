#pragma once

#include "broker/limits/internal/redis_connection.h"

#include <QTemporaryDir>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// A real redis-server of the test's own, in a folder of its own, on a unix socket and perhaps on a port. Killed when it goes.
class RedisServer {
public:
    /// Whether redis-server is installed.
    [[nodiscard]] static bool isInstalled();

    RedisServer() = default;
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;

    /// Starts it and waits until it says that it is ready; again after kill(), empty. `more` are words of its command line.
    [[nodiscard]] bool start(const std::vector<std::string>& more = {});
    /// Sends the signal; SIGKILL is awaited.
    void signal(int number);
    void kill();

    [[nodiscard]] std::string url() const { return "unix://" + socketPath(); }
    [[nodiscard]] std::string socketPath() const { return m_folder.path().toStdString() + "/redis.sock"; }
    /// A port that nobody listens on now.
    [[nodiscard]] static std::uint16_t freePort();

    /// Asks it something by a connection beside the one that is tested.
    broker::RedisValue ask(const std::vector<std::string>& words) const;
    [[nodiscard]] std::vector<std::string> keys() const;

private:
    QTemporaryDir m_folder;
    int m_process = -1;
};

} // namespace vivavoce::tests
