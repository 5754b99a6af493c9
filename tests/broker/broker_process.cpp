#include "tests/broker/broker_process.h"

#include "core/base/json.h"
#include "tests/broker/mint_check.h"
#include "tests/broker/test_secrets.h"
#include "tests/net/raw_socket.h"

#include <nlohmann/json.hpp>

#include <QElapsedTimer>
#include <QTest>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace vivavoce::tests {
namespace {

using core::Json;
constexpr int kPatienceMs = 20'000;

QString program()
{
    return qEnvironmentVariable("VV_BIN_DIR") + QStringLiteral("/vivavoce-broker");
}

Json parsed(const std::string& text)
{
    const auto json = core::parseJson(text);
    return json && json->is_object() ? *json : Json::object();
}

std::unique_ptr<net::test::TestServer> mintingProvider()
{
    net::Router router;
    net::test::addPlain(router, "POST", "/v1/realtime/client_secrets",
        [count = std::make_shared<std::atomic<int>>(0)](const net::HttpRequest& request) {
            if (auto refusal = refusalOfMint(request)) {
                return std::move(*refusal);
            }
            const auto now =
                std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
            return net::HttpResponse::json(
                200, Json({{"value", "ek_" + std::to_string(++*count)}, {"expires_at", now.count() + 60}}).dump());
        });
    return std::make_unique<net::test::TestServer>(std::move(router));
}

} // namespace

Exchange BrokerProcess::converse(std::uint16_t port, const std::string& request)
{
    net::test::RawSocket socket(port);
    Exchange result;
    if (!socket.isConnected() || !socket.send(request)) {
        return result;
    }
    const std::string all = socket.readToEnd();
    if (all.empty()) {
        return result;
    }
    result.end = Exchange::End::Half;
    const std::size_t end = all.find("\r\n\r\n");
    if (end == std::string::npos || !all.starts_with("HTTP/1.1 ")) {
        return result;
    }
    result.head = all.substr(0, end);
    result.body = all.substr(end + 4);
    result.status = static_cast<unsigned>(std::stoi(all.substr(9, 3)));
    const std::string mark = "\r\nContent-Length: ";
    const std::size_t length = result.head.find(mark);
    if (length != std::string::npos && std::stoul(result.head.substr(length + mark.size())) == result.body.size()) {
        result.end = Exchange::End::Answered;
    }
    return result;
}

std::string Exchange::sessionId() const
{
    return parsed(body).value("sessionId", std::string());
}

std::string Exchange::code() const
{
    return parsed(body).value("code", std::string());
}

BrokerProcess::BrokerProcess() : m_auditFolder(m_folder.path().toStdString() + "/audit"), m_provider(mintingProvider())
{
    QProcess make;
    make.start(program(), {QStringLiteral("service-key"), QStringLiteral("tester")});
    make.waitForFinished(kPatienceMs);
    const Json made = parsed(make.readAllStandardOutput().trimmed().toStdString());
    m_key = made.value("key", std::string());
    m_keyHash = made.value("keyHash", std::string());
}

BrokerProcess::~BrokerProcess()
{
    kill();
}

std::string BrokerProcess::file() const
{
    return m_folder.path().toStdString() + "/broker.toml";
}

void BrokerProcess::rewrite(const std::string& limits, const std::string& top) const
{
    std::ofstream(file(), std::ios::trunc)
        << "listen = \"127.0.0.1:" << m_wantedPort << "\"\naudit = { folder = \"" << m_auditFolder
        << "\" }\ndatabase = { url = \"sqlite://" << m_folder.path().toStdString() << "/broker.db\" }\n"
        << "secret = \"" << kTestSecret << "\"\n"
        << "provider = { url = \"" << (m_providerUrl.empty() ? m_provider->url("") : m_providerUrl) << "\" }\n"
        << top
        << "\n[limits]\nmints_per_minute = 100000\nsessions_per_user = 100000\n"
           "max_sessions = 100000\nstrangers_per_minute = 100000\n"
        << limits << "\n[[service_accounts]]\nname = \"tester\"\nkey_hash = \"" << m_keyHash
        << "\"\nscopes = [\"voice:mint\", \"voice:session\"]\n"
        << m_tables;
}

bool BrokerProcess::signal(int number) const
{
    return ::kill(pid(), number) == 0;
}

bool BrokerProcess::start(const std::string& limits, const std::string& top)
{
    rewrite(limits, top);
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const char* name : {"REDIS_URL", "DATABASE_URL", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "ALLOWED_ORIGINS",
             "VOICE_AGENT_RATE_LIMIT"}) {
        environment.remove(QString::fromLatin1(name));
    }
    for (const auto& [name, value] : m_variables) {
        environment.insert(QString::fromStdString(name), QString::fromStdString(value));
    }
    m_process.setProcessEnvironment(environment);
    m_process.start(program(),
        {QStringLiteral("--config"), QString::fromStdString(file()), QStringLiteral("--log-level"),
            QString::fromStdString(m_logLevel)});
    while (!m_process.canReadLine() && m_process.waitForReadyRead(kPatienceMs)) {
    }
    const std::string url = parsed(m_process.readLine().trimmed().toStdString()).value("url", std::string());
    if (url.empty()) {
        return false;
    }
    m_port = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    return true;
}

Exchange BrokerProcess::mint(const std::string& body) const
{
    return converse(m_port,
        "POST /api/voice-agent/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "Authorization: Bearer "
            + m_key + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

Exchange BrokerProcess::send(const std::string& request) const
{
    return converse(m_port, request);
}

Exchange BrokerProcess::get(const std::string& path) const
{
    return converse(m_port, "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

bool BrokerProcess::comesTo(unsigned status, int patienceMs) const
{
    return QTest::qWaitFor([&] { return mint().status == status; }, patienceMs);
}

void BrokerProcess::kill()
{
    m_process.kill();
    m_process.waitForFinished(kPatienceMs);
}

int BrokerProcess::terminate()
{
    m_process.terminate();
    const bool hasEnded = m_process.state() == QProcess::NotRunning || m_process.waitForFinished(kPatienceMs);
    return hasEnded && m_process.exitStatus() == QProcess::NormalExit ? m_process.exitCode() : -1;
}

std::set<std::string> BrokerProcess::auditedSessions() const
{
    std::set<std::string> sessions;
    for (const auto& file : std::filesystem::directory_iterator(m_auditFolder)) {
        std::ifstream in(file.path());
        for (std::string line; file.path().extension() == ".jsonl" && std::getline(in, line);) {
            const Json told = parsed(line);
            if (told.value("event", std::string()) == "token.mint") {
                sessions.insert(told.value("session", std::string()));
            }
        }
    }
    return sessions;
}

int BrokerProcess::verifyAudit() const
{
    QProcess verify;
    verify.start(program(), {QStringLiteral("audit"), QStringLiteral("verify"), QString::fromStdString(m_auditFolder)});
    verify.waitForFinished(kPatienceMs);
    return verify.exitCode();
}

MintingClients::MintingClients(const BrokerProcess& broker, int count) : m_exchanges(static_cast<std::size_t>(count))
{
    for (auto& mine : m_exchanges) {
        m_threads.emplace_back([this, &mine, &broker] {
            while (!m_isStopping) {
                mine.push_back(broker.mint());
                if (mine.back().end != Exchange::End::Answered) {
                    return;
                }
                ++m_answers;
            }
        });
    }
}

bool MintingClients::waitForAnswers(int count) const
{
    return QTest::qWaitFor([&] { return m_answers >= count; }, kPatienceMs);
}

std::vector<Exchange> MintingClients::finish()
{
    std::vector<Exchange> all;
    for (std::thread& thread : m_threads) {
        thread.join();
    }
    m_threads.clear();
    for (const auto& mine : m_exchanges) {
        all.insert(all.end(), mine.begin(), mine.end());
    }
    return all;
}

} // namespace vivavoce::tests
