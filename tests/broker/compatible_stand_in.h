#pragma once

#include "tests/broker/relay_harness.h"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// The door of a server that nearly speaks OpenAI Realtime: its addresses, its mint and what it refuses before a session, by its profile's
/// name. What is said in a session is the test's.
class CompatibleStandIn {
public:
    static constexpr const char* kKey = "compatible-key-marker";

    explicit CompatibleStandIn(std::string profile);
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    /// The next session that was opened here.
    [[nodiscard]] std::shared_ptr<Line> next();
    /// The request of the last handshake that was let in.
    [[nodiscard]] net::HttpRequest request();
    /// Bodies of what was minted.
    [[nodiscard]] std::vector<std::string> mints();
    /// It has no such model.
    void forget(const std::string& model);
    /// Every handshake is answered with that, and with a body that repeats the key.
    void refuseHandshakes(unsigned status);
    /// Of what was refused, mint or handshake.
    [[nodiscard]] std::vector<unsigned> refused();

private:
    [[nodiscard]] bool hasKey(const net::HttpRequest& request) const;
    [[nodiscard]] net::HttpResponse refuse(unsigned status, const std::string& why, const std::string& code = {});
    [[nodiscard]] net::HttpResponse mint(const net::HttpRequest& request);
    net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> admit(const net::HttpRequest& request);

    const std::string m_profile;
    std::mutex m_mutex;
    std::condition_variable m_changed;
    std::deque<std::shared_ptr<Line>> m_waiting;
    net::HttpRequest m_request;
    std::vector<std::string> m_mints;
    std::vector<unsigned> m_refused;
    std::string m_forgotten;
    unsigned m_handshakes = 101;
    std::unique_ptr<net::test::TestServer> m_server;
};

} // namespace vivavoce::tests
