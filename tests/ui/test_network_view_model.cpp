#include "tests/ui/ui_fakes.h"
#include "ui/settings/network_view_model.h"

#include <QDir>
#include <QSignalSpy>
#include <QTest>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::CaFileFault;
using core::ProxyChoice;

namespace {

struct World {
    FakeSettingsStore store;
    core::LiveSettings live{store};
    std::optional<CaFileFault> fault;
    ui::NetworkViewModel model{live, [this](const std::string&) { return fault; },
        [this](const core::NetworkChoice& choice) {
            core::Settings settings = live.current();
            settings.network = choice;
            QVERIFY(live.change(settings).has_value());
        }};

    [[nodiscard]] const core::NetworkChoice& kept() const { return store.kept.network; }
};

} // namespace

class TestNetworkViewModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void proxy_HoldsOnceItIsAnAddress()
    {
        World world;
        QVERIFY(!world.model.useProxy(QStringLiteral("proxy.example")));
        QVERIFY(world.model.proxyFault().contains(QStringLiteral("http://proxy.example:3128")));
        QVERIFY(world.kept() == core::NetworkChoice());
        QVERIFY(!world.model.useProxy(QStringLiteral("http://me:secret@proxy.example:3128")));
        QVERIFY(world.model.proxyFault().contains(QStringLiteral("password")));
        world.model.forgetProxyFault();
        QCOMPARE(world.model.proxyFault(), QString());
        QVERIFY(world.model.useProxy(QStringLiteral(" socks5://proxy.example:1080 ")));
        QVERIFY(world.kept() == (core::NetworkChoice{ProxyChoice::Own, "socks5://proxy.example:1080", {}}));
        QCOMPARE(world.model.proxy(), 2);
        world.model.useNone();
        QVERIFY(world.kept().proxy == ProxyChoice::None);
        QCOMPARE(world.model.proxyUrl(), QStringLiteral("socks5://proxy.example:1080"));
        world.model.useSystem();
        QVERIFY(world.kept().proxy == ProxyChoice::System);
    }

    void file_ThatWillNotDo_IsToldInASentenceOfItsOwn()
    {
        World world;
        QVERIFY(world.model.useCaFile(QStringLiteral("/etc/ours.pem")));
        QStringList sentences;
        for (const auto fault :
            {CaFileFault::Unreadable, CaFileFault::Empty, CaFileFault::NotPem, CaFileFault::Expired}) {
            world.fault = fault;
            QVERIFY(!world.model.useCaFile(QStringLiteral("/etc/other.pem")));
            QCOMPARE(world.kept().caFile, std::string("/etc/ours.pem"));
            QVERIFY(world.model.caFault().size() > 20 && !sentences.contains(world.model.caFault()));
            sentences << world.model.caFault();
        }
        world.fault.reset();
        QVERIFY(world.model.useCaFile(QStringLiteral(" ~/ours.pem")));
        QCOMPARE(QString::fromStdString(world.kept().caFile), QDir::homePath() + QStringLiteral("/ours.pem"));
        world.fault = CaFileFault::Expired;
        QVERIFY2(world.model.useCaFile(QString()), "none always will do");
        QCOMPARE(world.model.caFault(), QString());
        QCOMPARE(world.kept().caFile, std::string());
    }

    void file_ThatHasRunOutSinceThen_IsToldWhenSomebodyLooks()
    {
        World world;
        QVERIFY(world.model.useCaFile(QStringLiteral("/etc/ours.pem")));
        world.fault = CaFileFault::Expired;
        QCOMPARE(world.model.caFault(), QString());
        world.model.look();
        QVERIFY(world.model.caFault().contains(QStringLiteral("run out")));
    }

    void change_FromElsewhere_IsSeen()
    {
        World world;
        const QSignalSpy urls(&world.model, &ui::NetworkViewModel::proxyUrlChanged);
        const QSignalSpy files(&world.model, &ui::NetworkViewModel::caFileChanged);
        core::Settings settings;
        settings.network = {ProxyChoice::Own, "http://p:1", {}};
        QVERIFY(world.live.change(settings).has_value());
        QCOMPARE(urls.count(), 1);
        QCOMPARE(files.count(), 0);
        QCOMPARE(world.model.proxyUrl(), QStringLiteral("http://p:1"));
    }
};

QTEST_GUILESS_MAIN(TestNetworkViewModel)
#include "test_network_view_model.moc"
