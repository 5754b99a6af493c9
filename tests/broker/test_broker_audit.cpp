#include "broker/audit/audit_verifier.h"
#include "core/base/json.h"
#include "net/timer.h"
#include "tests/broker/audit_harness.h"
#include "tests/broker/fake_audit_trail.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <nlohmann/json.hpp>

#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QTest>

#ifdef Q_OS_LINUX
#include <sys/mount.h>
#endif

#include <algorithm>
#include <set>

// Qt's word for nothing is the name of Asio's function.
#undef emit

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::AuditFailure;
using broker::AuditVerifier;
namespace fs = std::filesystem;

namespace {

using Ids = std::vector<std::string>;

bool isVerified(const AuditWorld& world, std::uint64_t lines)
{
    const auto verified = AuditVerifier::verify(world.settings.folder);
    if (!verified) {
        qWarning("%s %s:%d", std::string(auditFlawText(verified.error().flaw)).c_str(), verified.error().file.c_str(),
            static_cast<int>(verified.error().line));
        return false;
    }
    return verified->lines == lines && verified->tornBytes == 0;
}

bool holds(const AuditWorld::Appended& appended, AuditFailure failure)
{
    return !appended && appended.error() == failure;
}

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++found;
    }
    return found;
}

#ifdef Q_OS_LINUX
/// A tmpfs over a folder, where we may mount one.
struct SmallDisk {
    SmallDisk(fs::path where, const char* size)
        : folder(std::move(where)), isMounted(::mount("none", folder.c_str(), "tmpfs", 0, size) == 0)
    {
    }
    ~SmallDisk()
    {
        if (isMounted) {
            ::umount2(folder.c_str(), MNT_DETACH);
        }
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    [[nodiscard]] bool resize(const char* size) const
    {
        return ::mount("none", folder.c_str(), "tmpfs", MS_REMOUNT, size) == 0;
    }

    const fs::path folder;
    const bool isMounted;
};
#endif

} // namespace

class TestBrokerAudit : public QObject {
    Q_OBJECT

private slots:
    void append_WritesOneLineWithEverything()
    {
        AuditWorld world;
        world.clock.advance(core::Milliseconds{7});
        auto record = mintRecord("request-1");
        record.target = "target";
        record.token = broker::TokenHasher().hash("token-marker");
        const auto trail = world.open();
        QVERIFY(AuditWorld::wait(world.begin(*trail, record)));
        const auto lines = world.lines();
        QCOMPARE(lines.size(), std::size_t(1));
        const auto fields = core::parseJson(lines[0]);
        QVERIFY(fields);
        QVERIFY(fields->value("token", "").starts_with("hmac-sha256:") && lines[0].find("marker") == std::string::npos);
        core::Json expected = {{"seq", 1}, {"time", "2027-01-15T08:00:00.007Z"}, {"event", "token.mint"},
            {"outcome", "done"}, {"why", "ok"}, {"issuer", "https://issuer.example"}, {"subject", "somebody"},
            {"peer", "192.0.2.7"}, {"session", "voice_1_abc"}, {"project", "project"}, {"request", "request-1"},
            {"target", "target"}, {"prev", std::string(64, '0')}};
        expected["token"] = (*fields)["token"];
        expected["hash"] = (*fields)["hash"];
        QCOMPARE(core::writeJson(*fields), core::writeJson(expected));
    }

    void hash_IsThatOfTheBytesBeforeItAndTheNextLineBearsIt()
    {
        AuditWorld world;
        world.fill(2);
        const auto lines = world.lines();
        const auto bytes = lines[0].substr(0, lines[0].find("\",\"hash\":"));
        const auto hash =
            QCryptographicHash::hash(QByteArray::fromStdString(bytes), QCryptographicHash::Sha256).toHex();
        QCOMPARE(QByteArray::fromStdString((*core::parseJson(lines[0])).value("hash", "")), hash);
        QCOMPARE(QByteArray::fromStdString((*core::parseJson(lines[1])).value("prev", "")), hash);
    }

    void files_AreForTheOwnerOnly()
    {
        AuditWorld world;
        world.fill(1);
        QCOMPARE(fs::status(world.files()[0]).permissions(), fs::perms::owner_read | fs::perms::owner_write);
        QCOMPARE(fs::status(world.settings.folder).permissions(), fs::perms::owner_all);
    }

    void names_WithControlCharactersAndBadUtf8_StayOneLineOfAscii_data()
    {
        QTest::addColumn<QByteArray>("name");
        QTest::addColumn<QByteArray>("read");
        QTest::newRow("line feed") << QByteArray("a\n{\"seq\":9}") << QByteArray("a\n{\"seq\":9}");
        QTest::newRow("carriage return, escape") << QByteArray("a\r\x1b[2Jb") << QByteArray("a\r\x1b[2Jb");
        QTest::newRow("nul") << QByteArray("a\0b", 3) << QByteArray("a\0b", 3);
        QTest::newRow("delete") << QByteArray("a\x7f") << QByteArray("a\x7f");
        QTest::newRow("c1, line separator") << QByteArray("\xc2\x9b\xe2\x80\xa8") << QByteArray("\xc2\x9b\xe2\x80\xa8");
        QTest::newRow("quotes, backslash") << QByteArray("\",\"hash\":\"\\") << QByteArray("\",\"hash\":\"\\");
        QTest::newRow("not UTF-8") << QByteArray("a\xff\xc0z") << QByteArray("a\xef\xbf\xbd\xef\xbf\xbdz");
        QTest::newRow("too long") << QByteArray(600, 'x') << QByteArray(512, 'x');
    }
    void names_WithControlCharactersAndBadUtf8_StayOneLineOfAscii()
    {
        QFETCH(QByteArray, name);
        QFETCH(QByteArray, read);
        AuditWorld world;
        auto record = mintRecord("1");
        record.subject = name.toStdString();
        const auto trail = world.open();
        QVERIFY(AuditWorld::wait(world.begin(*trail, record)));
        const std::string text = readFile(world.files()[0]);
        QCOMPARE(text.find('\n'), text.size() - 1);
        QVERIFY(std::all_of(text.begin(), text.end() - 1, [](char c) { return c >= 0x20 && c < 0x7f; }));
        const auto fields = core::parseJson(text);
        QVERIFY(fields);
        QCOMPARE(QByteArray::fromStdString((*fields)["subject"].get<std::string>()), read);
        QVERIFY(isVerified(world, 1));
    }

    void restart_GoesOnWithTheChain()
    {
        AuditWorld world;
        world.fill(3);
        world.fill(2);
        QCOMPARE(world.requests(), (Ids{"1", "2", "3", "1", "2"}));
        QCOMPARE(world.files().size(), std::size_t(1));
        QVERIFY(isVerified(world, 5));
    }

    void append_WhileTheDiskWorks_SharesTheNextSync()
    {
        AuditWorld world;
        const auto trail = world.open();
        world.disk->hold();
        const std::size_t before = world.disk->syncs();
        std::vector<std::future<AuditWorld::Appended>> waiting;
        waiting.push_back(world.begin(*trail, mintRecord("first")));
        QVERIFY(world.disk->isHolding());
        for (int i = 0; i < 300; ++i) {
            waiting.push_back(world.begin(*trail, mintRecord(std::to_string(i))));
        }
        QVERIFY(waiting[0].wait_for(std::chrono::seconds(0)) != std::future_status::ready);
        world.disk->release();
        for (auto& each : waiting) {
            QVERIFY(AuditWorld::wait(std::move(each)));
        }
        QCOMPARE(world.disk->syncs() - before, std::size_t(2));
        QVERIFY(isVerified(world, 301));
    }

    void append_WhenTheQueueIsFull_IsRefusedAtOnce()
    {
        AuditWorld world;
        world.settings.maxQueued = 2;
        const auto trail = world.open();
        world.disk->hold();
        auto written = world.begin(*trail, mintRecord("1"));
        QVERIFY(world.disk->isHolding());
        auto second = world.begin(*trail, mintRecord("2"));
        auto third = world.begin(*trail, mintRecord("3"));
        QVERIFY(holds(world.append(*trail, "4"), AuditFailure::QueueFull));
        QCOMPARE(trail->counts().queued, std::size_t(3));
        QCOMPARE(trail->counts().failures, std::uint64_t(1));
        world.disk->release();
        QVERIFY(AuditWorld::wait(std::move(written)));
        QVERIFY(AuditWorld::wait(std::move(second)));
        QVERIFY(AuditWorld::wait(std::move(third)));
        QVERIFY(world.append(*trail, "5"));
        QCOMPARE(world.requests(), (Ids{"1", "2", "3", "5"}));
        QCOMPARE(trail->counts().lines, std::uint64_t(4));
        QCOMPARE(trail->counts().queued, std::size_t(0));
    }

    void denials_InGreatNumber_LeaveRoomForWhatIsGranted()
    {
        QVERIFY(broker::FileAuditTrail::Settings().maxQueuedForDenials < broker::FileAuditTrail::Settings().maxQueued);
        AuditWorld world;
        world.settings.maxQueued = 4;
        world.settings.maxQueuedForDenials = 2;
        const auto trail = world.open();
        world.disk->hold();
        auto written = world.begin(*trail, mintRecord("1"));
        QVERIFY(world.disk->isHolding());
        auto denial = mintRecord("denied");
        denial.event = broker::AuditEvent::Deny;
        std::vector<std::future<AuditWorld::Appended>> waiting;
        for (int i = 0; i < 2; ++i) {
            waiting.push_back(world.begin(*trail, denial));
        }
        QVERIFY(holds(AuditWorld::wait(world.begin(*trail, denial)), AuditFailure::QueueFull));
        for (const char* id : {"2", "3"}) {
            waiting.push_back(world.begin(*trail, mintRecord(id)));
        }
        QVERIFY(holds(world.append(*trail, "4"), AuditFailure::QueueFull));
        world.disk->release();
        QVERIFY(AuditWorld::wait(std::move(written)));
        for (auto& each : waiting) {
            QVERIFY(AuditWorld::wait(std::move(each)));
        }
        // What was lost is told where there is room.
        QVERIFY(world.log.text().find("audit.denials_lost {\"count\":1}") != std::string::npos);
    }

    void append_WhenTheDiskHangs_FailsInTimeAndKeepsTheRecord()
    {
        QCOMPARE(broker::FileAuditTrail::Settings().patience, core::Milliseconds{10'000});
        AuditWorld world;
        world.settings.patience = core::Milliseconds{20};
        const auto trail = world.open();
        world.disk->hold();
        QVERIFY(holds(world.append(*trail, "1"), AuditFailure::TimedOut));
        QVERIFY(holds(world.append(*trail, "2"), AuditFailure::TimedOut));
        world.disk->release();
        // A disk this slow is still one that a sixth try finds at work.
        bool isStored = false;
        for (int i = 0; i < 6 && !isStored; ++i) {
            isStored = world.append(*trail, "3").has_value();
        }
        QVERIFY(isStored);
        const Ids ids = world.requests();
        QCOMPARE(Ids(ids.begin(), ids.begin() + 3), (Ids{"1", "2", "3"}));
    }

    void destructor_WhenTheDiskHangs_TellsTheWaitersAndReturns()
    {
        AuditWorld world;
        world.settings.patience = core::Milliseconds{20};
        auto trail = world.open();
        world.disk->hold();
        auto inFlight = trail->append(mintRecord("1"));
        QVERIFY(world.disk->isHolding());
        auto queued = trail->append(mintRecord("2"));
        trail.reset();
        // Handed in before the end, awaited after it.
        for (auto* const each : {&inFlight, &queued}) {
            auto told = boost::asio::co_spawn(world.threads.executor(), std::move(*each), boost::asio::use_future);
            QVERIFY(holds(AuditWorld::wait(std::move(told)), AuditFailure::Closed));
        }
        world.disk->release();
    }

    void destructor_WhenTheDiskHangs_WaitsNoLongerThanItIsTold()
    {
        AuditWorld world;
        auto trail = world.open();
        world.disk->hold();
        (void)world.begin(*trail, mintRecord("1"));
        QVERIFY(world.disk->isHolding());
        trail->closeBy(std::chrono::steady_clock::now() + core::Milliseconds{300});
        QElapsedTimer timer;
        timer.start();
        trail.reset();
        // Without that, ten seconds.
        QVERIFY2(timer.elapsed() < 2'000, qPrintable(QString::number(timer.elapsed())));
        world.disk->release();
    }

    void destructor_WritesWhatIsQueued()
    {
        AuditWorld world;
        {
            const auto trail = world.open();
            for (int i = 0; i < 50; ++i) {
                (void)world.begin(*trail, mintRecord(std::to_string(i)));
            }
        }
        QVERIFY(isVerified(world, 50));
    }

    void cancellation_OfTheCaller_TakesNothingOutOfTheTrail_data()
    {
        QTest::addColumn<bool>("isBefore");
        QTest::newRow("before it waits") << true;
        QTest::newRow("while it waits") << false;
    }
    void cancellation_OfTheCaller_TakesNothingOutOfTheTrail()
    {
        QFETCH(bool, isBefore);
        AuditWorld world;
        const auto trail = world.open();
        world.disk->hold();
        const auto executor = world.threads.executor();
        boost::asio::cancellation_signal signal;
        std::promise<void> ended;
        std::atomic<bool> isStored{false};
        auto caller = [&]() -> net::Awaitable<> {
            // Boost 1.81 takes no cancellation from a coroutine that has not waited for anything yet.
            co_await boost::asio::post(executor, net::useAwaitable);
            if (isBefore) {
                signal.emit(boost::asio::cancellation_type::terminal);
            }
            const auto appended = co_await trail->append(mintRecord("1"));
            isStored = appended.has_value();
        };
        boost::asio::co_spawn(executor, caller,
            boost::asio::bind_cancellation_slot(signal.slot(), [&](const std::exception_ptr&) { ended.set_value(); }));
        QVERIFY(world.disk->isHolding());
        std::promise<void> calledOff;
        boost::asio::post(executor, [&] {
            signal.emit(boost::asio::cancellation_type::terminal);
            calledOff.set_value();
        });
        calledOff.get_future().wait();
        world.disk->release();
        QVERIFY(ended.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
        QCOMPARE(isStored.load(), !isBefore);
        QVERIFY(world.append(*trail, "2"));
        QCOMPARE(world.requests(), (Ids{"1", "2"}));
    }

    void fault_AtEachOperation_LosesNothingThatWasSaidToBeStored_data()
    {
        QTest::addColumn<int>("faults");
        QTest::newRow("one fault") << 1;
        QTest::newRow("two in a row") << 2;
        QTest::newRow("five in a row") << 5;
    }
    void fault_AtEachOperation_LosesNothingThatWasSaidToBeStored()
    {
        QFETCH(int, faults);
        bool wasHit = true;
        int failures = 0;
        for (std::size_t first = 0; wasHit; ++first) {
            AuditWorld world;
            world.settings.rotateBytes = 1'000;
            world.disk->failFrom(first, static_cast<std::size_t>(faults));
            auto made = world.tryOpen();
            for (int i = 0; !made && i < faults; ++i) {
                QCOMPARE(made.error().code, core::ErrorCode::OutputUnwritable);
                ++failures;
                made = world.tryOpen();
            }
            QVERIFY(made);
            Ids stored;
            for (int i = 0; i < 8; ++i) {
                const std::string id = std::to_string(i);
                if (world.append(**made, id)) {
                    stored.push_back(id);
                } else {
                    ++failures;
                }
            }
            wasHit = world.disk->operations().size() > first;
            world.disk->heal();
            QVERIFY(world.append(**made, "end"));
            stored.emplace_back("end");
            QCOMPARE(world.requests(), stored);
            QVERIFY(isVerified(world, stored.size()));
            QVERIFY(world.files().size() > 1);
            QVERIFY((*made)->isWorking());
        }
        QVERIFY(failures > 20);
    }

    void sync_ThatFailed_IsNotTrustedOnThatHandleAgain()
    {
        AuditWorld world;
        const auto trail = world.open();
        QVERIFY(world.append(*trail, "1"));
        const std::size_t next = world.disk->operations().size();
        world.disk->failFrom(next + 2);
        QVERIFY(holds(world.append(*trail, "2"), AuditFailure::Unwritable));
        QVERIFY(world.append(*trail, "3"));
        const auto all = world.disk->operations();
        QCOMPARE(Ids(all.begin() + static_cast<std::ptrdiff_t>(next), all.end()),
            (Ids{"size", "append", "sync", "open", "size", "truncate", "sync", "append", "sync"}));
        QCOMPARE(world.requests(), (Ids{"1", "3"}));
    }

    void fault_ThatLasts_IsToldOnceAndSoIsItsEnd()
    {
        AuditWorld world;
        const auto trail = world.open();
        QVERIFY(world.append(*trail, "1"));
        world.disk->failFrom(0, std::numeric_limits<std::size_t>::max());
        for (int i = 0; i < 5; ++i) {
            QVERIFY(holds(world.append(*trail, "lost"), AuditFailure::Unwritable));
        }
        QVERIFY(!trail->isWorking());
        QCOMPARE(trail->counts().lines, std::uint64_t(1));
        // Its own attempts may be among them.
        QVERIFY(trail->counts().failures >= 5);
        world.disk->heal();
        QVERIFY(world.append(*trail, "2"));
        QVERIFY(trail->isWorking());
        QCOMPARE(count(world.log.text(), "audit.failed"), std::size_t(1));
        QCOMPARE(count(world.log.text(), "audit.recovered"), std::size_t(1));
        QCOMPARE(world.requests(), (Ids{"1", "2"}));
    }

    void fault_ThatIsOver_IsNoticedWithoutAnyRecord()
    {
        AuditWorld world;
        world.settings.probeEvery = core::Milliseconds{5};
        const auto trail = world.open();
        QVERIFY(world.append(*trail, "1"));
        world.disk->failFrom(0, std::numeric_limits<std::size_t>::max());
        QVERIFY(holds(world.append(*trail, "lost"), AuditFailure::Unwritable));
        // It tries, and says that it does not work for as long as it does not.
        const std::size_t operations = world.disk->operations().size();
        QTRY_VERIFY(world.disk->operations().size() > operations + 2);
        QVERIFY(!trail->isWorking());
        world.disk->heal();
        QTRY_VERIFY(trail->isWorking());
        QVERIFY(world.append(*trail, "2"));
        QCOMPARE(world.requests(), (Ids{"1", "none", "2"}));
        QVERIFY(world.lines()[1].find("\"event\":\"audit.recovered\"") != std::string::npos);
        QVERIFY(isVerified(world, 3));
        QCOMPARE(count(world.log.text(), "audit.failed"), std::size_t(1));
        QCOMPARE(count(world.log.text(), "audit.recovered"), std::size_t(1));
    }

    void diskThatHangs_IsNotWorkingUntilItIsThroughAgain()
    {
        AuditWorld world;
        const auto trail = world.open();
        world.disk->hold();
        auto stored = world.begin(*trail, mintRecord("1"));
        QVERIFY(world.disk->isHolding());
        QVERIFY(trail->isWorking());
        world.clock.advance(world.settings.patience);
        QVERIFY(!trail->isWorking());
        world.disk->release();
        QVERIFY(AuditWorld::wait(std::move(stored)));
        QVERIFY(trail->isWorking());
    }

    void fault_IsServiceUnavailableToTheClient()
    {
        for (const auto failure :
            {AuditFailure::QueueFull, AuditFailure::TimedOut, AuditFailure::Unwritable, AuditFailure::Closed}) {
            const auto fault = broker::faultOfAudit(failure);
            QCOMPARE(broker::faultRow(fault.code).status, 503);
            QVERIFY(fault.retryAfter && !fault.detail.empty());
        }
    }

    void fullDisk_RefusesAndRecoversWithoutRestart()
    {
#ifdef Q_OS_LINUX
        AuditWorld world;
        fs::create_directory(world.settings.folder);
        const SmallDisk disk(world.settings.folder, "size=16k");
        if (!disk.isMounted) {
            QSKIP("a small tmpfs cannot be mounted here: the full disk was NOT tried");
        }
        const auto trail = world.open();
        Ids stored;
        auto appended = world.append(*trail, "0");
        for (int i = 1; appended && i < 1'000; ++i) {
            stored.push_back(std::to_string(i - 1));
            appended = world.append(*trail, std::to_string(i));
        }
        QVERIFY(holds(appended, AuditFailure::Unwritable));
        QVERIFY(stored.size() > 10);
        QVERIFY(holds(world.append(*trail, "refused"), AuditFailure::Unwritable));
        QVERIFY(world.log.text().find("audit.failed") != std::string::npos);
        QVERIFY(disk.resize("size=64k"));
        QVERIFY(world.append(*trail, "end"));
        stored.emplace_back("end");
        QCOMPARE(world.requests(), stored);
        QVERIFY(isVerified(world, stored.size()));
#else
        QSKIP("there is no tmpfs here: the full disk was NOT tried");
#endif
    }

    void start_WithATornLastLine_KeepsItAsideAndGoesOn()
    {
        AuditWorld world;
        world.fill(2);
        const fs::path file = world.files()[0];
        const std::string whole = readFile(file);
        const std::string torn = whole.substr(0, whole.size() / 3);
        writeFile(file, whole + torn);
        world.fill(1);
        QCOMPARE(world.requests(), (Ids{"1", "2", "1"}));
        QCOMPARE(readFile(file.string() + ".torn"), torn + "\n");
        QVERIFY(isVerified(world, 3));
        QVERIFY(world.log.text().find("\"tornBytes\":" + std::to_string(torn.size())) != std::string::npos);
    }

    void start_WithNothingButATornLine_BeginsTheChain()
    {
        AuditWorld world;
        world.fill(1);
        const fs::path file = world.files()[0];
        writeFile(file, "{\"seq\":1,");
        world.fill(1);
        QCOMPARE(readFile(file.string() + ".torn"), std::string("{\"seq\":1,\n"));
        QVERIFY(isVerified(world, 1));
    }

    void start_OnALastLineThatIsNotOurs_IsRefused_data()
    {
        QTest::addColumn<QByteArray>("end");
        QTest::newRow("text") << QByteArray("hello\n");
        QTest::newRow("empty line") << QByteArray("\n");
        QTest::newRow("JSON of somebody else") << QByteArray("{\"level\":\"info\"}\n");
        QTest::newRow("much without a line") << QByteArray(500'000, 'x');
    }
    void start_OnALastLineThatIsNotOurs_IsRefused()
    {
        QFETCH(QByteArray, end);
        AuditWorld world;
        world.fill(2);
        const fs::path file = world.files()[0];
        const std::string text = readFile(file) + end.toStdString();
        writeFile(file, text);
        const auto made = world.tryOpen();
        QVERIFY(!made);
        QCOMPARE(made.error().code, core::ErrorCode::BadConfiguration);
        QVERIFY(readFile(file) == text);
    }

    void start_OnALastLineThatWasChanged_IsRefused()
    {
        AuditWorld world;
        world.fill(2);
        const fs::path file = world.files()[0];
        std::string text = readFile(file);
        text[text.rfind("somebody")] = 'S';
        writeFile(file, text);
        QVERIFY(!world.tryOpen());
    }

    void start_WhereTheFilesBeforeAnEmptyOneAreGone_IsRefused()
    {
        AuditWorld world;
        fs::create_directory(world.settings.folder);
        writeFile(world.settings.folder / "audit-00000000000000000007.jsonl", "");
        const auto made = world.tryOpen();
        QVERIFY(!made);
        QCOMPARE(made.error().code, core::ErrorCode::BadConfiguration);
    }

    void start_WhileAnotherProcessWrites_IsRefused()
    {
        AuditWorld world;
        const auto trail = world.open();
        const auto second = broker::FileAuditTrail::create(world.settings, {world.clock, world.log});
        QVERIFY(!second);
        QCOMPARE(second.error().code, core::ErrorCode::AlreadyRunning);
    }

    void rotation_GoesOnWithTheChainInANewFile()
    {
        AuditWorld world;
        world.settings.rotateBytes = 1'000;
        world.fill(7);
        const auto before = world.files().size();
        QVERIFY(before > 1);
        QCOMPARE(world.files()[0].filename().string(), std::string("audit-00000000000000000001.jsonl"));
        const auto second =
            core::parseJson(readFile(world.files()[1]).substr(0, readFile(world.files()[1]).find('\n')));
        const std::string first = readFile(world.files()[0]);
        QVERIFY(first.find((*second)["prev"].get<std::string>()) != std::string::npos);
        QVERIFY(world.files()[1].filename().string().find(std::to_string((*second)["seq"].get<int>()) + ".jsonl")
            != std::string::npos);
        world.fill(7);
        QVERIFY(world.files().size() > before);
        QVERIFY(isVerified(world, 14));
        QVERIFY(world.log.text().find("audit.rotated") != std::string::npos);
    }

    void start_OnAFileThatWasBegunWithoutALine_GoesOn()
    {
        AuditWorld world;
        world.fill(2);
        writeFile(world.settings.folder / "audit-00000000000000000003.jsonl", "");
        world.fill(1);
        QCOMPARE(world.files().size(), std::size_t(2));
        QVERIFY(isVerified(world, 3));
    }

    void file_TakenAwayWhileRunning_IsNotWrittenToAndMissed()
    {
        AuditWorld world;
        const auto trail = world.open();
        QVERIFY(world.append(*trail, "1"));
        fs::remove(world.files()[0]);
        // The first one to notice cannot be sure where it would go.
        (void)world.append(*trail, "2");
        QVERIFY(world.append(*trail, "3"));
        QVERIFY(world.requests().back() == "3");
        const auto verified = AuditVerifier::verify(world.settings.folder);
        QVERIFY(!verified);
        QCOMPARE(verified.error().flaw, broker::AuditFlaw::Broken);
    }

    void whatIsMovedAwayWhileRunning_IsNotWrittenTo_data()
    {
        QTest::addColumn<bool>("isFolder");
        QTest::newRow("the file") << false;
        QTest::newRow("the folder") << true;
    }
    void whatIsMovedAwayWhileRunning_IsNotWrittenTo()
    {
        QFETCH(bool, isFolder);
        AuditWorld world;
        const auto trail = world.open();
        QVERIFY(world.append(*trail, "1"));
        const fs::path file = world.files()[0];
        const fs::path moved =
            isFolder ? fs::path(world.settings.folder.string() + ".old") : fs::path(file.string() + ".old");
        fs::rename(isFolder ? world.settings.folder : file, moved);
        const fs::path old = isFolder ? moved / file.filename() : moved;
        const std::string before = readFile(old);
        (void)world.append(*trail, "2");
        QVERIFY(world.append(*trail, "3"));
        QCOMPARE(readFile(old), before);
        QCOMPARE(world.requests().back(), std::string("3"));
        QVERIFY(world.log.text().find("audit.rotated") != std::string::npos);
    }

    void file_CutWhileRunning_IsLeftAndTheFlawStaysVisible()
    {
        AuditWorld world;
        const auto trail = world.open();
        QVERIFY(world.append(*trail, "1"));
        QVERIFY(world.append(*trail, "2"));
        fs::resize_file(world.files()[0], readFile(world.files()[0]).find('\n') + 1);
        QVERIFY(world.append(*trail, "3"));
        const auto verified = AuditVerifier::verify(world.settings.folder);
        QVERIFY(!verified);
        QCOMPARE(verified.error().flaw, broker::AuditFlaw::Broken);
        QCOMPARE(verified.error().file, std::string("audit-00000000000000000003.jsonl"));
    }

    void doubles_SayWhatTheyAreToldTo()
    {
        AuditWorld world;
        broker::DiscardingAuditTrail discarding;
        QVERIFY(world.append(discarding, "1"));
        FakeAuditTrail fake;
        QVERIFY(world.append(fake, "1"));
        fake.failWith(AuditFailure::TimedOut);
        QVERIFY(holds(world.append(fake, "2"), AuditFailure::TimedOut));
        QCOMPARE(fake.records().size(), std::size_t(1));
    }

    void events_HaveTextsOfTheirOwn()
    {
        std::set<std::string_view> texts;
        for (int i = 0; i <= static_cast<int>(broker::AuditEvent::Recovery); ++i) {
            texts.insert(broker::auditEventText(static_cast<broker::AuditEvent>(i)));
        }
        QCOMPARE(texts.size(), static_cast<std::size_t>(broker::AuditEvent::Recovery) + 1);
        QVERIFY(texts.count("unknown") == 0);
    }
};

QTEST_GUILESS_MAIN(TestBrokerAudit)
#include "test_broker_audit.moc"
