#include "agent/agent.h"
#include "agent/options.h"

#include <QtTest>

#include <unistd.h>

#include <vector>

using namespace vivavoce;
using agent::Options;

namespace {

core::Expected<std::variant<Options, agent::PrintAndLeave>, core::Error> parse(const QStringList& arguments)
{
    std::vector<QByteArray> kept{"vivavoce-agent"};
    for (const QString& argument : arguments) {
        kept.push_back(argument.toUtf8());
    }
    std::vector<const char*> argv;
    for (const QByteArray& argument : kept) {
        argv.push_back(argument.constData());
    }
    return agent::parseOptions(static_cast<int>(argv.size()), argv.data());
}

/// What comes out of a pipe that `text` was written to and that was closed then.
core::Expected<core::Secret, core::Error> credentialFrom(const std::string& text)
{
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0 || ::write(ends[1], text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
        return core::fail(core::ErrorCode::Internal, "no pipe");
    }
    ::close(ends[1]);
    auto credential = agent::readCredential(ends[0]);
    ::close(ends[0]);
    return credential;
}

} // namespace

class TestAgentOptions : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void options_WhenGiven_AreRead()
    {
        const auto parsed = parse({"--listen", "127.0.0.1:0", "--chat-url", "http://127.0.0.1:1/v1", "--chat-model",
            "m", "--credential-fd", "5", "--max-sessions", "3", "--log-level", "INFO"});
        QVERIFY(parsed.has_value());
        const auto& options = std::get<Options>(*parsed);
        QCOMPARE(options.port, std::uint16_t{0});
        QVERIFY(options.isLoopback());
        QCOMPARE(options.chatModel, std::string("m"));
        QCOMPARE(options.credentialFd.value_or(-1), 5);
        QCOMPARE(options.maxSessions, std::size_t{3});
        QCOMPARE(options.logLevel, agent::LogLevel::Info);
        QCOMPARE(std::get<Options>(*parse({"--listen", "[::1]:99"})).address, std::string("::1"));
    }

    void chatUrl_Alone_LeavesTheModelToTheServer()
    {
        const auto parsed = parse({"--chat-url", "http://127.0.0.1:1/v1"});
        QVERIFY(parsed.has_value());
        QVERIFY(std::get<Options>(*parsed).chatModel.empty());
    }

    void help_SaysWhoMayConnect()
    {
        const auto parsed = parse({"--help"});
        QVERIFY(parsed.has_value());
        const std::string text = std::get<agent::PrintAndLeave>(*parsed).text;
        QVERIFY(text.find("any non-empty bearer") != std::string::npos);
    }

    void options_ThatMakeNoSense_AreBadUsage_data()
    {
        QTest::addColumn<QStringList>("arguments");
        QTest::newRow("unknown") << QStringList{"--nonsense"};
        QTest::newRow("no port") << QStringList{"--listen", "127.0.0.1"};
        QTest::newRow("no address") << QStringList{"--listen", ":80"};
        QTest::newRow("large port") << QStringList{"--listen", "127.0.0.1:65536"};
        QTest::newRow("words for a port") << QStringList{"--listen", "127.0.0.1:8o"};
        QTest::newRow("no sessions") << QStringList{"--max-sessions", "0"};
        QTest::newRow("a level that there is not") << QStringList{"--log-level", "xml"};
        QTest::newRow("standard output") << QStringList{"--credential-fd", "1"};
        QTest::newRow("a file that thinks") << QStringList{"--chat-url", "file:///etc/passwd"};
        QTest::newRow("model without url") << QStringList{"--chat-model", "m"};
        QTest::newRow("key file that is not there")
            << QStringList{"--tls-cert", "/nonexistent.pem", "--tls-key", "/nonexistent.pem"};
        QTest::newRow("open to the world") << QStringList{"--listen", "0.0.0.0:0"};
        QTest::newRow("world with a credential, without TLS")
            << QStringList{"--listen", "0.0.0.0:0", "--credential-fd", "5"};
    }

    void options_ThatMakeNoSense_AreBadUsage()
    {
        QFETCH(QStringList, arguments);
        const auto parsed = parse(arguments);
        QVERIFY(!parsed.has_value());
        QCOMPARE(core::exitCode(parsed.error().code), 2);
        QVERIFY(!parsed.error().detail.empty());
    }

    void logLevel_ThatThereIsNot_IsRefusedInWords()
    {
        const std::string detail = parse({"--log-level", "xml"}).error().detail;
        for (const char* word : {"xml", "error", "warning", "info", "debug"}) {
            QVERIFY2(detail.find(word) != std::string::npos, detail.c_str());
        }
        QVERIFY2(detail.find("->") == std::string::npos, detail.c_str());
    }

    void credential_IsTheFirstLineOfThePipe()
    {
        const auto credential = credentialFrom("sk-one\nrest");
        QVERIFY(credential.has_value());
        QVERIFY(credential->equals("sk-one"));
    }

    void credential_ThatIsNone_IsRefused()
    {
        for (const std::string& text :
            {std::string(), std::string("\n"), std::string("no end of line"), std::string(2'000, 'x') + "\n"}) {
            QVERIFY(!credentialFrom(text).has_value());
        }
    }
};

QTEST_GUILESS_MAIN(TestAgentOptions)
#include "test_agent_options.moc"
