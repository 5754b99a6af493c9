#include "app/cli/talk_command.h"
#include "app/platform/qt_settings_store.h"
#include "core/usage/utc_day.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <optional>

using namespace vivavoce;
using namespace vivavoce::core;

/// What the limits that are set in the window are to `vivavoce-cli talk`.
class TalkLimitsTest : public QObject {
    Q_OBJECT

    std::optional<QTemporaryDir> m_place;

    [[nodiscard]] static QString bookFile()
    {
        return platform::SqliteUsageBook::defaultFolder() + QStringLiteral("/usage.sqlite3");
    }
    static void limitMonth(int cents)
    {
        Settings settings;
        settings.monthLimitCents = cents;
        QVERIFY(platform::QtSettingsStore(platform::QtSettingsStore::defaultFile()).save(settings).has_value());
    }
    static void spend(std::int64_t cents)
    {
        UsageRecord record{"voice_1", "reply 1", utcDay(SystemClock().wallNow()), "https://voice.example", "m", {}, {}};
        record.figures.nanoDollars = cents * kNanoDollarsInACent;
        platform::SqliteUsageBook book(platform::SqliteUsageBook::defaultFolder());
        QVERIFY(book.put({record}).has_value());
    }
    /// Of a conversation with a broker that is not there.
    [[nodiscard]] static int exitCodeOf(bool isCounted)
    {
        cli::TalkOptions options;
        options.brokerUrl = "http://127.0.0.1:1";
        options.texts = {"Hello."};
        options.isCounted = isCounted;
        std::optional<int> ended;
        cli::TalkCommand talk(std::move(options), [&ended](int exitCode) { ended = exitCode; });
        talk.start();
        return QTest::qWaitFor([&ended] { return ended.has_value(); }, 20'000) ? *ended : -1;
    }

private Q_SLOTS:
    void init()
    {
        m_place.emplace();
        qputenv("XDG_CONFIG_HOME", m_place->filePath(QStringLiteral("config")).toLocal8Bit());
        qputenv("XDG_DATA_HOME", m_place->filePath(QStringLiteral("share")).toLocal8Bit());
        if (!platform::QtSettingsStore::defaultFile().startsWith(m_place->path())) {
            QSKIP("this user's own files are elsewhere here");
        }
    }

    void monthThatIsUsedUp_BeginsNoConversationThatIsCounted()
    {
        limitMonth(500);
        spend(500);
        QCOMPARE(exitCodeOf(true), exitCode(ErrorCode::BudgetExhausted));
        // What nobody counts is no part of the month.
        QCOMPARE(exitCodeOf(false), exitCode(ErrorCode::BrokerUnreachable));
    }

    void monthThatIsNot_IsNoHindrance()
    {
        spend(499);
        QCOMPARE(exitCodeOf(true), exitCode(ErrorCode::BrokerUnreachable));
        limitMonth(500);
        QCOMPARE(exitCodeOf(true), exitCode(ErrorCode::BrokerUnreachable));
    }

    void monthOfWhichNobodyKnows_BeginsNothing()
    {
        limitMonth(500);
        QVERIFY(QDir().mkpath(platform::SqliteUsageBook::defaultFolder()));
        QFile damaged(bookFile());
        QVERIFY(damaged.open(QIODevice::WriteOnly));
        QVERIFY(damaged.write(QByteArray(8'192, 'x')) > 0);
        damaged.close();
        QCOMPARE(exitCodeOf(true), exitCode(ErrorCode::BadConfiguration));
    }
};

QTEST_GUILESS_MAIN(TalkLimitsTest)
#include "test_talk_limits.moc"
