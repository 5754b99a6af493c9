#include "broker/admin/audit_desk.h"
#include "broker/audit/audit_tail.h"
#include "broker/audit/audit_verifier.h"
#include "tests/broker/audit_harness.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <atomic>
#include <fstream>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::AuditTailPage;
using broker::AuditTailQuery;
using core::Json;

namespace {

AuditTailPage page(const AuditWorld& world, const AuditTailQuery& query = {})
{
    auto read = broker::readAuditTail(world.settings.folder, query);
    if (!read) {
        qFatal("%s", read.error().detail.c_str());
    }
    return std::move(*read);
}

int numberOf(const std::string& line)
{
    return Json::parse(line).at("seq").get<int>();
}

/// So many lines of some 4 kB each, in one file.
void fillWide(AuditWorld& world, int lines)
{
    const auto trail = world.open();
    std::vector<std::future<AuditWorld::Appended>> appended;
    for (int i = 0; i < lines; ++i) {
        broker::AuditRecord record;
        record.event = broker::AuditEvent::Mint;
        record.outcome = broker::AuditOutcome::Done;
        record.target = std::string(4'000, 'x');
        appended.push_back(world.begin(*trail, std::move(record)));
    }
    for (auto& one : appended) {
        if (!AuditWorld::wait(std::move(one))) {
            qFatal("a line is not on disk");
        }
    }
}

} // namespace

/// The audit from its end, page by page.
class TestAuditTail : public QObject {
    Q_OBJECT

private slots:
    void pages_GoThroughAllFiles_ToTheFirstLine()
    {
        AuditWorld world;
        world.settings.rotateBytes = 1'000;
        world.fill(9);
        QVERIFY(world.files().size() >= 3);
        AuditTailQuery query;
        query.most = 2;
        std::vector<int> seen;
        do {
            const AuditTailPage found = page(world, query);
            QVERIFY(found.isWhole);
            QVERIFY(found.lines.size() <= 2);
            for (const std::string& line : found.lines) {
                seen.push_back(numberOf(line));
            }
            query.before = found.next;
        } while (query.before);
        QCOMPARE(seen, (std::vector<int>{9, 8, 7, 6, 5, 4, 3, 2, 1}));
        query.most = 9;
        QVERIFY(!page(world, query).next);
    }

    /// As the oldest files may be taken away.
    void trailWithoutItsBeginning_EndsWhereItEnds()
    {
        AuditWorld world;
        world.settings.rotateBytes = 1'000;
        world.fill(9);
        std::filesystem::remove(world.files().front());
        const AuditTailPage all = page(world);
        QVERIFY(all.isWhole);
        QVERIFY(numberOf(all.lines.back()) > 1);
        QVERIFY(!all.next);
    }

    void placeInALongFile_IsFound_AndWhatIsReadHasABound()
    {
        AuditWorld world;
        fillWide(world, 1'200);
        for (const std::uint64_t before : {1'200U, 1'000U, 601U, 600U, 65U, 3U, 2U}) {
            AuditTailQuery query;
            query.before = before;
            query.most = 3;
            const AuditTailPage found = page(world, query);
            QVERIFY(found.isWhole);
            QCOMPARE(found.lines.size(), std::min<std::size_t>(3, before - 1));
            QCOMPARE(numberOf(found.lines.front()), static_cast<int>(before) - 1);
        }
        // Nothing of what is looked for is near: the page says so, and where to go on.
        AuditTailQuery query;
        query.events = {"broker.start"};
        const AuditTailPage none = page(world, query);
        QVERIFY(none.lines.empty());
        QVERIFY(none.next);
        QVERIFY(*none.next > 1);
        query.before = none.next;
        QVERIFY(!page(world, query).next);
    }

    void lineThatIsBeingWritten_IsNoFlaw()
    {
        AuditWorld world;
        world.fill(3);
        std::ofstream(world.files().back(), std::ios::app | std::ios::binary) << "{\"seq\":4,\"ti";
        const AuditTailPage found = page(world);
        QVERIFY(found.isWhole);
        QCOMPARE(found.lines.size(), std::size_t{3});
    }

    void lineThatWasChanged_OrTakenAway_IsOne()
    {
        for (const bool isTaken : {false, true}) {
            AuditWorld world;
            world.fill(5);
            auto lines = world.lines();
            isTaken ? static_cast<void>(lines.erase(lines.begin() + 2))
                    : static_cast<void>(lines[2].replace(lines[2].find("token.mint"), 10, "token.Mint"));
            std::ofstream file(world.files().front(), std::ios::trunc | std::ios::binary);
            for (const std::string& line : lines) {
                file << line << '\n';
            }
            file.close();
            QVERIFY(!page(world).isWhole);
            AuditTailQuery newest;
            newest.most = 1;
            QVERIFY(page(world, newest).isWhole);
        }
    }

    void whatIsNotOurs_IsNoLine()
    {
        AuditWorld world;
        world.fill(3);
        auto lines = world.lines();
        const std::string event = R"("event":"token.mint")";
        lines[1].replace(lines[1].find(event), event.size(), R"("event":1)");
        std::ofstream file(world.files().front(), std::ios::trunc | std::ios::binary);
        for (const std::string& line : lines) {
            file << line << '\n';
        }
        file.close();
        AuditTailQuery query;
        query.events = {"token.mint"};
        const AuditTailPage found = page(world, query);
        QVERIFY(!found.isWhole);
        QCOMPARE(found.lines.size(), std::size_t{2});
        // More than the number of any line.
        std::ofstream(world.settings.folder / "audit-99999999999999999999.jsonl") << "none of ours\n";
        QCOMPARE(page(world).lines.size(), std::size_t{3});
        query.before = 3;
        QCOMPARE(page(world, query).lines.size(), std::size_t{1});
    }

    void verification_ThatIsStopped_GoesNoFurther()
    {
        AuditWorld world;
        world.fill(3);
        std::atomic<bool> isStopped{false};
        QCOMPARE(broker::AuditVerifier::verify(world.settings.folder, &isStopped).value().lines, std::uint64_t{3});
        isStopped = true;
        const auto stopped = broker::AuditVerifier::verify(world.settings.folder, &isStopped);
        QVERIFY(!stopped);
        QVERIFY(stopped.error().flaw == broker::AuditFlaw::Unreadable);
        QCOMPARE(stopped.error().before.lines, std::uint64_t{0});
        // Whoever goes while all of it is read waits for a line of it, and leaves no thread behind.
        broker::admin::AuditDesk desk(world.settings.folder);
        desk.verify(world.clock.wallNow());
    }

    void folderThatIsNotThere_HasNoLines()
    {
        AuditWorld world;
        world.settings.folder /= "none";
        QVERIFY(page(world).lines.empty());
        QVERIFY(!page(world).next);
    }
};

QTEST_GUILESS_MAIN(TestAuditTail)
#include "test_audit_tail.moc"
