#pragma once

#include "core/base/executor.h"
#include "core/ports/http_client.h"
#include "tests/support/scripted_session.h"

#include <QByteArray>
#include <QTcpServer>
#include <QTcpSocket>
#include <QWebSocket>
#include <QWebSocketServer>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// A provider, or a broker, on a port of this computer: WebSockets are scripted sessions, and other requests are answered as the test says.
/// Threads: the one that made it. Lifetime: what it was made with outlives it.
class ScriptedServer {
public:
    using Admits = std::function<bool(std::string_view credential)>;
    using Answers =
        std::function<core::HttpClient::Response(const core::HttpClient::Request& request, std::string_view bearer)>;

    ScriptedServer(core::Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log);
    ~ScriptedServer();

    /// Who may open a session: by default anybody.
    void admit(Admits admits) { m_admits = std::move(admits); }
    void answer(Answers answers) { m_answers = std::move(answers); }

    [[nodiscard]] std::uint16_t port() const { return m_tcp.serverPort(); }
    [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
    /// Sessions that are open now.
    [[nodiscard]] std::size_t open() const;
    /// Close codes that clients have said goodbye with; 1006: none.
    [[nodiscard]] const std::vector<int>& goodbyes() const { return m_goodbyes; }

private:
    struct Client;
    void accept(QTcpSocket* socket);
    void read(QTcpSocket* socket);
    void reply(QTcpSocket* socket, const core::HttpClient::Response& response);
    void begin();

    core::Executor& m_executor;
    ScriptedProviderOptions m_options;
    ScriptedProviderLog& m_log;
    Admits m_admits = [](std::string_view) { return true; };
    Answers m_answers;
    QTcpServer m_tcp;
    QWebSocketServer m_webSockets;
    std::vector<std::unique_ptr<Client>> m_clients;
    std::vector<int> m_goodbyes;
    std::shared_ptr<ScriptedServer*> m_self = std::make_shared<ScriptedServer*>(this);
};

} // namespace vivavoce::tests
