#include "ui/conversation/tool_model.h"
#include "ui/conversation/transcript_model.h"
#include "ui/settings/device_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace vivavoce;
using core::Speaker;

/// Each list model under Qt's own tester, from empty on.
class TestListModels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void transcript_WhenWordsComeLate_KeepsTheOrderOfTheLog();
    void transcript_WhenAnEntryGrows_ChangesOneRow();
    void transcript_WhenTheSameIsToldTwice_ChangesNothing();
    void transcript_WhenConnectionIsLost_ClosesOpenEntries();
    void transcript_RemovesAnEntry();
    void tools_WhenManyAreUsed_ForgetTheOldest();
    void devices_WhenThereAreSome_PutTheSystemsChoiceFirst();
    void devices_WhenTheChosenOneIsGone_KeepItInSight();
};

namespace {

constexpr auto kFatal = QAbstractItemModelTester::FailureReportingMode::Fatal;

QStringList words(const ui::TranscriptModel& model)
{
    QStringList all;
    for (int row = 0; row < model.rowCount(); ++row) {
        all << model.index(row).data(ui::TranscriptModel::Words).toString();
    }
    return all;
}

} // namespace

void TestListModels::transcript_WhenWordsComeLate_KeepsTheOrderOfTheLog()
{
    ui::TranscriptModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.upsert({"reply", Speaker::Assistant, "It is nine.", false, false});
    model.upsert({"question", Speaker::User, "What time is it?", true, false}, "reply");
    model.upsert({"later", Speaker::User, "Thanks.", true, false}, "unknown");
    const QStringList expected{
        QStringLiteral("What time is it?"), QStringLiteral("It is nine."), QStringLiteral("Thanks.")};
    QCOMPARE(words(model), expected);
    QCOMPARE(model.index(0).data(ui::TranscriptModel::IsUser).toBool(), true);
    QCOMPARE(model.index(1).data(ui::TranscriptModel::IsUser).toBool(), false);
}

void TestListModels::transcript_WhenAnEntryGrows_ChangesOneRow()
{
    ui::TranscriptModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.upsert({"a", Speaker::User, "One", true, false});
    model.upsert({"b", Speaker::Assistant, "Tw", false, false});
    const QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    model.upsert({"b", Speaker::Assistant, "Two", true, true});
    QCOMPARE(changed.size(), 1);
    QCOMPARE(changed.at(0).at(0).toModelIndex().row(), 1);
    QCOMPARE(model.count(), 2);
    QVERIFY(model.index(1).data(ui::TranscriptModel::WasInterrupted).toBool());
}

void TestListModels::transcript_WhenTheSameIsToldTwice_ChangesNothing()
{
    ui::TranscriptModel model;
    model.upsert({"a", Speaker::User, "One", true, false});
    const QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    model.upsert({"a", Speaker::User, "One", true, false});
    QCOMPARE(changed.size(), 0);
}

void TestListModels::transcript_WhenConnectionIsLost_ClosesOpenEntries()
{
    ui::TranscriptModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.upsert({"a", Speaker::User, "One", true, false});
    model.upsert({"b", Speaker::Assistant, "Tw", false, false});
    model.closeOpenEntries();
    QVERIFY(!model.index(0).data(ui::TranscriptModel::WasInterrupted).toBool());
    QVERIFY(model.index(1).data(ui::TranscriptModel::IsFinal).toBool());
    QVERIFY(model.index(1).data(ui::TranscriptModel::WasInterrupted).toBool());
    model.clear();
    QCOMPARE(model.rowCount(), 0);
}

void TestListModels::transcript_RemovesAnEntry()
{
    ui::TranscriptModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.upsert({"a", Speaker::User, "One", true, false});
    model.upsert({"b", Speaker::User, "Tw", false, false});
    model.remove("a");
    model.remove("unknown");
    QCOMPARE(model.count(), 1);
    QCOMPARE(model.index(0).data(ui::TranscriptModel::ItemId).toString(), QStringLiteral("b"));
}

void TestListModels::tools_WhenManyAreUsed_ForgetTheOldest()
{
    ui::ToolModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    for (int i = 0; i < ui::ToolModel::kMost + 5; ++i) {
        model.called({"call" + std::to_string(i), "tool" + std::to_string(i), "{}"});
    }
    QCOMPARE(model.count(), ui::ToolModel::kMost);
    QCOMPARE(model.runningName(), QStringLiteral("tool24"));
    model.done({"call24", "tool24", "{}"}, false);
    QCOMPARE(model.runningName(), QStringLiteral("tool23"));
    QVERIFY(model.index(0).data(ui::ToolModel::HasFailed).toBool());
    // One that has fallen out, and one that was never there.
    model.done({"call0", "tool0", "{}"}, true);
    model.clear();
    QCOMPARE(model.runningName(), QString());
}

void TestListModels::devices_WhenThereAreSome_PutTheSystemsChoiceFirst()
{
    ui::DeviceModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    QVERIFY(model.isEmpty());
    model.setDevices({{"m1", "Desk", core::SoundDirection::Capture, true}}, "");
    QCOMPARE(model.rowCount(), 2);
    QCOMPARE(model.idAt(0), std::string());
    QVERIFY(model.index(0).data(ui::DeviceModel::Name).toString().contains(QStringLiteral("Desk")));
    QCOMPARE(model.rowOf("m1"), 1);
    QCOMPARE(model.idAt(7), std::string());
    model.setDevices({}, "");
    QVERIFY(model.isEmpty());
}

void TestListModels::devices_WhenTheChosenOneIsGone_KeepItInSight()
{
    ui::DeviceModel model;
    QAbstractItemModelTester tester(&model, kFatal);
    model.setDevices({{"m1", "Desk", core::SoundDirection::Capture, true}}, "headset");
    QCOMPARE(model.rowOf("headset"), 2);
}

QTEST_GUILESS_MAIN(TestListModels)
#include "test_list_models.moc"
