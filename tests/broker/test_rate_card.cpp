#include "broker/usage/rate_card.h"

#include <QTemporaryDir>
#include <QTemporaryFile>
#include <QTest>

#ifndef _WIN32
#include <sys/stat.h>
#endif

using namespace vivavoce;
using namespace vivavoce::broker;
using usage::RateCard;

namespace {

const QByteArray kTokens =
    R"("textIn":4,"cachedTextIn":1,"textOut":16,"audioIn":32,"cachedAudioIn":1,"imageIn":5,"cachedImageIn":1)";

core::Expected<RateCard, core::Error> load(const QByteArray& row, std::optional<std::int64_t> holdCents = {})
{
    QTemporaryFile file;
    if (!file.open() || file.write(R"({"prices":[{"model":"m","from":"2026-01-01",)" + row + "}]}") < 0
        || !file.flush()) {
        qFatal("no file");
    }
    return RateCard::load({file.fileName().toStdString(), holdCents});
}

usage::Account underABudget(const char* model = "m")
{
    usage::Account account;
    account.model = model;
    account.budgets.userDay.nanoDollars = 1;
    return account;
}

} // namespace

class TestRateCard : public QObject {
    Q_OBJECT

private slots:
    /// Or nothing would be held for it, and any number of sessions would begin at once.
    void modelThatSpeaks_OfNoLength_IsRefused_UnlessTheHoldIsSaid()
    {
        const QByteArray speaks = kTokens + R"(,"audioOut":64)";
        for (const QByteArray& row :
            {speaks, speaks + R"(,"longestInput":1000)", speaks + R"(,"longestInput":0,"longestOutput":9)"}) {
            const auto refused = load(row);
            QVERIFY2(!refused.has_value(), row.constData());
            QVERIFY(refused.error().code == core::ErrorCode::BadConfiguration);
            QVERIFY(refused.error().detail.find("m: longestInput") != std::string::npos);
        }
        const auto card = load(speaks, 5);
        QVERIFY(card.has_value());
        usage::Account account = underABudget();
        QVERIFY(!card->hold(account, core::WallTime()));
        QCOMPARE(account.hold, std::int64_t{50'000'000});
        QVERIFY(load(speaks + R"(,"longestInput":1000,"longestOutput":100)").has_value());
    }

#ifndef _WIN32
    /// Nobody writes to it: whoever reads it would wait for ever. And one without end is not read to it.
    void file_ThatIsNoPlainOne_IsRefused()
    {
        const QTemporaryDir folder;
        const std::string pipe = folder.filePath(QStringLiteral("prices")).toStdString();
        QCOMPARE(::mkfifo(pipe.c_str(), 0600), 0);
        for (const std::string& file : {pipe, std::string("/dev/zero"), folder.path().toStdString()}) {
            const auto refused = RateCard::load({file, {}});
            QVERIFY(!refused && refused.error().code == core::ErrorCode::BadConfiguration);
        }
    }
#endif

    void file_OfTooMuch_IsRefused()
    {
        QVERIFY(load(R"("minute":0.05)" + QByteArray(4'000'000, ' ')).has_value());
        QVERIFY(!load(R"("minute":0.05)" + QByteArray(4'200'000, ' ')).has_value());
    }

    void modelOfWhichNothingWouldBeHeld_IsNotForABudget()
    {
        const auto card = load(kTokens + R"(,"audioOut":0)");
        QVERIFY(card.has_value());
        usage::Account account = underABudget();
        QCOMPARE(card->hold(account, core::WallTime()).value().code, FaultCode::NotAllowed);
        usage::Account unknown = underABudget("n");
        QCOMPARE(card->hold(unknown, core::WallTime()).value().code, FaultCode::NotAllowed);
        usage::Account unbounded;
        unbounded.model = "m";
        QVERIFY(!card->hold(unbounded, core::WallTime()));
    }

    /// It is called as another one's is, and costs what its own provider takes for it.
    void builtInPrices_AreNoOtherProviders()
    {
        RateCard::Settings settings;
        settings.others = {"own"};
        const auto card = RateCard::load(settings);
        usage::Account account = underABudget("gpt-realtime");
        account.provider = "openai";
        QVERIFY(!card->hold(account, core::WallTime()));
        QVERIFY(card->costOfUntold(account, core::WallTime()) > 0);
        QVERIFY(card->pricesOf(account)->find("whisper-1", core::WallTime()) != nullptr);
        usage::Account own = underABudget("gpt-realtime");
        own.provider = "own";
        QCOMPARE(card->hold(own, core::WallTime()).value().code, FaultCode::NotAllowed);
        QCOMPARE(card->costOfUntold(own, core::WallTime()), std::int64_t{0});
        QVERIFY(card->pricesOf(own)->find("whisper-1", core::WallTime()) == nullptr);
    }

    void modelThatIsPaidByTheMinute_HoldsAMinute()
    {
        const auto card = load(R"("minute":0.05)");
        usage::Account account = underABudget();
        QVERIFY(!card.value().hold(account, core::WallTime()));
        QCOMPARE(account.hold, std::int64_t{50'000'000});
    }
};

QTEST_GUILESS_MAIN(TestRateCard)
#include "test_rate_card.moc"
