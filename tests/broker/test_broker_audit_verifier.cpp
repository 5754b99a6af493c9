#include "broker/audit/audit_verifier.h"
#include "tests/broker/audit_harness.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::tests;
using broker::AuditFlaw;
using broker::AuditVerifier;
namespace fs = std::filesystem;

namespace {

std::string joined(const std::vector<std::string>& lines)
{
    std::string text;
    for (const std::string& line : lines) {
        text += line + "\n";
    }
    return text;
}

/// A trail of nine lines in three files or more.
struct RotatedTrail {
    RotatedTrail()
    {
        world.settings.rotateBytes = 1'000;
        world.fill(9);
        files = world.files();
    }

    [[nodiscard]] AuditVerifier::Verified verify() const { return AuditVerifier::verify(world.settings.folder); }

    AuditWorld world;
    std::vector<fs::path> files;
};

bool finds(const AuditVerifier::Verified& verified, AuditFlaw flaw, const std::string& file, std::uint64_t line)
{
    if (verified) {
        qWarning("nothing was found");
        return false;
    }
    const auto& found = verified.error();
    qInfo("%s %s:%d", std::string(auditFlawText(found.flaw)).c_str(), found.file.c_str(), static_cast<int>(found.line));
    return found.flaw == flaw && found.file == file && found.line == line;
}

} // namespace

class TestBrokerAuditVerifier : public QObject {
    Q_OBJECT

private slots:
    void verify_OfAWholeTrail_CountsAndTellsItsEnd()
    {
        const RotatedTrail trail;
        const auto verified = trail.verify();
        QVERIFY(verified);
        QVERIFY(trail.files.size() >= 3);
        QCOMPARE(verified->files, std::uint64_t(trail.files.size()));
        QCOMPARE(verified->lines, std::uint64_t(9));
        QCOMPARE(verified->firstSequence, std::uint64_t(1));
        QCOMPARE(verified->lastSequence, std::uint64_t(9));
        QVERIFY(trail.world.lines().back().ends_with("\"hash\":\"" + verified->lastHash + "\"}"));
    }

    void verify_OfOneFileInTheMiddle_Works()
    {
        const RotatedTrail trail;
        const auto verified = AuditVerifier::verify(trail.files[1]);
        QVERIFY(verified);
        QCOMPARE(verified->files, std::uint64_t(1));
        QVERIFY(verified->firstSequence > 1);
    }

    void verify_FindsEveryFlippedByte()
    {
        AuditWorld world;
        world.fill(3);
        const fs::path file = world.files()[0];
        const std::string whole = readFile(file);
        const std::size_t second = whole.find('\n') + 1;
        // Without its line feed the last line is one that a crash cut off: that is not a flaw.
        for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ 1);
            writeFile(file, changed);
            const auto verified = AuditVerifier::verify(world.settings.folder);
            QVERIFY2(!verified, qPrintable(QString::number(i)));
            QVERIFY(i >= second - 1 || verified.error().line == 1);
        }
    }

    void verify_OfAFlippedByte_TellsWhere()
    {
        const RotatedTrail trail;
        std::string text = readFile(trail.files[1]);
        text[text.find("somebody", text.find('\n'))] = 'S';
        writeFile(trail.files[1], text);
        const auto verified = trail.verify();
        QVERIFY(finds(verified, AuditFlaw::Altered, trail.files[1].filename().string(), 2));
        QVERIFY(verified.error().before.lines > 1);
    }

    void verify_FindsWhatWasDoneToLines_data()
    {
        QTest::addColumn<std::vector<int>>("order");
        QTest::addColumn<int>("line");
        QTest::newRow("removed") << std::vector<int>{0, 2, 3} << 2;
        QTest::newRow("two removed") << std::vector<int>{0, 3} << 2;
        QTest::newRow("swapped") << std::vector<int>{0, 2, 1, 3} << 2;
        QTest::newRow("first two swapped") << std::vector<int>{1, 0, 2, 3} << 1;
        QTest::newRow("twice") << std::vector<int>{0, 1, 1, 2, 3} << 3;
    }
    void verify_FindsWhatWasDoneToLines()
    {
        QFETCH(std::vector<int>, order);
        QFETCH(int, line);
        AuditWorld world;
        world.fill(4);
        const auto lines = world.lines();
        std::vector<std::string> changed;
        for (const int i : order) {
            changed.push_back(lines.at(static_cast<std::size_t>(i)));
        }
        const fs::path file = world.files()[0];
        writeFile(file, joined(changed));
        QVERIFY(finds(AuditVerifier::verify(file), AuditFlaw::Broken, file.filename().string(),
            static_cast<std::uint64_t>(line)));
    }

    void verify_OfALineOfAnotherTrail_FindsIt()
    {
        AuditWorld world;
        AuditWorld other;
        world.fill(3);
        other.clock.advance(core::Milliseconds{1});
        other.fill(3);
        auto lines = world.lines();
        lines[1] = other.lines()[1];
        const fs::path file = world.files()[0];
        writeFile(file, joined(lines));
        QVERIFY(finds(AuditVerifier::verify(file), AuditFlaw::Broken, file.filename().string(), 2));
    }

    void verify_WhenTheOldestFileHasLostItsFirstLines_FindsIt()
    {
        AuditWorld world;
        world.fill(3);
        const auto lines = world.lines();
        const fs::path file = world.files()[0];
        writeFile(file, joined({lines[1], lines[2]}));
        QVERIFY(finds(AuditVerifier::verify(world.settings.folder), AuditFlaw::Broken, file.filename().string(), 1));
    }

    void verify_WhenAFileInTheMiddleIsEmpty_FindsIt()
    {
        const RotatedTrail trail;
        writeFile(trail.files[0], {});
        QVERIFY(finds(trail.verify(), AuditFlaw::Broken, trail.files[0].filename().string(), 0));
    }

    void verify_WhenAFileInTheMiddleIsGone_FindsIt()
    {
        const RotatedTrail trail;
        fs::remove(trail.files[1]);
        QVERIFY(finds(trail.verify(), AuditFlaw::Broken, trail.files[2].filename().string(), 1));
    }

    void verify_WhenTheOldestFileIsGone_TellsTheFirstNumber()
    {
        const RotatedTrail trail;
        fs::remove(trail.files[0]);
        const auto verified = trail.verify();
        QVERIFY(verified);
        QVERIFY(verified->firstSequence > 1);
        QCOMPARE(verified->lastSequence, std::uint64_t(9));
        QCOMPARE(verified->lines, 10 - verified->firstSequence);
    }

    void verify_WhenTheEndWasCutOff_TellsAnotherHash()
    {
        AuditWorld world;
        world.fill(3);
        const auto before = AuditVerifier::verify(world.settings.folder);
        auto lines = world.lines();
        lines.pop_back();
        writeFile(world.files()[0], joined(lines));
        const auto after = AuditVerifier::verify(world.settings.folder);
        QVERIFY(before && after);
        QVERIFY(before->lastHash != after->lastHash);
    }

    void verify_OfATornLine_ToleratesItAtTheVeryEndOnly()
    {
        const RotatedTrail trail;
        const std::string torn = "{\"event\":\"tok";
        writeFile(trail.files.back(), readFile(trail.files.back()) + torn);
        const auto verified = trail.verify();
        QVERIFY(verified);
        QCOMPARE(verified->tornBytes, std::uint64_t(torn.size()));
        QCOMPARE(verified->lines, std::uint64_t(9));

        const std::string first = readFile(trail.files[0]);
        writeFile(trail.files[0], first + torn);
        const auto lines = static_cast<std::uint64_t>(std::count(first.begin(), first.end(), '\n'));
        QVERIFY(finds(trail.verify(), AuditFlaw::Torn, trail.files[0].filename().string(), lines + 1));
    }

    void verify_OfForeignLines_FindsThem_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("empty") << QByteArray("\n");
        QTest::newRow("text") << QByteArray("hello\n");
        QTest::newRow("JSON") << QByteArray("{\"seq\":3}\n");
        QTest::newRow("endless") << QByteArray(1'000'000, 'x');
        QTest::newRow("long") << QByteArray(100'000, 'x') + "\n";
        QTest::newRow("NULs") << QByteArray(500, '\0') + "\n";
    }
    void verify_OfForeignLines_FindsThem()
    {
        QFETCH(QByteArray, line);
        AuditWorld world;
        world.fill(2);
        const fs::path file = world.files()[0];
        writeFile(file, readFile(file) + line.toStdString());
        QVERIFY(finds(AuditVerifier::verify(file), AuditFlaw::Foreign, file.filename().string(), 3));
    }

    void verify_OfNothing_IsNotRight()
    {
        const QTemporaryDir folder;
        const fs::path path = folder.path().toStdString();
        QVERIFY(finds(AuditVerifier::verify(path / "none"), AuditFlaw::Missing, "none", 0));
        QVERIFY(finds(AuditVerifier::verify(path), AuditFlaw::Missing, path.filename().string(), 0));
        fs::create_directory(path / "audit-00000000000000000001.jsonl");
        QVERIFY(finds(AuditVerifier::verify(path), AuditFlaw::Unreadable, "audit-00000000000000000001.jsonl", 0));
    }

    void verify_OfATrailThatHasJustBegun_IsRight()
    {
        AuditWorld world;
        world.fill(0);
        const auto verified = AuditVerifier::verify(world.settings.folder);
        QVERIFY(verified);
        QCOMPARE(verified->lines, std::uint64_t(0));
        QCOMPARE(verified->lastHash, std::string(64, '0'));
    }
};

QTEST_GUILESS_MAIN(TestBrokerAuditVerifier)
#include "test_broker_audit_verifier.moc"
