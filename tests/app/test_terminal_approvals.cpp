#include "app/cli/terminal_approvals.h"
#include "tests/support/manual_clock.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <unistd.h>

#include <array>
#include <utility>

using namespace vivavoce;
using namespace vivavoce::core;
using cli::ApproveMode;
using cli::TerminalApprovals;

namespace {

class FakeApprovals final : public ToolApprovals {
public:
    void follow(Follower changed) override { follower = std::move(changed); }
    [[nodiscard]] const std::vector<ApprovalRequest>& pending() const override { return waiting; }
    void answer(const std::string& callId, Approval approval) override
    {
        answers.emplace_back(callId, approval);
        forget(callId);
    }
    void ask(const std::string& callId, const std::string& arguments = "{}", bool alwaysAsks = false)
    {
        waiting.push_back({callId, "open_link", "Vivavoce", arguments, {}, alwaysAsks});
        follower();
    }
    void forget(const std::string& callId)
    {
        std::erase_if(waiting, [&](const ApprovalRequest& one) { return one.callId == callId; });
        follower();
    }

    Follower follower;
    std::vector<ApprovalRequest> waiting;
    std::vector<std::pair<std::string, Approval>> answers;
};

struct World {
    World()
    {
        if (::pipe(ends.data()) != 0 || !folder.isValid()) {
            qFatal("no pipe");
        }
        shown = std::fopen(folder.filePath(QStringLiteral("shown")).toUtf8().constData(), "w+");
    }
    ~World()
    {
        approvals.follower = {};
        std::fclose(shown);
        ::close(ends[0]);
        hangUp();
    }
    TerminalApprovals make(ApproveMode mode)
    {
        return TerminalApprovals({approvals, clock, mode,
            [this](const ApprovalRequest& request, Milliseconds) { told.push_back(request.callId); }, ends[0], shown});
    }
    void type(const QByteArray& text) const
    {
        QVERIFY(::write(ends[1], text.constData(), static_cast<std::size_t>(text.size())) == text.size());
    }
    void hangUp()
    {
        if (ends[1] >= 0) {
            ::close(std::exchange(ends[1], -1));
        }
    }
    [[nodiscard]] QByteArray screen() const
    {
        std::fflush(shown);
        QFile file(folder.filePath(QStringLiteral("shown")));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

    QTemporaryDir folder;
    std::array<int, 2> ends{};
    std::FILE* shown = nullptr;
    vivavoce::tests::ManualClock clock;
    FakeApprovals approvals;
    std::vector<std::string> told;
};

using Answers = std::vector<std::pair<std::string, Approval>>;

} // namespace

class TestTerminalApprovals : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void answer_IsWhatIsTyped_data()
    {
        QTest::addColumn<QByteArray>("typed");
        QTest::addColumn<int>("approval");
        QTest::newRow("y") << QByteArray("y\n") << static_cast<int>(Approval::Once);
        QTest::newRow("yes") << QByteArray(" YES \n") << static_cast<int>(Approval::Once);
        QTest::newRow("conversation") << QByteArray("c\n") << static_cast<int>(Approval::Conversation);
        QTest::newRow("no") << QByteArray("n\n") << static_cast<int>(Approval::Deny);
        QTest::newRow("return") << QByteArray("\n") << static_cast<int>(Approval::Deny);
        QTest::newRow("something else") << QByteArray("yesterday\n") << static_cast<int>(Approval::Deny);
    }
    void answer_IsWhatIsTyped()
    {
        QFETCH(QByteArray, typed);
        QFETCH(int, approval);
        World world;
        const auto terminal = world.make(ApproveMode::Ask);
        world.approvals.ask("1", "{\"url\":\"https:\\/\\/example.com\\u001b[2J\"}");
        QCOMPARE(world.told, (std::vector<std::string>{"1"}));
        QVERIFY(world.screen().contains("open_link"));
        QVERIFY(world.screen().contains("https://example.com"));
        QVERIFY2(!world.screen().contains('\x1b'), "the terminal would obey it");
        world.type(typed);
        QTRY_COMPARE(world.approvals.answers, (Answers{{"1", static_cast<Approval>(approval)}}));
    }

    void whatAlwaysAsks_IsNotAllowedForTheConversation()
    {
        World world;
        const auto terminal = world.make(ApproveMode::Ask);
        world.approvals.ask("1", "{}", true);
        QVERIFY(!world.screen().contains("[c]onversation"));
        world.type("c\n");
        QTRY_COMPARE(world.approvals.answers, (Answers{{"1", Approval::Deny}}));
        world.approvals.ask("2");
        QVERIFY(world.screen().contains("[c]onversation"));
    }

    void questions_ComeOneAfterAnother()
    {
        World world;
        const auto terminal = world.make(ApproveMode::Ask);
        world.approvals.ask("1");
        world.approvals.ask("2");
        QCOMPARE(world.screen().count("wants to run"), 1);
        world.type("y\ny\n");
        QTRY_COMPARE(world.approvals.answers.size(), std::size_t{1});
        QCOMPARE(world.screen().count("wants to run"), 2);
        world.type("n\n");
        QTRY_COMPARE(world.approvals.answers, (Answers{{"1", Approval::Once}, {"2", Approval::Deny}}));
        QCOMPARE(world.told.size(), std::size_t{2});
    }

    void question_ThatIsOver_TakesNoAnswer()
    {
        World world;
        const auto terminal = world.make(ApproveMode::Ask);
        world.approvals.ask("1");
        world.approvals.forget("1");
        QVERIFY(world.screen().contains("too late"));
        world.type("y\n");
        QTest::qWait(0);
        QCoreApplication::processEvents();
        QVERIFY(world.approvals.answers.empty());
    }

    void closedInput_IsNo_AlsoToTheRest()
    {
        World world;
        const auto terminal = world.make(ApproveMode::Ask);
        world.approvals.ask("1");
        world.hangUp();
        QTRY_COMPARE(world.approvals.answers, (Answers{{"1", Approval::Deny}}));
        world.approvals.ask("2");
        QCOMPARE(world.approvals.answers.size(), std::size_t{2});
    }

    void mode_AnswersWithoutAsking()
    {
        for (const auto& [mode, approval] :
            {std::pair(ApproveMode::Always, Approval::Once), std::pair(ApproveMode::Never, Approval::Deny)}) {
            World world;
            const auto terminal = world.make(mode);
            world.approvals.ask("1");
            QCOMPARE(world.approvals.answers, (Answers{{"1", approval}}));
            QCOMPARE(world.told, (std::vector<std::string>{"1"}));
            QVERIFY(world.screen().isEmpty());
        }
    }
};

QTEST_GUILESS_MAIN(TestTerminalApprovals)
#include "test_terminal_approvals.moc"
