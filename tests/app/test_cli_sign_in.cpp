#include "app/cli/options.h"
#include "app/cli/talk_report.h"
#include "core/base/json.h"
#include "tests/support/manual_clock.h"

#include <nlohmann/json.hpp>

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::cli;
using namespace vivavoce::tests;
using Stage = core::SignInStatus::Stage;

namespace {

Command parsed(std::vector<std::string> words)
{
    words.insert(words.begin(), "vivavoce-cli");
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    return parseCommandLine(static_cast<int>(argv.size()), argv.data());
}

/// What a report says of these, as it is written.
QByteArray told(OutputFormat format, const std::vector<core::SignInStatus>& all)
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("out"));
    std::FILE* const out = std::fopen(path.toLocal8Bit().constData(), "w");
    const ManualClock clock;
    EventWriter events(clock, format, out);
    TalkReport report({events, clock});
    for (const core::SignInStatus& status : all) {
        report.tell(status);
    }
    std::fclose(out);
    QFile written(path);
    return written.open(QIODevice::ReadOnly) ? written.readAll() : QByteArray();
}

core::SignInStatus at(Stage stage)
{
    core::SignInStatus status;
    status.stage = stage;
    if (stage == Stage::SignedIn) {
        status.name = "ada";
    }
    if (stage == Stage::WaitingForDevice) {
        status.userCode = "WDJB-MJHT";
        status.verificationUrl = "https://login.example/device";
    }
    return status;
}

} // namespace

class TestCliSignIn : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void options_NeedABroker()
    {
        const Command good =
            parsed({"talk", "--text", "x", "--broker", "https://b.example", "--sign-in", "--no-browser"});
        QVERIFY(std::get<TalkOptions>(good).isSigningIn && std::get<TalkOptions>(good).isWithoutBrowser);
        QVERIFY(!std::get<TalkOptions>(parsed({"talk", "--text", "x", "--broker", "https://b.example"})).isSigningIn);
        QCOMPARE(std::get<EndNow>(parsed({"talk", "--text", "x", "--sign-in"})).exitCode, 2);
        QCOMPARE(
            std::get<EndNow>(parsed({"talk", "--text", "x", "--broker", "https://b.example", "--no-browser"})).exitCode,
            2);
    }

    void broker_IsMadeRegular()
    {
        const auto used = [](const char* typed) {
            return std::get<TalkOptions>(parsed({"talk", "--text", "x", "--broker", typed})).brokerUrl;
        };
        QCOMPARE(used("HTTPS://B.example/voice/"), std::string("https://b.example/voice"));
        QCOMPARE(used("b.example"), std::string("https://b.example"));
        QCOMPARE(used("http://127.0.0.1:18790"), std::string("http://127.0.0.1:18790"));
    }

    void tokens_AreLookedAfterAsAsked()
    {
        const std::vector<std::string> talk{"talk", "--text", "x", "--broker", "https://b.example"};
        const auto with = [&](const std::vector<std::string>& more) {
            std::vector<std::string> words = talk;
            words.insert(words.end(), more.begin(), more.end());
            return parsed(words);
        };
        QVERIFY(std::get<TalkOptions>(with({})).token == core::TokenSettings{});
        const auto asked = std::get<TalkOptions>(
            with({"--refresh-threshold-seconds", "90", "--max-retry-attempts", "0", "--no-auto-refresh"}));
        QVERIFY((asked.token == core::TokenSettings{std::chrono::seconds{90}, 0, false}));
        for (const auto& wrong :
            {std::vector<std::string>{"--refresh-threshold-seconds", "-1"}, {"--refresh-threshold-seconds", "3601"},
                {"--max-retry-attempts", "21"}, {"--max-retry-attempts", "often"}}) {
            QCOMPARE(std::get<EndNow>(with(wrong)).exitCode, 2);
        }
    }

    void events_TellWhatToDoNext()
    {
        const QByteArray text = told(OutputFormat::JsonLines,
            {at(Stage::Preparing), at(Stage::WaitingForBrowser), at(Stage::WaitingForDevice), at(Stage::Exchanging),
                at(Stage::SignedIn), at(Stage::SignedOut)});
        const QList<QByteArray> lines = text.trimmed().split('\n');
        QCOMPARE(lines.size(), 3);
        std::vector<core::Json> events;
        for (const QByteArray& line : lines) {
            events.push_back(*core::parseJson(line.toStdString()));
            QVERIFY(events.back()["type"] == "sign_in");
        }
        QVERIFY(events[0]["event"] == "browser");
        QVERIFY(events[1]["event"] == "code" && events[1]["code"] == "WDJB-MJHT");
        QVERIFY(events[1]["url"] == "https://login.example/device" && !events[1].contains("completeUrl"));
        QVERIFY(events[2]["event"] == "signed_in" && events[2]["name"] == "ada");
    }

    void people_AreToldInALine()
    {
        const QByteArray text = told(OutputFormat::Text, {at(Stage::WaitingForDevice), at(Stage::SignedIn)});
        QCOMPARE(text,
            QByteArray("(sign in at https://login.example/device with the code WDJB-MJHT)\n(signed in as ada)\n"));
    }
};

QTEST_GUILESS_MAIN(TestCliSignIn)
#include "test_cli_sign_in.moc"
