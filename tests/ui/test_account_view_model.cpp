#include "tests/ui/ui_fakes.h"
#include "ui/account/account_view_model.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QSignalSpy>
#include <QTest>

#include <set>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::ErrorCode;
using ui::AccountViewModel;

namespace {

struct World {
    explicit World(bool hasCredential = false) : model({account, live, hasCredential})
    {
        core::Settings settings;
        settings.profile = core::Profile::Broker;
        settings.brokerUrl = "https://voice.example:8443/there";
        (void)live.change(settings);
    }
    FakeAccount account;
    FakeSettingsStore store;
    core::LiveSettings live{store};
    AccountViewModel model;
};

core::Error errorOf(ErrorCode code, std::string foreign = {})
{
    return {code, "english, for logs", std::nullopt, std::move(foreign)};
}

} // namespace

class TestAccountViewModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void offer_IsForBrokersWhoseUsersSignIn()
    {
        World world;
        QVERIFY(world.model.isOffered());
        QCOMPARE(world.model.broker(), QStringLiteral("voice.example:8443"));
        QVERIFY(!World(true).model.isOffered());
        QSignalSpy spy(&world.model, &AccountViewModel::offerChanged);
        core::Settings here = world.live.current();
        here.profile = core::Profile::ThisComputer;
        (void)world.live.change(here);
        QVERIFY(!world.model.isOffered());
        QCOMPARE(spy.count(), 1);
    }

    void stages_AreToldInWordsOfTheirOwn()
    {
        World world;
        using Stage = FakeAccount::Stage;
        std::set<QString> words;
        QSignalSpy spy(&world.model, &AccountViewModel::changed);
        for (const Stage stage :
            {Stage::SignedOut, Stage::Preparing, Stage::WaitingForBrowser, Stage::WaitingForDevice, Stage::SignedIn}) {
            world.account.become(stage);
            QVERIFY(words.insert(world.model.words()).second);
        }
        QCOMPARE(spy.count(), 5);
        QCOMPARE(world.model.words(), QStringLiteral("Signed in as ada"));
        world.account.become(Stage::Exchanging);
        QCOMPARE(world.model.stage(), AccountViewModel::Busy);
    }

    void failures_SpeakOfSigningIn_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("foreign");
        QTest::addColumn<QString>("word");
        const auto row = [](const char* name, ErrorCode code, const char* foreign, const char* word) {
            QTest::newRow(name) << static_cast<int>(code) << QString::fromLatin1(foreign) << QString::fromLatin1(word);
        };
        row("refused", ErrorCode::NotAuthorised, "invalid_grant", "Sign in again");
        row("the user said no", ErrorCode::NotAuthorised, "access_denied", "when you like");
        row("no sign-in", ErrorCode::BadConfiguration, "", "does not let people sign in");
        row("the issuer is away", ErrorCode::ProviderUnreachable, "", "does not answer");
        row("too late", ErrorCode::Timeout, "", "too long");
        row("the broker is away", ErrorCode::BrokerUnreachable, "", "broker does not answer");
    }
    void failures_SpeakOfSigningIn()
    {
        QFETCH(int, code);
        QFETCH(QString, foreign);
        QFETCH(QString, word);
        World world;
        world.account.become(FakeAccount::Stage::Failed, errorOf(static_cast<ErrorCode>(code), foreign.toStdString()));
        QVERIFY2(world.model.words().contains(word), qPrintable(world.model.words()));
        QVERIFY(!world.model.words().contains(QStringLiteral("voice service")));
        QVERIFY(!world.model.words().contains(QStringLiteral("for logs")));
    }

    void errorCode_IsThereToCopy()
    {
        World world;
        QVERIFY(world.model.errorCode().isEmpty());
        world.account.become(FakeAccount::Stage::Failed, errorOf(ErrorCode::NotAuthorised, "invalid_grant"));
        world.model.copyErrorCode();
        QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("auth.refused (invalid_grant)"));
    }

    void anotherDevice_TakesThePlaceOfTheBrowser()
    {
        World world;
        world.model.signIn();
        QCOMPARE(world.model.stage(), AccountViewModel::WaitingForBrowser);
        world.model.useCode();
        QCOMPARE(world.model.stage(), AccountViewModel::WaitingForDevice);
        QCOMPARE(world.account.ways.size(), std::size_t{2});
        world.model.copyUserCode();
        QCOMPARE(QGuiApplication::clipboard()->text(), QStringLiteral("WDJB-MJHT"));
    }

    void anotherDevice_IsNotTriedWhereTheIssuerHasNone()
    {
        World world;
        world.model.signIn();
        QVERIFY(world.model.isCodeOffered());
        const QString both = world.model.words();
        world.model.cancel();
        QVERIFY(!world.model.isCodeOffered());
        world.account.hasDeviceFlow = false;
        world.model.signIn();
        QVERIFY(!world.model.isCodeOffered());
        QVERIFY(world.model.words() != both);
        QVERIFY(!world.model.words().contains(QStringLiteral("device")));
        // The browser is still waited for.
        world.model.useCode();
        QCOMPARE(world.model.stage(), AccountViewModel::WaitingForBrowser);
        QCOMPARE(world.account.ways.size(), std::size_t{2});
    }

    void browserThatIsMissing_IsNotTheBrokersFault()
    {
        World world;
        world.account.become(FakeAccount::Stage::Failed, errorOf(ErrorCode::BadConfiguration));
        world.account.now.isBrowserMissing = true;
        QVERIFY2(
            world.model.words().contains(QStringLiteral("No browser opens here")), qPrintable(world.model.words()));
        QVERIFY(!world.model.words().contains(QStringLiteral("broker")));
    }

    void gone_HearsNothing()
    {
        FakeAccount account;
        FakeSettingsStore store;
        core::LiveSettings live(store);
        {
            const AccountViewModel model({account, live});
        }
        account.become(FakeAccount::Stage::SignedIn);
        core::Settings changed;
        changed.profile = core::Profile::Broker;
        (void)live.change(changed);
    }
};

QTEST_MAIN(TestAccountViewModel)
#include "test_account_view_model.moc"
