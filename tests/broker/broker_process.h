#pragma once

#include "tests/net/test_server.h"

#include <QProcess>
#include <QTemporaryDir>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// How a request over a connection of its own ended.
struct Exchange {
    enum class End {
        /// A whole answer.
        Answered,
        /// Not a byte of one: nobody there, or the connection went.
        Nothing,
        /// A part of one, which must not be.
        Half,
    };
    End end = End::Nothing;
    unsigned status = 0;
    std::string head;
    std::string body;

    /// "" where the answer has none.
    [[nodiscard]] std::string sessionId() const;
    [[nodiscard]] std::string code() const;
};

/// The real vivavoce-broker in a process of its own, with an audit on disk, a service account and a provider that mints at once.
class BrokerProcess {
public:
    BrokerProcess();
    ~BrokerProcess();
    BrokerProcess(const BrokerProcess&) = delete;
    BrokerProcess& operator=(const BrokerProcess&) = delete;

    /// Starts it, or starts it again; false where it does not say that it listens. `limits` are members of that table, `top` lines
    /// before the first one.
    [[nodiscard]] bool start(const std::string& limits = {}, const std::string& top = {});
    /// Where the audit is to be, before the start; a folder of its own by default.
    void setAuditFolder(std::string folder) { m_auditFolder = std::move(folder); }
    [[nodiscard]] const std::string& auditFolder() const { return m_auditFolder; }
    /// Before the start: variables beside OPENAI_API_KEY, or that one; tables behind all others; another provider; another level of the log.
    void setVariable(const std::string& name, const std::string& value) { m_variables[name] = value; }
    void setTables(std::string tables) { m_tables = std::move(tables); }
    void setProvider(std::string url) { m_providerUrl = std::move(url); }
    /// Of loopback, for all its starts; another one each time by default.
    void setPort(std::uint16_t port) { m_wantedPort = port; }
    void setLogLevel(std::string level) { m_logLevel = std::move(level); }
    /// Before the start: the other one's service account is this one's, too.
    void shareAccountOf(const BrokerProcess& other)
    {
        m_key = other.m_key;
        m_keyHash = other.m_keyHash;
    }
    [[nodiscard]] const std::string& serviceKey() const { return m_key; }
    /// Where database and configuration lie.
    [[nodiscard]] std::string folder() const { return m_folder.path().toStdString(); }

    /// The file that it began with, with other `limits` and `top`, for the next SIGHUP.
    void rewrite(const std::string& limits, const std::string& top) const;
    [[nodiscard]] bool signal(int number) const;

    [[nodiscard]] Exchange mint(const std::string& body = "{}") const;
    [[nodiscard]] Exchange get(const std::string& path) const;
    /// Mints until that status comes, at most for `patience`.
    [[nodiscard]] bool comesTo(unsigned status, int patienceMs = 20'000) const;

    void kill();
    /// The exit code after a SIGTERM; -1 where it does not end in time.
    [[nodiscard]] int terminate();
    [[nodiscard]] bool isRunning() const { return m_process.state() == QProcess::Running; }
    [[nodiscard]] int pid() const { return static_cast<int>(m_process.processId()); }
    [[nodiscard]] std::uint16_t port() const { return m_port; }
    /// Bytes as they are, over a connection of their own; to whoever listens there.
    [[nodiscard]] static Exchange converse(std::uint16_t port, const std::string& request);
    [[nodiscard]] Exchange send(const std::string& request) const;
    [[nodiscard]] QByteArray output() { return m_process.readAllStandardOutput(); }
    [[nodiscard]] QByteArray log() { return m_process.readAllStandardError(); }

    /// All sessions that the audit tells of as minted.
    [[nodiscard]] std::set<std::string> auditedSessions() const;
    /// What `vivavoce-broker audit verify` ends with.
    [[nodiscard]] int verifyAudit() const;

private:
    [[nodiscard]] std::string file() const;

    QTemporaryDir m_folder;
    std::map<std::string, std::string> m_variables{{"OPENAI_API_KEY", "the-stand-in-takes-any"}};
    std::string m_tables;
    std::string m_providerUrl;
    std::string m_logLevel = "warning";
    std::string m_auditFolder;
    std::string m_key;
    std::string m_keyHash;
    std::unique_ptr<net::test::TestServer> m_provider;
    QProcess m_process;
    std::uint16_t m_wantedPort = 0;
    std::uint16_t m_port = 0;
};

/// Clients that mint one after another, side by side, until they are told to stop or nobody answers any more.
class MintingClients {
public:
    MintingClients(const BrokerProcess& broker, int count);
    ~MintingClients() { (void)finish(); }
    /// Answers so far.
    [[nodiscard]] int answers() const { return m_answers; }
    /// Waits until there are so many.
    [[nodiscard]] bool waitForAnswers(int count) const;
    /// Ends when nobody answers, or after `stop`.
    [[nodiscard]] std::vector<Exchange> finish();
    void stop() { m_isStopping = true; }

private:
    std::atomic<int> m_answers{0};
    std::atomic<bool> m_isStopping{false};
    std::vector<std::vector<Exchange>> m_exchanges;
    std::vector<std::thread> m_threads;
};

} // namespace vivavoce::tests
