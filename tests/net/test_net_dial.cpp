#include "net/internal/dial.h"
#include "tests/net/test_certificates.h"
#include "tests/net/test_server.h"

#include <QTemporaryDir>
#include <QTest>

#include <chrono>
#include <filesystem>
#include <memory>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::net;
using namespace vivavoce::net::test;
using std::chrono_literals::operator""ms;

class TestNetDial : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// As behind an address of IPv6 that a broken router drops.
    void connecting_ToAnAddressThatNobodyHearsAt_GoesOnToTheNext()
    {
        boost::asio::io_context io;
        const auto loopback = boost::asio::ip::address_v4::loopback();
        tcp::acceptor deaf(io, tcp::endpoint(loopback, 0), false);
        deaf.listen(0);
        // Linux answers nobody any more once the queue is full.
        std::vector<std::unique_ptr<tcp::socket>> waiting;
        for (int i = 0; i < 4; ++i) {
            waiting.push_back(std::make_unique<tcp::socket>(io));
            waiting.back()->async_connect(deaf.local_endpoint(), [](const ErrorCode&) {});
        }
        io.run_for(100ms);
        tcp::acceptor hearing(io, tcp::endpoint(loopback, 0));
        Loop loop;
        const auto connect = [&](std::vector<tcp::endpoint> endpoints) -> Awaitable<unsigned> {
            const auto stream = co_await connectAny(std::move(endpoints), 50ms);
            co_return stream ? stream->remote_endpoint().port() : 0U;
        };
        QCOMPARE(loop.run(connect({deaf.local_endpoint(), hearing.local_endpoint()})),
            unsigned{hearing.local_endpoint().port()});
        QCOMPARE(loop.run(connect({})), 0U);
    }

    void addresses_AreKnownForAMinute_AndNotPastAFailure()
    {
        const DialMemory memory;
        const DialMemory::State::Time start{};
        const std::vector<tcp::endpoint> endpoints{{boost::asio::ip::make_address("127.0.0.1"), 1}};
        auto& state = memory.state();
        QVERIFY(state.addresses("a:1", start).empty());
        state.remember("a:1", endpoints, start);
        QVERIFY(state.addresses("a:1", start + std::chrono::seconds(59)) == endpoints);
        QVERIFY(state.addresses("a:2", start).empty());
        QVERIFY(state.addresses("a:1", start + std::chrono::seconds(60)).empty());
        state.remember("a:1", endpoints, start);
        state.forget("a:1");
        QVERIFY(state.addresses("a:1", start).empty());
        for (int i = 0; i < 1'000; ++i) {
            state.remember(std::to_string(i), endpoints, start);
        }
        QCOMPARE(state.known.size(), DialMemory::State::kMost);
    }

    /// A broker that dials every few seconds would go to where its provider once was for ever.
    void addressThatIsUsed_IsKnownForNoLongerThanOneThatIsNot()
    {
        boost::asio::io_context io;
        tcp::acceptor hearing(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
        Url url;
        url.host = "127.0.0.1";
        url.port = hearing.local_endpoint().port();
        url.authority = "somewhere";
        const DialMemory memory;
        auto& state = memory.state();
        DialMemory::State::Time now{};
        state.clock = [&] { return now; };
        Loop loop;
        const auto connects = [&]() -> Awaitable<bool> {
            const auto stream = co_await dial(url, &state);
            co_return stream.has_value();
        };
        QVERIFY(loop.run(connects()));
        now += std::chrono::seconds(40);
        QVERIFY(!state.addresses(url.authority, now).empty());
        QVERIFY(loop.run(connects()));
        now += std::chrono::seconds(40);
        QVERIFY(state.addresses(url.authority, now).empty());
        QVERIFY(loop.run(connects()));
        QVERIFY(!state.addresses(url.authority, now).empty());
    }

    /// Somebody may answer where a provider was, and not be it.
    void address_WhereHandsCannotBeShaken_IsNotKnownAnyMore()
    {
        Router router = echoRouter();
        addEchoSocket(router);
        TestServer server(std::move(router));
        const auto memory = std::make_shared<DialMemory>();
        auto& state = memory->state();
        const std::string authority = "127.0.0.1:" + std::to_string(server.port());
        const auto isOpened = [&](std::string scheme, std::string path) -> Awaitable<bool> {
            WebSocketRequest wanted;
            wanted.url = scheme + "://" + authority + path;
            wanted.memory = memory;
            const auto session = co_await openWebSocket(std::move(wanted));
            co_return session.has_value();
        };
        QVERIFY(server.loop().run(isOpened("ws", "/socket")));
        QVERIFY(!state.addresses(authority, state.clock()).empty());
        QVERIFY(!server.loop().run(isOpened("ws", "/echo")));
        QVERIFY(state.addresses(authority, state.clock()).empty());
        QVERIFY(server.loop().run(isOpened("ws", "/socket")));
        QVERIFY(!server.loop().run(isOpened("wss", "/socket")));
        QVERIFY(state.addresses(authority, state.clock()).empty());
    }

    /// Whoever replaces the file means those who dial from now on, and not those who come after a restart.
    void fileOfCertificates_ThatHasChanged_IsReadAgain()
    {
        const QTemporaryDir folder;
        const TestCertificates certificates = makeCertificates(folder.path().toStdString());
        const std::string file = folder.filePath("copy.pem").toStdString();
        std::filesystem::copy_file(certificates.caFile, file);
        const DialMemory memory;
        TlsTrust trust;
        trust.extraCaFile = file;
        const auto context = [&] {
            const auto made = memory.state().context(trust);
            return made ? *made : nullptr;
        };
        const auto first = context();
        QVERIFY(first != nullptr);
        QVERIFY(context() == first);
        const auto changedAt = std::filesystem::last_write_time(file);
        std::filesystem::last_write_time(file, changedAt + std::chrono::seconds(1));
        const auto second = context();
        QVERIFY(second != nullptr);
        QVERIFY(second != first);
        QVERIFY(context() == second);
        // While it is being replaced.
        std::filesystem::remove(file);
        QVERIFY(context() == second);
    }

    void addressesOfTheOtherProtocol_ComeInTurn()
    {
        const auto at = [](const char* address) { return tcp::endpoint(boost::asio::ip::make_address(address), 1); };
        const std::vector<tcp::endpoint> inTurn{at("::1"), at("127.0.0.1"), at("::2"), at("127.0.0.2"), at("::3")};
        QVERIFY(interleaved({at("::1"), at("::2"), at("::3"), at("127.0.0.1"), at("127.0.0.2")}) == inTurn);
        QVERIFY(interleaved({}).empty());
    }
};

QTEST_GUILESS_MAIN(TestNetDial)
#include "test_net_dial.moc"
