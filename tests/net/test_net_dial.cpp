#include "net/internal/dial.h"
#include "tests/net/test_server.h"

#include <QTest>

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
            co_return stream ? stream->socket().remote_endpoint().port() : 0U;
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
