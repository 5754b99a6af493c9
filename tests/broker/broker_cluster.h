#pragma once

#include "tests/broker/broker_process.h"
#include "tests/broker/postgres_server.h"
#include "tests/broker/redis_server.h"

#include <QProcess>
#include <QTemporaryDir>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// A provider that answers each response.create with a response of seven tokens, and knows how many those were.
class TurnProvider {
public:
    static constexpr int kTokensOfATurn = 7;

    TurnProvider();
    [[nodiscard]] std::string url() const { return m_server->url(""); }
    [[nodiscard]] int turns() const { return m_turns; }

private:
    net::Awaitable<> serve(net::WebSocketSession& session);

    std::atomic<int> m_turns{0};
    std::atomic<int> m_minted{0};
    std::unique_ptr<net::test::TestServer> m_server;
};

/// Real brokers behind a real HAProxy, with its shipped configuration, on one PostgreSQL, one Redis and one provider. Killed when they go.
class BrokerCluster {
public:
    /// Empty: it can be started. Else what is missing.
    [[nodiscard]] static QString missing();
    /// The shipped file, with these in place of its addresses. Empty: not each of them is there as expected.
    [[nodiscard]] static std::string proxyConfiguration(
        const std::string& bind, const std::string& socket, const std::vector<std::uint16_t>& ports);

    /// Three at most.
    explicit BrokerCluster(std::size_t count);
    ~BrokerCluster();
    BrokerCluster(const BrokerCluster&) = delete;
    BrokerCluster& operator=(const BrokerCluster&) = delete;

    /// Starts all of it, and waits until the proxy has seen each broker. Why not; empty: it runs.
    [[nodiscard]] QString start();
    [[nodiscard]] bool startBroker(std::size_t number);
    /// What the proxy takes it for: "UP", "DOWN", "DRAIN", …
    [[nodiscard]] std::string stateOf(std::size_t number) const;
    [[nodiscard]] bool comesTo(std::size_t number, const std::string& state) const;
    /// To the proxy's socket; its answer.
    [[nodiscard]] std::string tellProxy(const std::string& command) const;

    [[nodiscard]] BrokerProcess& broker(std::size_t number) { return *m_brokers[number]; }
    [[nodiscard]] std::size_t size() const { return m_brokers.size(); }
    [[nodiscard]] std::uint16_t port(std::size_t number) const { return m_ports[number]; }
    /// Of the proxy.
    [[nodiscard]] std::uint16_t proxyPort() const { return m_proxyPort; }
    /// One request over a connection of its own, to a broker or to the proxy. By the service account that they share, or with that token.
    [[nodiscard]] Exchange ask(std::uint16_t port, const std::string& method, const std::string& path,
        const std::string& body = {}, const std::string& bearer = {}) const;
    [[nodiscard]] static net::WebSocketRequest streamRequest(std::uint16_t port, const std::string& token);
    [[nodiscard]] static const char* nameOf(std::size_t number);

    PostgresServer postgres;
    RedisServer redis;
    TurnProvider provider;

private:
    QTemporaryDir m_folder;
    std::vector<std::unique_ptr<BrokerProcess>> m_brokers;
    std::vector<std::uint16_t> m_ports;
    std::uint16_t m_proxyPort = 0;
    QProcess m_proxy;
};

} // namespace vivavoce::tests
