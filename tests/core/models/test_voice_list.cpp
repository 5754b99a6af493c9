#include "core/models/built_in_models.h"
#include "core/models/voice_list.h"

#include <QTest>

using namespace vivavoce::core;

class TestVoiceList : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void file_ThatCameWithTheProgram_IsWhole()
    {
        const auto list = VoiceList::parse(builtInVoices());
        QVERIFY2(list.has_value(), list ? "" : list.error().c_str());
        for (const char* provider : {"openai", "azure", "gemini", "xai"}) {
            QVERIFY2(VoiceList::builtIn().find(provider) != nullptr, provider);
        }
    }

    void voice_IsUnknown_OnlyWhereTheProvidersAreKnown_data()
    {
        QTest::addColumn<QByteArray>("provider");
        QTest::addColumn<QByteArray>("voice");
        QTest::addColumn<bool>("isUnknown");
        const auto row = [](const char* provider, const char* voice, bool isUnknown) {
            QTest::addRow("%s of %s", voice, provider) << QByteArray(provider) << QByteArray(voice) << isUnknown;
        };
        row("openai", "marin", false);
        row("openai", "Marin", false);
        row("openai", "Puck", true);
        row("gemini", "puck", false);
        row("gemini", "marin", true);
        row("xai", "Eve", false);
        row("speaches", "af_heart", false);
        row("local", "anything", false);
    }
    void voice_IsUnknown_OnlyWhereTheProvidersAreKnown()
    {
        QFETCH(QByteArray, provider);
        QFETCH(QByteArray, voice);
        QFETCH(bool, isUnknown);
        QCOMPARE(VoiceList::builtIn().isUnknown(voice.toStdString(), provider.toStdString()), isUnknown);
    }

    void file_ThatIsWrong_NamesItsRow_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("fault");
        const QByteArray good =
            R"({"provider":"a","read":"2026-11-22","source":"https://a.example","voices":["one","two"]})";
        const auto fileOf = [](const QByteArray& rows) { return R"({"voices":[)" + rows + "]}"; };
        QTest::newRow("whole") << fileOf(good) << QByteArray();
        QTest::newRow("no list") << QByteArray("{}") << QByteArray("it has to be an object with a list");
        QTest::newRow("twice") << fileOf(good + "," + good) << QByteArray("row 2: a is there twice");
        QTest::newRow("no voices") << fileOf(QByteArray(good).replace(R"(["one","two"])", "[]"))
                                   << QByteArray("row 1: voices is not known");
        QTest::newRow("no day") << fileOf(QByteArray(good).replace("2026-11-22", "lately"))
                                << QByteArray("row 1: read is not known");
        QTest::newRow("a member that nobody knows")
            << fileOf(QByteArray(good).replace("source", "sauce")) << QByteArray("row 1: sauce is not known");
        QTest::newRow("no source") << fileOf(R"({"provider":"a","read":"2026-11-22","voices":["one"]})")
                                   << QByteArray("row 1: provider, read, source and voices");
    }
    void file_ThatIsWrong_NamesItsRow()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, fault);
        const auto list = VoiceList::parse(file.toStdString());
        QCOMPARE(list.has_value(), fault.isEmpty());
        QVERIFY2(list || list.error().starts_with(fault.toStdString()), list ? "" : list.error().c_str());
    }

    void text_TellsTheKnownOnes()
    {
        const VoiceRow row{"somebody", {"one", "two"}, "2026-11-22", "https://a.example"};
        QCOMPARE(
            unknownVoiceText("three", row), std::string("somebody is not known to have a voice \"three\": one, two"));
    }
};

QTEST_GUILESS_MAIN(TestVoiceList)
#include "test_voice_list.moc"
