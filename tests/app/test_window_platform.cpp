#include "app/platform/damaged_settings.h"
#include "app/platform/display.h"
#include "app/platform/local_moment.h"
#include "app/platform/qt_settings_store.h"
#include "app/platform/single_instance.h"

#include <QFile>
#include <QLocalServer>
#include <QTemporaryDir>
#include <QTest>

using namespace vivavoce;

class TestWindowPlatform : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void settings_AreReadAsTheyWereSaved();
    void settings_ThatCannotBeRead_AreTheDefaults();
    void settings_ThatCannotBeSaved_AreToldSo();
    void settings_ThatAreDamaged_AreKeptAside_data();
    void settings_ThatAreDamaged_AreKeptAside();
    void settings_ThatAreWhole_StayWhereTheyAre();
    void secondStart_FindsTheFirstAndShowsIt();
    void start_AfterTheFirstHasLetGo_IsTheFirst();
    void toolPolicy_OfAnUnknownWord_Asks();
    void moment_IsToldInItsZone();
    void display_IsAskedOfTheEnvironment();
};

void TestWindowPlatform::settings_AreReadAsTheyWereSaved()
{
    const QTemporaryDir folder;
    platform::QtSettingsStore store(folder.filePath(QStringLiteral("deep/er/vivavoce.ini")));
    QCOMPARE(store.load(), core::Settings{});
    core::Settings settings;
    settings.profile = core::Profile::Broker;
    settings.brokerUrl = "https://voice.example";
    settings.choice = {"gemini", "gemini-3.8-live", "Kore"};
    settings.projects = {{"https://voice.example", "choir/2027#a"}, {"http://[::1]:8787/a%20b", "band;=\"x\""}};
    settings.talkMode = core::TalkMode::PushToTalk;
    settings.colourScheme = core::ColourScheme::Dark;
    settings.isMotionReduced = true;
    settings.devices = {"alsa:\"hw=1,0\"; ü", "out,1"};
    settings.soundBackend = core::SoundBackend::QtMultimedia;
    settings.isEchoCancelled = false;
    settings.isNoiseSuppressed = false;
    settings.isGainAutomatic = false;
    settings.spendLimitCents = 250;
    settings.monthLimitCents = 500;
    settings.idleMinutes = 0;
    settings.token = {std::chrono::seconds{90}, 0, false};
    settings.keepsConversations = true;
    settings.recordsSound = true;
    settings.soundFormat = core::SoundFormat::Wav;
    settings.network = {core::ProxyChoice::Own, "socks5://proxy.example:1080", "/etc/ca of ours.pem"};
    settings.toolPolicies = {{"set_timer", core::ToolPolicy::Never}, {"files__a/b%", core::ToolPolicy::Always}};
    settings.mcpFile = "/home/ada/mcp servers.json";
    settings.approvedServers = {{"files", "00ff"}, {"mail-2", "abcd"}};
    QVERIFY(store.save(settings).has_value());
    QCOMPARE(store.load(), settings);
    // What was taken back is gone.
    settings.toolPolicies.erase("set_timer");
    settings.approvedServers.clear();
    settings.projects.erase("https://voice.example");
    QVERIFY(store.save(settings).has_value());
    QCOMPARE(store.load(), settings);
}

void TestWindowPlatform::toolPolicy_OfAnUnknownWord_Asks()
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("vivavoce.ini"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("[tools]\ndelete_file=perhaps\n");
    file.close();
    QVERIFY(platform::QtSettingsStore(path).load().toolPolicies.at("delete_file") == core::ToolPolicy::Ask);
}

void TestWindowPlatform::moment_IsToldInItsZone()
{
    const core::WallTime time{std::chrono::seconds{1'800'000'000}};
    const auto tokyo = platform::localMoment(time, "Asia/Tokyo");
    QVERIFY(tokyo.has_value());
    QCOMPARE(tokyo->date + " " + tokyo->time + " " + tokyo->weekday + " " + tokyo->zone,
        std::string("2027-01-15 17:00 Friday Asia/Tokyo"));
    const auto here = platform::localMoment(time, "");
    QVERIFY(here.has_value() && !here->zone.empty());
    QVERIFY(!platform::localMoment(time, "Moon/Base").has_value());
    QVERIFY(!platform::localMoment(time, "../../etc/passwd").has_value());
}

void TestWindowPlatform::settings_ThatCannotBeRead_AreTheDefaults()
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("vivavoce.ini"));
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("profile=moon\n[sound]\ncancelEcho=perhaps\n[limits]\nspendCents=-5\nidleMinutes=soon\n"
               "[broker]\nprovider=two words\nmodel=\"a\\nb\"\n[projects]\none=two words\nother=\nthird=sk-proj-123\n");
    file.close();
    QCOMPARE(platform::QtSettingsStore(path).load(), core::Settings{});
}

void TestWindowPlatform::settings_ThatCannotBeSaved_AreToldSo()
{
    // A file stands where the folder would have to be.
    const QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("taken")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    platform::QtSettingsStore store(folder.filePath(QStringLiteral("taken/vivavoce.ini")));
    core::Settings settings;
    settings.profile = core::Profile::ThisComputer;
    const auto saved = store.save(settings);
    QVERIFY(!saved.has_value());
    QCOMPARE(saved.error().code, core::ErrorCode::OutputUnwritable);
}

void TestWindowPlatform::settings_ThatAreDamaged_AreKeptAside_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("isProfileKnown");
    QTest::newRow("cut off") << QByteArray("profile=this-computer\n[look") << true;
    QTest::newRow("no settings") << QByteArray("\x7f"
                                               "ELF garbage\nand more of it\n")
                                 << false;
    QTest::newRow("cut off in a word") << QByteArray("[General]\nprofile=this-computer\n[limits]\nspendCe") << true;
    QTest::newRow("cut off in a number") << QByteArray("profile=this-computer\n[limits]\nmonthCents=50") << true;
    QTest::newRow("bytes after it") << QByteArray("profile=this-computer\n\x9d\x01=\x02\n") << true;
    QTest::newRow("bytes alone") << QByteArray("=\xfe\xed=\x03\na=\xc3\n") << false;
    QTest::newRow("a limit below nothing") << QByteArray("profile=this-computer\n[limits]\nmonthCents=-500\n") << true;
    QTest::newRow("a limit beyond numbers")
        << QByteArray("profile=this-computer\n[limits]\nmonthCents=99999999999\n") << true;
    QTest::newRow("a limit in words") << QByteArray("profile=this-computer\n[limits]\nspendCents=1e308\n") << true;
    QTest::newRow("zeros") << QByteArray(512, '\0') << false;
    QTest::newRow("empty") << QByteArray() << false;
}

void TestWindowPlatform::settings_ThatAreDamaged_AreKeptAside()
{
    QFETCH(const QByteArray, text);
    QFETCH(const bool, isProfileKnown);
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("vivavoce.ini"));
    const auto damage = [&] {
        QFile file(path);
        return file.open(QIODevice::WriteOnly) && file.write(text) == text.size();
    };
    QVERIFY(damage());
    const auto kept = platform::keepDamagedSettings(path);
    QVERIFY(kept.has_value());
    QCOMPARE(*kept, path + QStringLiteral(".damaged"));
    QFile aside(*kept);
    QVERIFY(aside.open(QIODevice::ReadOnly));
    QCOMPARE(aside.readAll(), text);
    QCOMPARE(aside.permissions() & ~(QFile::ReadUser | QFile::WriteUser), QFile::ReadOwner | QFile::WriteOwner);
    QCOMPARE(platform::QtSettingsStore(path).load().profile == core::Profile::ThisComputer, isProfileKnown);
    QVERIFY2(!platform::keepDamagedSettings(path).has_value(), "it is told once");
    QVERIFY(damage());
    QCOMPARE(platform::keepDamagedSettings(path), std::optional(path + QStringLiteral(".damaged.2")));
}

void TestWindowPlatform::settings_ThatAreWhole_StayWhereTheyAre()
{
    const QTemporaryDir folder;
    const QString path = folder.filePath(QStringLiteral("vivavoce.ini"));
    QVERIFY(!platform::keepDamagedSettings(path).has_value());
    QVERIFY(!QFile::exists(path));
    core::Settings full;
    full.devices.captureId = "Mikrofon für \t alle; \x01=[x]\n";
    full.toolPolicies["a=b\nc"] = core::ToolPolicy::Ask;
    full.network.caFile = "/home/ada/ä;#.pem";
    for (const core::Settings& settings : {core::Settings{}, full}) {
        QVERIFY(platform::QtSettingsStore(path).save(settings).has_value());
        QVERIFY(!platform::keepDamagedSettings(path).has_value());
        QVERIFY(QFile::exists(path));
        QVERIFY(platform::QtSettingsStore(path).load() == settings);
    }
    // By hand, with a remark.
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("; mine\r\n[limits]\r\nspendCents = 100\r\n\r\n");
    file.close();
    QVERIFY(!platform::keepDamagedSettings(path).has_value());
}

void TestWindowPlatform::secondStart_FindsTheFirstAndShowsIt()
{
    const QTemporaryDir folder;
    int shown = 0;
    {
        platform::SingleInstance first(folder.path());
        QVERIFY(first.claim([&shown] { ++shown; }));
        platform::SingleInstance second(folder.path());
        QVERIFY(!second.claim([] { QFAIL("the second has no window"); }));
        QTRY_COMPARE(shown, 1);
    }
    platform::SingleInstance third(folder.path());
    QVERIFY(third.claim([] {}));
}

void TestWindowPlatform::start_AfterTheFirstHasLetGo_IsTheFirst()
{
    const QTemporaryDir folder;
    platform::SingleInstance first(folder.path());
    QVERIFY(first.claim([] { QFAIL("it goes, and shows nothing"); }));
    first.release();
    int shown = 0;
    platform::SingleInstance second(folder.path());
    QVERIFY(second.claim([&shown] { ++shown; }));
    platform::SingleInstance third(folder.path());
    QVERIFY(!third.claim([] {}));
    QTRY_COMPARE(shown, 1);
}

void TestWindowPlatform::display_IsAskedOfTheEnvironment()
{
#ifdef Q_OS_LINUX
    const QByteArray display = qgetenv("DISPLAY");
    const QByteArray wayland = qgetenv("WAYLAND_DISPLAY");
    const QByteArray asked = qgetenv("QT_QPA_PLATFORM");
    const QByteArray runtime = qgetenv("XDG_RUNTIME_DIR");
    const QTemporaryDir folder;
    qputenv("XDG_RUNTIME_DIR", folder.path().toLocal8Bit());
    qunsetenv("DISPLAY");
    qunsetenv("WAYLAND_DISPLAY");
    qputenv("QT_QPA_PLATFORM", "");
    QVERIFY(!platform::hasDisplay());
    qputenv("QT_QPA_PLATFORM", "xcb");
    QVERIFY(!platform::hasDisplay());
    qputenv("QT_QPA_PLATFORM", "offscreen");
    QVERIFY(platform::hasDisplay());
    qputenv("QT_QPA_PLATFORM", "");
    // A name is not enough: nobody answers there.
    qputenv("DISPLAY", ":65000");
    qputenv("WAYLAND_DISPLAY", "wayland-7");
    QVERIFY(!platform::hasDisplay());
    QLocalServer compositor;
    QVERIFY(compositor.listen(folder.filePath(QStringLiteral("wayland-7"))));
    QVERIFY(platform::hasDisplay());
    qputenv("XDG_RUNTIME_DIR", runtime);
    qputenv("DISPLAY", display);
    qputenv("WAYLAND_DISPLAY", wayland);
    qputenv("QT_QPA_PLATFORM", asked);
#endif
}

QTEST_GUILESS_MAIN(TestWindowPlatform)
#include "test_window_platform.moc"
