#include "core/base/rfc3339.h"
#include "core/models/built_in_models.h"
#include "core/models/model_list.h"
#include "core/usage/price_list.h"

#include <QTest>

using namespace vivavoce::core;

namespace {

WallTime at(const char* time)
{
    return *parseRfc3339(time);
}

} // namespace

class TestModelList : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void file_ThatCameWithTheProgram_IsWhole()
    {
        const auto list = ModelList::parse(builtInModels());
        QVERIFY2(list.has_value(), list ? "" : list.error().c_str());
        QVERIFY(ModelList::builtIn().find("gpt-realtime") != nullptr);
    }

    void models_ThatAreOffered_HaveAPrice()
    {
        const WallTime now = at("2026-11-30T00:00:00Z");
        const auto offered = ModelList::builtIn().offered({}, now);
        QVERIFY(offered.size() >= 4);
        for (const std::string& model : offered) {
            QVERIFY2(PriceList::builtIn().find(model, now) != nullptr, model.c_str());
        }
    }

    void announcedEnds_AreWhatTheProvidersSay_data()
    {
        QTest::addColumn<std::string>("model");
        QTest::addColumn<std::string>("day");
        QTest::addColumn<std::string>("successor");
        const auto row = [](const char* model, const char* day, const char* successor) {
            QTest::newRow(model) << std::string(model) << std::string(day) << std::string(successor);
        };
        row("gpt-realtime", "2027-01-20", "gpt-realtime-2.1");
        row("gpt-realtime-2025-08-28", "2027-01-20", "gpt-realtime-2.1");
        row("gpt-realtime-mini", "2027-01-20", "gpt-realtime-2.1-mini");
        row("whisper-1", "2027-02-26", "gpt-live-transcribe");
        row("gemini-2.0-flash-live-001", "2025-12-09", "gemini-2.5-flash-native-audio-preview-12-2025");
    }
    void announcedEnds_AreWhatTheProvidersSay()
    {
        QFETCH(std::string, model);
        QFETCH(std::string, day);
        QFETCH(std::string, successor);
        const auto sunset = ModelList::builtIn().sunsetOf(model, at("2027-01-15T00:00:00Z"));
        QVERIFY(sunset.has_value());
        QCOMPARE(sunset->model, model);
        QCOMPARE(sunset->day, day);
        QCOMPARE(sunset->successor, successor);
        QVERIFY(ModelList::builtIn().find(model)->source.starts_with("https://"));
    }

    void sunset_IsToldNinetyDaysBefore_AndEver_data()
    {
        QTest::addColumn<WallTime>("now");
        QTest::addColumn<int>("daysLeft");
        const auto row = [](const char* now, int daysLeft) { QTest::newRow(now) << at(now) << daysLeft; };
        row("2026-10-21T23:59:59.999Z", 91);
        row("2026-10-22T00:00:00Z", 90);
        row("2027-01-18T23:59:59.999Z", 2);
        row("2027-01-19T00:00:00Z", 1);
        row("2027-01-19T23:59:59.999Z", 1);
        row("2027-01-20T00:00:00Z", 0);
        row("2028-01-20T12:00:00Z", -365);
    }
    void sunset_IsToldNinetyDaysBefore_AndEver()
    {
        QFETCH(WallTime, now);
        QFETCH(int, daysLeft);
        const auto sunset = ModelList::builtIn().sunsetOf("gpt-realtime", now);
        QCOMPARE(sunset.has_value(), daysLeft <= 90);
        if (sunset) {
            QCOMPARE(sunset->daysLeft, daysLeft);
            QCOMPARE(sunset->isOver(), daysLeft <= 0);
        }
    }

    void modelsWithoutAnEnd_OrUnknown_HaveNoSunset()
    {
        const WallTime now = at("2030-01-01T00:00:00Z");
        QVERIFY(!ModelList::builtIn().sunsetOf("gpt-realtime-2.1", now));
        QVERIFY(!ModelList::builtIn().sunsetOf("house-model", now));
        QVERIFY(!ModelList::builtIn().sunsetOf("", now));
        QVERIFY(!ModelList::builtIn().sunsetOf("gpt-realtime-x", now));
    }

    void model_OfAnotherProvider_GoesOn()
    {
        const WallTime now = at("2030-01-01T00:00:00Z");
        QVERIFY(ModelList::builtIn().sunsetOf("gpt-realtime", now, "openai"));
        QVERIFY(!ModelList::builtIn().sunsetOf("gpt-realtime", now, "local"));
    }

    void offered_IsWhatOneCanRelyOn()
    {
        const ModelList list = *ModelList::parse(
            R"({"models":[{"model":"b","provider":"p","read":"2026-01-01"},)"
            R"({"model":"a","provider":"p","read":"2026-01-01","ends":"2026-12-01","source":"https://p.example"},)"
            R"({"model":"w","provider":"p","kind":"transcriber","read":"2026-01-01"},)"
            R"({"model":"c","provider":"q","read":"2026-01-01"}]})");
        using Names = std::vector<std::string>;
        QCOMPARE(list.providers(), (Names{"p", "q"}));
        QCOMPARE(list.offered("p", at("2026-01-01T00:00:00Z")), (Names{"b", "a"}));
        QCOMPARE(list.offered("p", at("2026-09-02T00:00:00Z")), (Names{"b"}));
        QCOMPARE(list.offered("", at("2026-09-02T00:00:00Z")), (Names{"b", "c"}));
        QCOMPARE(list.offered("nobody", at("2026-09-02T00:00:00Z")), Names{});
    }

    void text_IsOneLine()
    {
        Sunset sunset{"m", "2027-01-20", "n", 51};
        QCOMPARE(sunsetText(sunset), std::string("m is to be shut down on 2027-01-20, in 51 days; n takes its place"));
        sunset.daysLeft = 1;
        sunset.successor.clear();
        QCOMPARE(sunsetText(sunset), std::string("m is to be shut down on 2027-01-20, tomorrow"));
        sunset.daysLeft = 0;
        QCOMPARE(sunsetText(sunset), std::string("m was to be shut down on 2027-01-20"));
    }

    void parse_OfWhatIsNoModelList_SaysWhichRow_data()
    {
        QTest::addColumn<std::string>("text");
        QTest::addColumn<std::string>("says");
        const std::string good = R"({"model":"m","provider":"p","read":"2026-06-01"})";
        const auto row = [&](const char* name, const std::string& text, const char* says) {
            QTest::newRow(name) << R"({"models":[)" + good + ',' + text + "]}" << std::string(says);
        };
        QTest::newRow("no JSON") << std::string("models") << std::string();
        QTest::newRow("no list") << std::string("{}") << std::string("models");
        row("no object", "1", "row 2");
        row("no provider", R"({"model":"x","read":"2026-06-01"})", "row 2: model, provider and read");
        row("no such day", R"({"model":"x","provider":"p","read":"2026-02-30"})", "row 2: read");
        row("an end from nowhere", R"({"model":"x","provider":"p","read":"2026-06-01","ends":"2026-12-01"})",
            "row 2: ends and source");
        row("a successor of what goes on", R"({"model":"x","provider":"p","read":"2026-06-01","successor":"y"})",
            "row 2: ends and source");
        row("no address", R"({"model":"x","provider":"p","read":"2026-06-01","ends":"2026-12-01","source":"seen"})",
            "row 2: source");
        row("another kind", R"({"model":"x","provider":"p","read":"2026-06-01","kind":"painter"})", "row 2: kind");
        row("an unknown name", R"({"model":"x","provider":"p","read":"2026-06-01","price":"1"})", "row 2: price");
        row("the same twice", good, "row 2: m is there twice");
    }
    void parse_OfWhatIsNoModelList_SaysWhichRow()
    {
        QFETCH(std::string, text);
        QFETCH(std::string, says);
        const auto list = ModelList::parse(text);
        QVERIFY(!list.has_value());
        QVERIFY2(list.error().starts_with(says) || list.error().find(says) != std::string::npos, list.error().c_str());
    }
};

QTEST_GUILESS_MAIN(TestModelList)
#include "test_model_list.moc"
