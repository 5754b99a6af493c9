#pragma once

#include "net/dial_memory.h"
#include "net/internal/boost.h"
#include "net/internal/tls.h"

#include <openssl/ssl.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::net {

/// Invariant: of each kind at most `kMost` are kept. Threads: [any thread].
struct DialMemory::State : std::enable_shared_from_this<DialMemory::State> {
    using Endpoints = std::vector<tcp::endpoint>;
    using Time = std::chrono::steady_clock::time_point;
    static constexpr std::size_t kMost = 64;
    /// A name server's answer holds that long at least as often as not, and a dial that fails asks again.
    static constexpr std::chrono::seconds kAddressesHold{60};

    /// For tests; set before anybody dials.
    std::function<Time()> clock = &Time::clock::now;

    /// Made anew when the CA file has changed. BadConfiguration: it cannot be used, and never could.
    [[nodiscard]] core::Expected<std::shared_ptr<ssl::context>, core::Error> context(const TlsTrust& trust);
    /// Before the handshake: offers the session that there is with that host.
    void offer(SSL* connection, const std::string& host);
    /// After it.
    void shaken(SSL* connection);
    void keep(const std::string& caFile, const std::string& host, SSL_SESSION* session);

    /// Empty: not known, or not any more.
    [[nodiscard]] Endpoints addresses(const std::string& authority, Time now);
    void remember(const std::string& authority, Endpoints endpoints, Time now);
    void forget(const std::string& authority);

    struct FreeSession {
        void operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }
    };
    struct Known {
        Endpoints endpoints;
        Time until;
    };
    std::mutex mutex;
    struct Trusted {
        std::shared_ptr<ssl::context> context;
        std::filesystem::file_time_type changedAt;
    };
    /// By CA file.
    std::map<std::string, Trusted> contexts;
    /// By CA file and host.
    std::map<std::pair<std::string, std::string>, std::unique_ptr<SSL_SESSION, FreeSession>> sessions;
    std::map<std::string, Known> known;
    std::size_t resumptions = 0;
};

} // namespace vivavoce::net
