#include "tests/broker/broker_cluster.h"

#include "core/base/json.h"
#include "tests/broker/mint_check.h"

#include <nlohmann/json.hpp>

#include <QFile>
#include <QStandardPaths>
#include <QTest>

#include <array>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace vivavoce::tests {
namespace {

using core::Json;

constexpr int kPatienceMs = 20'000;
constexpr std::array kNames{"one", "two", "three"};

std::string turn(int number)
{
    return Json({{"type", "response.done"}, {"event_id", "e" + std::to_string(number)},
                    {"response",
                        {{"id", "r" + std::to_string(number)}, {"object", "realtime.response"}, {"status", "completed"},
                            {"output", Json::array()},
                            {"usage",
                                {{"total_tokens", TurnProvider::kTokensOfATurn}, {"input_tokens", 0},
                                    {"output_tokens", TurnProvider::kTokensOfATurn},
                                    {"output_token_details",
                                        {{"text_tokens", 0}, {"audio_tokens", TurnProvider::kTokensOfATurn}}}}}}}})
        .dump();
}

/// Once. False: it is not there, or more often.
bool replaceOne(std::string& text, const std::string& what, const std::string& with)
{
    const std::size_t at = text.find(what);
    if (at == std::string::npos || text.find(what, at + what.size()) != std::string::npos) {
        return false;
    }
    text.replace(at, what.size(), with);
    return true;
}

void replaceAll(std::string& text, const std::string& what, const std::string& with)
{
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
    }
}

} // namespace

TurnProvider::TurnProvider()
{
    net::Router router;
    net::test::addPlain(router, "POST", "/v1/realtime/client_secrets", [this](const net::HttpRequest& request) {
        if (auto refusal = refusalOfMint(request)) {
            return std::move(*refusal);
        }
        const auto now =
            std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
        return net::HttpResponse::json(
            200, Json({{"value", "ek_" + std::to_string(++m_minted)}, {"expires_at", now.count() + 60}}).dump());
    });
    router.addWebSocket("/v1/realtime",
        [this](const net::HttpRequest&) -> net::Awaitable<core::Expected<net::WebSocketAccept, net::HttpResponse>> {
            net::WebSocketAccept accept;
            accept.run = [this](net::WebSocketSession& session) { return serve(session); };
            co_return std::move(accept);
        });
    m_server = std::make_unique<net::test::TestServer>(std::move(router));
}

net::Awaitable<> TurnProvider::serve(net::WebSocketSession& session)
{
    for (auto message = co_await session.read(); message; message = co_await session.read()) {
        if (message->data.find("response.create") != std::string::npos) {
            const int number = ++m_turns;
            const bool isTaken = co_await session.send(turn(number));
            static_cast<void>(isTaken);
        }
    }
}

const char* BrokerCluster::nameOf(std::size_t number)
{
    return kNames[number];
}

QString BrokerCluster::missing()
{
    if (QStandardPaths::findExecutable(QStringLiteral("haproxy"), {QStringLiteral("/usr/sbin")}).isEmpty()) {
        return QStringLiteral("haproxy is not installed");
    }
    return RedisServer::isInstalled() ? PostgresServer::missing() : QStringLiteral("redis-server is not installed");
}

std::string BrokerCluster::proxyConfiguration(
    const std::string& bind, const std::string& socket, const std::vector<std::uint16_t>& ports)
{
    std::ifstream file(qEnvironmentVariable("VV_SOURCE_DIR").toStdString() + "/packaging/broker/haproxy.cfg");
    std::ostringstream read;
    read << file.rdbuf();
    std::string text = read.str();
    if (!replaceOne(text, "bind :443 ssl crt /etc/haproxy/voice.pem alpn h2,http/1.1", "bind " + bind)
        // Two descriptors each, of which there may be fewer here.
        || !replaceOne(text, "maxconn 40000", "maxconn 400")
        || !replaceOne(text, "stats socket /run/haproxy/admin.sock", "stats socket " + socket)) {
        return {};
    }
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        const std::string name = std::string("broker-") + kNames[i] + ":8790";
        if (text.find(name) == std::string::npos) {
            return {};
        }
        // Where there are fewer brokers nobody is at the others' address.
        replaceAll(text, name, "127.0.0.1:" + std::to_string(i < ports.size() ? ports[i] : 1));
    }
    return text;
}

BrokerCluster::BrokerCluster(std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        auto& broker = *m_brokers.emplace_back(std::make_unique<BrokerProcess>());
        m_ports.push_back(RedisServer::freePort());
        broker.setPort(m_ports.back());
        broker.setProvider(provider.url());
        broker.setVariable("REDIS_URL", redis.url());
        broker.shareAccountOf(*m_brokers.front());
    }
}

BrokerCluster::~BrokerCluster()
{
    m_proxy.kill();
    m_proxy.waitForFinished(kPatienceMs);
}

bool BrokerCluster::startBroker(std::size_t number)
{
    broker(number).setVariable("DATABASE_URL", postgres.url());
    return broker(number).start({}, "trusted_proxies = [\"127.0.0.1\"]\n");
}

QString BrokerCluster::start()
{
    if (!postgres.start() || !redis.start()) {
        return QStringLiteral("the stores do not start");
    }
    for (std::size_t i = 0; i < size(); ++i) {
        if (!startBroker(i)) {
            return QStringLiteral("a broker does not start: ") + QString::fromUtf8(broker(i).log());
        }
    }
    m_proxyPort = RedisServer::freePort();
    const QString file = m_folder.filePath(QStringLiteral("haproxy.cfg"));
    std::ofstream(file.toStdString()) << proxyConfiguration("127.0.0.1:" + std::to_string(m_proxyPort),
        m_folder.filePath(QStringLiteral("admin.sock")).toStdString(), m_ports);
    m_proxy.setStandardOutputFile(m_folder.filePath(QStringLiteral("log")));
    m_proxy.setStandardErrorFile(m_folder.filePath(QStringLiteral("errors")));
    m_proxy.start(QStringLiteral("setpriv"),
        {QStringLiteral("--pdeathsig"), QStringLiteral("KILL"),
            QStandardPaths::findExecutable(QStringLiteral("haproxy"), {QStringLiteral("/usr/sbin")}),
            QStringLiteral("-db"), QStringLiteral("-f"), file});
    bool areUp = m_proxy.waitForStarted(kPatienceMs);
    for (std::size_t i = 0; i < size(); ++i) {
        areUp = areUp && comesTo(i, "UP");
    }
    if (areUp) {
        return {};
    }
    QFile errors(m_folder.filePath(QStringLiteral("errors")));
    (void)errors.open(QIODevice::ReadOnly);
    return QStringLiteral("the proxy does not see the brokers: ") + QString::fromUtf8(errors.readAll())
        + QString::fromStdString(tellProxy("show stat"));
}

std::string BrokerCluster::tellProxy(const std::string& command) const
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = m_folder.filePath(QStringLiteral("admin.sock")).toStdString();
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const void* const raw = &address;
    std::string answer;
    if (::connect(descriptor, static_cast<const sockaddr*>(raw), sizeof address) == 0) {
        const std::string line = command + "\n";
        std::array<char, 4096> bytes{};
        if (::write(descriptor, line.data(), line.size()) > 0) {
            for (ssize_t size = ::read(descriptor, bytes.data(), bytes.size()); size > 0;
                 size = ::read(descriptor, bytes.data(), bytes.size())) {
                answer.append(bytes.data(), static_cast<std::size_t>(size));
            }
        }
    }
    ::close(descriptor);
    return answer;
}

std::string BrokerCluster::stateOf(std::size_t number) const
{
    constexpr int kStatus = 17;
    std::istringstream all(tellProxy("show stat"));
    const std::string begin = std::string("brokers,") + kNames[number] + ",";
    for (std::string line; std::getline(all, line);) {
        if (line.starts_with(begin)) {
            std::istringstream fields(line);
            std::string field;
            for (int i = 0; i <= kStatus; ++i) {
                std::getline(fields, field, ',');
            }
            return field;
        }
    }
    return {};
}

bool BrokerCluster::comesTo(std::size_t number, const std::string& state) const
{
    return QTest::qWaitFor([&] { return stateOf(number).starts_with(state); }, kPatienceMs);
}

Exchange BrokerCluster::ask(std::uint16_t port, const std::string& method, const std::string& path,
    const std::string& body, const std::string& bearer) const
{
    // As the proxy says, for those who ask a broker itself.
    return BrokerProcess::converse(port,
        method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Forwarded-Proto: https\r\nAuthorization: Bearer "
            + (bearer.empty() ? m_brokers.front()->serviceKey() : bearer)
            + "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size())
            + "\r\nConnection: close\r\n\r\n" + body);
}

net::WebSocketRequest BrokerCluster::streamRequest(std::uint16_t port, const std::string& token)
{
    net::WebSocketRequest request;
    request.url = "ws://127.0.0.1:" + std::to_string(port) + "/api/voice/stream";
    request.headers.add("Authorization", "Bearer " + token);
    request.headers.add("X-Forwarded-Proto", "https");
    return request;
}

} // namespace vivavoce::tests
