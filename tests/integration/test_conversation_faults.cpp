#include "tests/support/conversing_client.h"
#include "tests/support/scripted_broker.h"
#include "tests/support/wire/fault_proxy.h"
#include "tests/support/wire/hurried_time.h"
#include "tests/support/wire/scripted_server.h"
#include "tests/support/wire/wait_for.h"

#include <QTest>
#include <QThread>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <mutex>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

using std::chrono::seconds;

/// So much passes in a millisecond outside.
constexpr Milliseconds kStep{100};
/// Outside: nothing that a flow waits for takes as long.
constexpr int kPatienceMs = 30'000;
constexpr Milliseconds kHandshake{10'000};
constexpr Milliseconds kRequest{10'000};
/// No flow has as many.
constexpr int kMostOperations = 200;
constexpr int kSideBySide = 4;
/// What the microphone hears has to be encoded and decoded meanwhile.
constexpr Milliseconds kMicrophone{400};

struct Circumstances {
    /// The first token is to be renewed at once.
    bool isFirstTokenDue = false;
    /// After which the provider ends a session; 0: it does not say.
    Milliseconds sessionLength{0};
};

/// The parts of a client over real sockets; a broker and a provider that count; and between them what goes wrong.
class World {
public:
    World(const Circumstances& circumstances, const FaultPlan& what)
        : plan(what),
          m_provider(m_time, {circumstances.sessionLength, &m_time.clock()}, log),
          m_brokerServer(m_time, {}, m_noLog),
          m_toProvider(plan, m_provider.port()),
          m_toBroker(plan, m_brokerServer.port()),
          broker(m_time.clock(),
              {"ws://" + m_toProvider.address() + "/v1/realtime", seconds(600), seconds(540),
                  circumstances.isFirstTokenDue}),
          client({m_http, m_transports, m_time.clock(), m_time, "http://" + m_toBroker.address(),
              std::make_shared<const Secret>("credential"), options(), kMicrophone})
    {
        m_provider.admit([this](std::string_view token) { return broker.isGood(token); });
        m_brokerServer.answer([this](const auto& request, auto bearer) { return broker.answer(request, bearer); });
    }

    [[nodiscard]] std::size_t open() const { return m_provider.open(); }
    [[nodiscard]] const std::vector<int>& goodbyes() const { return m_provider.goodbyes(); }
    /// False where it takes too long.
    template <typename Condition>
    [[nodiscard]] bool comesTo(Condition condition)
    {
        return waits([&] { return client.end().has_value() || condition(); });
    }
    template <typename Condition>
    [[nodiscard]] static bool waits(Condition condition)
    {
        return waitFor(condition, kPatienceMs);
    }

private:
    static SessionOptions options()
    {
        SessionOptions options;
        options.transcriptionModel = "scribe";
        SessionDeadlines& deadlines = options.deadlines;
        deadlines.token = Milliseconds{30'000};
        deadlines.handshake = kHandshake;
        deadlines.firstEvent = Milliseconds{4'000};
        deadlines.reply = Milliseconds{6'000};
        deadlines.stalled = Milliseconds{1'500};
        deadlines.silence = Milliseconds{4'000};
        deadlines.handOver = Milliseconds{3'000};
        deadlines.lastHandOver = Milliseconds{1'000};
        return options;
    }

public:
    FaultPlan plan;
    ScriptedProviderLog log;

private:
    HurriedTime m_time{kStep};
    ScriptedProviderLog m_noLog;
    ScriptedServer m_provider;
    ScriptedServer m_brokerServer;
    FaultProxy m_toProvider;
    FaultProxy m_toBroker;
    HurriedHttp m_http{m_time, kRequest};
    HurriedTransports m_transports{m_time};

public:
    ScriptedBroker broker;
    ConversingClient client;
};

/// What somebody does with it; false where a wait has no end.
using Flow = bool (*)(World&);

bool isOver(const World& world, int number)
{
    return world.client.isAnswered(number) && world.client.isWrittenDown(number) && world.client.isQuiet();
}

bool connects(World& world)
{
    world.client.start();
    return world.comesTo([&] { return world.client.isQuiet(); });
}

bool typesAtOnce(World& world)
{
    world.client.start();
    world.client.type(1);
    return world.comesTo([&] { return isOver(world, 1); });
}

bool types(World& world)
{
    const bool isLive = connects(world);
    world.client.type(1);
    return isLive && world.comesTo([&] { return isOver(world, 1); });
}

/// Written down before it is answered.
bool speaks(World& world)
{
    const bool isLive = connects(world);
    world.client.speak(2);
    return isLive && world.comesTo([&] { return isOver(world, 2); });
}

/// The words come behind the answer.
bool speaksAndIsWrittenDownLate(World& world)
{
    const bool isLive = connects(world);
    world.client.speak(3);
    return isLive && world.comesTo([&] { return isOver(world, 3); });
}

bool asksForAFunction(World& world)
{
    const bool isLive = connects(world);
    world.client.type(7);
    return isLive && world.comesTo([&] { return isOver(world, 7); });
}

bool bargesIn(World& world)
{
    const bool isLive = connects(world);
    world.client.type(9);
    // Over a connection that was lost it may have been answered as far as it was heard.
    const auto isHeard = [&] { return world.client.isBeingAnswered(9) || isOver(world, 9); };
    const bool hasBegun = world.comesTo(isHeard);
    world.client.speak(12);
    return isLive && hasBegun && world.comesTo([&] { return isOver(world, 12) && world.client.isAnswered(9); });
}

bool renews(World& world)
{
    const bool isLive = connects(world);
    // A broker that says no is believed, and the conversation outlives its token.
    const bool isRenewed = world.comesTo([&] { return world.client.tokens >= 2 || world.client.isRefused(); });
    world.client.type(1);
    return isLive && isRenewed && world.comesTo([&] { return isOver(world, 1); });
}

bool handsOver(World& world)
{
    const bool isAnswered = types(world);
    const int handOvers = world.client.handOvers;
    const bool hasHandedOver =
        world.comesTo([&] { return world.client.handOvers > handOvers && world.client.isQuiet(); });
    world.client.type(2);
    return isAnswered && hasHandedOver && world.comesTo([&] { return isOver(world, 2); });
}

struct Case {
    const char* name;
    Flow flow;
    std::vector<int> turns;
    Circumstances circumstances{};
    bool isSpoken = false;
};

const std::vector<Case>& cases()
{
    static const std::vector<Case> all{{"connect", connects, {}}, {"typed at once", typesAtOnce, {1}},
        {"typed", types, {1}}, {"spoken", speaks, {2}, {}, true},
        {"spoken, written down late", speaksAndIsWrittenDownLate, {3}, {}, true}, {"function", asksForAFunction, {7}},
        {"barge-in", bargesIn, {9, 12}, {}, true}, {"renewal", renews, {1}, {true, {}}},
        {"hand-over", handsOver, {1, 2}, {false, Milliseconds{10'000}}}};
    return all;
}

struct Failure {
    const char* name;
    FaultPlan plan;
    /// What it may end with; nothing: it has to go on.
    std::vector<ErrorCode> ends{};
};

FaultPlan plan(Fault fault, std::uint16_t code = 1011, std::string reason = {}, int status = 503)
{
    FaultPlan result;
    result.fault = fault;
    result.code = code;
    result.reason = std::move(reason);
    result.status = status;
    return result;
}

const std::vector<Failure>& failures()
{
    static const std::vector<Failure> all{{"drop", plan(Fault::Drop)}, {"1011", plan(Fault::Close, 1011)},
        {"expired", plan(Fault::Expire), {ErrorCode::ProviderRefused, ErrorCode::NotAuthorised}},
        {"stall", plan(Fault::Stall)}, {"pause", plan(Fault::Pause)}, {"partition", plan(Fault::Partition)},
        {"throttle", plan(Fault::Throttle)}, {"1000", plan(Fault::Close, 1000)}};
    return all;
}

/// Refusals that a client can't help: what it said was right when it was sent.
bool isRace(const std::string& code)
{
    constexpr std::array kRaces{"response_cancel_not_active", "conversation_already_has_active_response"};
    return std::find(kRaces.begin(), kRaces.end(), code) != kRaces.end();
}

/// What is wrong after a flow; empty: nothing.
std::string lawBroken(World& world, const Case& flow, const Failure& failure, bool hasEnded)
{
    ConversingClient& client = world.client;
    if (!hasEnded) {
        return "a wait without end";
    }
    if (client.end()) {
        const auto& error = client.end()->error;
        const bool isRight = world.plan.hasStruck && error
            && std::find(failure.ends.begin(), failure.ends.end(), error->code) != failure.ends.end();
        return isRight ? std::string() : "it ended: " + (error ? error->detail : std::string("for no reason"));
    }
    for (const int turn : flow.turns) {
        if (std::string fault = client.faultOf(turn); !fault.empty()) {
            return fault;
        }
    }
    if (!world.log.doubled.empty()) {
        return "a session got turn " + std::to_string(world.log.doubled[0]) + " twice";
    }
    if (!flow.isSpoken && client.audioLost > Milliseconds{0}) {
        return "speech is told as lost that nobody said";
    }
    for (const std::string& code : world.log.refused) {
        if (!isRace(code)) {
            return "the provider refused: " + code;
        }
    }
    for (const auto& [call, times] : client.toolRuns) {
        if (times != 1) {
            return "function " + call + " ran " + std::to_string(times) + " times";
        }
    }
    if (world.broker.mints > client.tokenFetches) {
        return std::to_string(world.broker.mints) + " mints for " + std::to_string(client.tokenFetches) + " attempts";
    }
    for (const std::string& code : world.broker.refused) {
        return "the broker refused: " + code;
    }
    client.stop();
    const bool isClosed = World::waits([&] { return client.end().has_value() && world.open() == 0; });
    return isClosed && !client.end()->error ? std::string() : "it does not end as its user wants";
}

/// One run; what is wrong with it.
std::string run(const Case& flow, const Failure& failure, int at, bool& hasStruck)
{
    FaultPlan plan = failure.plan;
    plan.at = at;
    World world(flow.circumstances, plan);
    const bool hasEnded = flow.flow(world);
    std::string fault = lawBroken(world, flow, failure, hasEnded);
    hasStruck = world.plan.hasStruck;
    if (!fault.empty()) {
        fault += " (operation " + std::to_string(at) + ")";
        fault += ": " + world.client.standing();
    }
    return fault;
}

/// With the failure at operation 0, 1, 2, ... until it does not come any more, some at a time, for they wait more than they compute: what is wrong
/// with them, and how many there were.
std::vector<std::string> faultsOf(const Case& flow, const Failure& failure, int& operations)
{
    std::mutex mutex;
    std::vector<std::string> faults;
    std::atomic<int> next{0};
    std::atomic<int> end{kMostOperations};
    const auto work = [&] {
        for (int at = next++; at < end; at = next++) {
            bool hasStruck = false;
            const std::string fault = run(flow, failure, at, hasStruck);
            const std::lock_guard lock(mutex);
            if (!fault.empty()) {
                faults.push_back(fault);
            }
            if (!hasStruck) {
                end = std::min(end.load(), at);
            }
        }
    };
    std::array<std::unique_ptr<QThread>, kSideBySide> threads;
    for (auto& thread : threads) {
        thread.reset(QThread::create(work));
        thread->start();
    }
    for (const auto& thread : threads) {
        thread->wait();
    }
    operations = end;
    return faults;
}

} // namespace

/// What somebody does with a client, with a failure at operation 0, 1, 2, ... until it does not come any more. Each time: it goes on by itself, or
/// ends with the reason; no turn is lost, or doubled, at the provider or on the screen; nothing is told as heard that was not; one attempt
/// asks for one token; nothing waits without end.
class ConversationFaultsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void flow_WithoutAFault_NeedsNoSecondConnection_data()
    {
        QTest::addColumn<int>("which");
        for (std::size_t i = 0; i < cases().size(); ++i) {
            QTest::newRow(cases()[i].name) << static_cast<int>(i);
        }
    }
    void flow_WithoutAFault_NeedsNoSecondConnection()
    {
        QFETCH(const int, which);
        const Case& flow = cases()[static_cast<std::size_t>(which)];
        bool hasStruck = false;
        const std::string fault = run(flow, {"none", plan(Fault::None)}, -1, hasStruck);
        QVERIFY2(fault.empty(), fault.c_str());
    }

    void providersSession_ThatNearsItsEnd_IsHandedOverBetweenTwoTurns()
    {
        World world(cases().back().circumstances, plan(Fault::None));
        QVERIFY(handsOver(world));
        for (const int turn : {1, 2}) {
            const std::string fault = world.client.faultOf(turn);
            QVERIFY2(fault.empty(), fault.c_str());
        }
        QVERIFY(world.client.problems().empty());
        QCOMPARE(world.client.losses, 0);
        QCOMPARE(world.client.audioLost, Milliseconds{0});
        // The first turn as text, both sides of it, and the second question.
        QCOMPARE(world.log.told, 3);
        QCOMPARE(world.log.answers, 2);
        QVERIFY(world.log.doubled.empty() && world.log.refused.empty());
        QVERIFY(World::waits([&] { return world.open() == 1; }));
        QCOMPARE(world.broker.mints, 1);
        QCOMPARE(world.client.screen().size(), std::size_t{4});
    }

    void closeCode_IsSurvivedOrIsTheReason_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("reason");
        QTest::addColumn<int>("ends");
        const auto row = [](int code, const char* reason, std::optional<ErrorCode> ends) {
            QTest::addRow("%d %s", code, reason)
                << code << QString::fromLatin1(reason) << (ends ? static_cast<int>(*ends) : -1);
        };
        for (const int code : {1000, 1001, 1005, 1006, 1007, 1011, 1012, 1013, 1014, 4999}) {
            row(code, "", std::nullopt);
        }
        row(1001, "session expired", std::nullopt);
        row(4401, "token_expired", std::nullopt);
        row(4408, "session_too_long", std::nullopt);
        row(3000, "invalid_api_key", std::nullopt);
        row(4000, "invalid_model", ErrorCode::ChoiceRefused);
        row(4402, "budget_exhausted", ErrorCode::BudgetExhausted);
        row(4403, "session_ended", ErrorCode::SessionEnded);
        row(4409, "taken_over", ErrorCode::SessionEnded);
    }
    void closeCode_IsSurvivedOrIsTheReason()
    {
        QFETCH(const int, code);
        QFETCH(const QString, reason);
        QFETCH(const int, ends);
        const Case& flow = cases()[2];
        Failure failure{"code", plan(Fault::Close, static_cast<std::uint16_t>(code), reason.toStdString()), {}};
        if (ends >= 0) {
            failure.ends.push_back(static_cast<ErrorCode>(ends));
        }
        bool hasStruck = false;
        // In the middle of the reply.
        const std::string fault = run(flow, failure, 16, hasStruck);
        QVERIFY2(fault.empty(), fault.c_str());
        QVERIFY(hasStruck);
    }

    void flow_WithAFailureAtEachOperation_KeepsTheLaws_data()
    {
        QTest::addColumn<int>("which");
        QTest::addColumn<int>("how");
        // Each flow has the first of them, one of two that are alike, and one of those that take their time; a soak has all.
        constexpr std::size_t kAlike = 1;
        constexpr std::size_t kSlow = 3;
        for (std::size_t i = 0; i < cases().size(); ++i) {
            const auto isItsTurn = [&](std::size_t failure) {
                return failure < kAlike || failure == kAlike + i % (kSlow - kAlike)
                    || failure == kSlow + i % (failures().size() - kSlow);
            };
            for (std::size_t j = 0; j < failures().size(); ++j) {
                if (isItsTurn(j) || qEnvironmentVariableIsSet("VV_SOAK")) {
                    QTest::addRow("%s, %s", cases()[i].name, failures()[j].name)
                        << static_cast<int>(i) << static_cast<int>(j);
                }
            }
        }
    }
    void flow_WithAFailureAtEachOperation_KeepsTheLaws()
    {
        QFETCH(const int, which);
        QFETCH(const int, how);
        const Case& flow = cases()[static_cast<std::size_t>(which)];
        int operations = 0;
        const auto faults = faultsOf(flow, failures()[static_cast<std::size_t>(how)], operations);
        for (const std::string& fault : faults) {
            qWarning("%s", fault.c_str());
        }
        QVERIFY(faults.empty());
        QVERIFY2(operations > 5 && operations < kMostOperations, "it did not come to its end");
    }
};

QTEST_GUILESS_MAIN(ConversationFaultsTest)
#include "test_conversation_faults.moc"
