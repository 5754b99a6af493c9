#include "app/cli/usage_command.h"
#include "tests/support/fake_usage_book.h"
#include "tests/support/manual_clock.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <cstdio>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

struct World {
    World() : file(std::tmpfile()) {}
    ~World() { std::fclose(file); }
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    void count(const char* part, const char* day)
    {
        core::UsageRecord record{"voice_1", part, day, "https://voice.example", "m", {}, "2026-10-09"};
        record.figures.tokens = {10, 50, 0, 10, 30, 0, 5, 25};
        record.figures.turns = 1;
        record.figures.nanoDollars = 500'000'000;
        (void)book.put({record});
    }
    [[nodiscard]] QByteArray told() const
    {
        std::rewind(file);
        QByteArray text(100'000, '\0');
        text.resize(static_cast<qsizetype>(std::fread(text.data(), 1, static_cast<std::size_t>(text.size()), file)));
        return text;
    }

    std::FILE* file;
    ManualClock clock;
    FakeUsageBook book;
};

} // namespace

class UsageCommandTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void spans_AddUpToTheSummary()
    {
        World world;
        world.count("reply 1", "2026-11-28");
        world.count("reply 2", "2026-11-29");
        cli::EventWriter events(world.clock, cli::OutputFormat::JsonLines, world.file);
        QCOMPARE(cli::tellUsage(events, world.book, core::UsageGrouping::Day), 0);
        const auto lines = world.told().trimmed().split('\n');
        QCOMPARE(lines.size(), 3);
        const auto newest = core::parseJson(lines[0].toStdString());
        QVERIFY(newest.has_value());
        QCOMPARE((*newest)["type"].get<std::string>(), std::string("span"));
        QCOMPARE((*newest)["key"].get<std::string>(), std::string("2026-11-29"));
        QCOMPARE((*newest)["tokens"]["in"].get<int>(), 100);
        QCOMPARE((*newest)["tokens"]["cachedAudioIn"].get<int>(), 30);
        const auto all = core::parseJson(lines[2].toStdString());
        QVERIFY(all.has_value());
        QCOMPARE((*all)["type"].get<std::string>(), std::string("summary"));
        QCOMPARE((*all)["exitCode"].get<int>(), 0);
        QCOMPARE((*all)["turns"].get<int>(), 2);
        QCOMPARE((*all)["cost"].get<double>(), 1.0);
        QCOMPARE((*all)["pricesFrom"].get<std::string>(), std::string("2026-10-09"));
    }

    void people_ReadLines()
    {
        World world;
        cli::EventWriter events(world.clock, cli::OutputFormat::Text, world.file);
        QCOMPARE(cli::tellUsage(events, world.book, core::UsageGrouping::Month), 0);
        QCOMPARE(world.told(), QByteArray("Nothing was counted yet.\n"));
        world.count("reply 1", "2026-11-28");
        QCOMPARE(cli::tellUsage(events, world.book, core::UsageGrouping::Month), 0);
        QVERIFY2(world.told().contains("2026-11     ~ $0.500  conversations 1"), world.told().constData());
        QVERIFY(world.told().contains("in 100 (40 from cache), out 30"));
    }

    void bookThatCannotBeRead_IsAnError()
    {
        World world;
        world.book.readFault = core::Error{core::ErrorCode::HistoryFailed, "damaged", std::nullopt, {}};
        cli::EventWriter events(world.clock, cli::OutputFormat::JsonLines, world.file);
        QCOMPARE(cli::tellUsage(events, world.book, core::UsageGrouping::Day), 2);
        QVERIFY(world.told().contains("history.failed"));
    }
};

QTEST_GUILESS_MAIN(UsageCommandTest)
#include "test_usage_command.moc"
