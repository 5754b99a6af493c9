#include "app/cli/options.h"

#include <QTest>

#include <string>
#include <vector>

using namespace vivavoce::cli;

namespace {

Command parsed(std::vector<std::string> more)
{
    std::vector<std::string> words{"vivavoce-cli", "talk", "--text", "hello"};
    words.insert(words.end(), more.begin(), more.end());
    std::vector<char*> argv;
    for (std::string& word : words) {
        argv.push_back(word.data());
    }
    return parseCommandLine(static_cast<int>(argv.size()), argv.data());
}

} // namespace

/// Which provider and model a broker is asked for, and for which project.
class TestCliChoice : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void choice_IsTakenAsItIs()
    {
        const Command command =
            parsed({"--broker", "https://voice.example", "--provider", "gemini", "--model", "gemini-3.8-live"});
        const auto* const talk = std::get_if<TalkOptions>(&command);
        QVERIFY(talk != nullptr);
        QCOMPARE(talk->provider, std::string("gemini"));
        QCOMPARE(talk->model, std::string("gemini-3.8-live"));
        const Command none = parsed({"--broker", "https://voice.example"});
        QVERIFY(std::get<TalkOptions>(none).provider.empty() && std::get<TalkOptions>(none).model.empty());
    }

    void name_ThatNoBrokerTakes_IsBadUsage_data()
    {
        QTest::addColumn<QString>("name");
        QTest::newRow("empty") << QString();
        QTest::newRow("a blank") << QStringLiteral("two words");
        QTest::newRow("a line end") << QStringLiteral("a\nb");
        QTest::newRow("no ASCII") << QStringLiteral("modèle");
        QTest::newRow("too long") << QStringLiteral("m").repeated(129);
    }
    void name_ThatNoBrokerTakes_IsBadUsage()
    {
        QFETCH(QString, name);
        for (const char* option : {"--provider", "--model", "--voice", "--project"}) {
            const Command command = parsed({"--broker", "https://voice.example", option, name.toStdString()});
            const auto* const end = std::get_if<EndNow>(&command);
            QVERIFY2(end != nullptr, option);
            QCOMPARE(end->exitCode, 2);
        }
        const Command longest = parsed({"--model", std::string(128, 'm')});
        QVERIFY(std::holds_alternative<TalkOptions>(longest));
    }

    void provider_OfOurOwnAgent_IsNotToBeChosen()
    {
        const Command command = parsed({"--provider", "gemini"});
        QVERIFY(std::holds_alternative<EndNow>(command));
    }

    void project_IsTakenAsItIs_WithABroker()
    {
        const Command command = parsed({"--broker", "https://voice.example", "--project", "choir/2027#a"});
        const auto* const talk = std::get_if<TalkOptions>(&command);
        QVERIFY(talk != nullptr);
        QCOMPARE(talk->project, std::string("choir/2027#a"));
        const Command none = parsed({"--broker", "https://voice.example"});
        QCOMPARE(std::get<TalkOptions>(none).project, std::string());
        const Command secret = parsed({"--broker", "https://voice.example", "--project", "vvs_nightly_123"});
        QVERIFY(std::holds_alternative<EndNow>(secret));
        // Our own broker has none.
        const Command here = parsed({"--project", "choir"});
        const auto* const end = std::get_if<EndNow>(&here);
        QVERIFY(end != nullptr);
        QCOMPARE(end->exitCode, 2);
    }
};

QTEST_GUILESS_MAIN(TestCliChoice)
#include "test_cli_choice.moc"
