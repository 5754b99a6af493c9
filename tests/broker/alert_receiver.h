#pragma once

#include "net/server.h"
#include "tests/broker/broker_harness.h"

#include <nlohmann/json.hpp>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// Somebody's endpoint for alerts on this computer, which answers what the test says, and can go and come back at its port.
class AlertReceiver {
public:
    explicit AlertReceiver(NetThreads& threads) : m_threads(threads) { comeBack(); }

    [[nodiscard]] std::string url() const { return m_url; }
    void answerWith(unsigned status, std::string body = "{}")
    {
        const std::lock_guard lock(m_mutex);
        m_status = status;
        m_body = std::move(body);
    }
    [[nodiscard]] std::vector<net::HttpRequest> requests() const
    {
        const std::lock_guard lock(m_mutex);
        return m_requests;
    }
    [[nodiscard]] std::size_t count() const { return requests().size(); }
    [[nodiscard]] core::Json body(std::size_t number) const { return core::Json::parse(requests().at(number).body); }
    void goAway() { m_server.reset(); }
    void comeBack()
    {
        net::Router router;
        router.add("POST", "/hook", [this](const net::HttpRequest& request) { return take(request); });
        net::ServerConfig config;
        config.port = m_port;
        auto made = net::Server::create(m_threads.executors(), std::move(config), std::move(router));
        if (!made) {
            throw std::runtime_error(made.error().detail);
        }
        m_server = std::move(*made);
        m_server->start();
        m_port = m_server->port();
        m_url = m_server->url() + "/hook";
    }

private:
    net::Awaitable<net::HttpResponse> take(const net::HttpRequest& request)
    {
        const std::lock_guard lock(m_mutex);
        m_requests.push_back(request);
        co_return net::HttpResponse::json(m_status, m_body);
    }

    NetThreads& m_threads;
    mutable std::mutex m_mutex;
    unsigned m_status = 200;
    std::string m_body = "{}";
    std::vector<net::HttpRequest> m_requests;
    std::uint16_t m_port = 0;
    std::string m_url;
    std::unique_ptr<net::Server> m_server;
};

} // namespace vivavoce::tests
