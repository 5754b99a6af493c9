#include "broker/relay/posted_client.h"
#include "tests/net/test_server.h"

#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using namespace vivavoce;
using broker::relay::PostedClient;
using net::test::Loop;

namespace {

namespace asio = boost::asio;

/// Keeps what is written.
class Page final : public net::BodyWriter {
public:
    net::Awaitable<bool> write(std::string part) override
    {
        const std::lock_guard lock(m_mutex);
        m_text += part;
        co_return true;
    }
    [[nodiscard]] std::string text() const
    {
        const std::lock_guard lock(m_mutex);
        return m_text;
    }

private:
    mutable std::mutex m_mutex;
    std::string m_text;
};

} // namespace

class TestPostedClient : public QObject {
    Q_OBJECT

    std::unique_ptr<Loop> m_loop;
    std::shared_ptr<PostedClient> m_client;
    std::vector<std::future<void>> m_listening;

    void begin(PostedClient::Limits limits)
    {
        end();
        m_loop = std::make_unique<Loop>();
        m_client = std::make_shared<PostedClient>(m_loop->executor(), limits, "s");
    }
    /// Nothing of it waits any more when its loop goes: its own timer belongs to that.
    void end()
    {
        if (m_client == nullptr) {
            return;
        }
        m_client->hangUp({1000, {}});
        for (auto& listening : m_listening) {
            Loop::finished(listening);
        }
        m_listening.clear();
        auto read = there(m_client->read());
        (void)Loop::finished(read);
        m_client.reset();
        m_loop.reset();
    }
    /// On the client's executor.
    template <typename T>
    std::future<T> there(net::Awaitable<T> task)
    {
        return asio::co_spawn(m_client->executor(), std::move(task), asio::use_future);
    }
    bool send(const std::string& text)
    {
        auto sent = there(m_client->send(text));
        return Loop::finished(sent);
    }
    std::shared_ptr<Page> listen(std::optional<PostedClient::EventId> lastSeen = std::nullopt)
    {
        auto page = std::make_shared<Page>();
        // The coroutine's own frame holds what it needs.
        m_listening.push_back(asio::co_spawn(
            m_loop->executor(),
            [client = m_client, page, lastSeen]() -> net::Awaitable<> { co_await client->tell(*page, lastSeen); },
            asio::use_future));
        return page;
    }

private slots:
    void cleanup() { end(); }

    void whatNobodyFetches_MakesTheProviderWait()
    {
        begin({50, core::Milliseconds{60'000}, core::Milliseconds{60'000}});
        QVERIFY(send("first"));
        auto second = there(m_client->send(std::string(60, 'x')));
        QCOMPARE(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
        const auto page = listen();
        QVERIFY(Loop::finished(second));
        QTRY_COMPARE(page->text(), "id: s-1\ndata: first\n\nid: s-2\ndata: " + std::string(60, 'x') + "\n\n");
    }

    void whatIsSaidAndNotTaken_MakesTheClientWait()
    {
        begin({50, core::Milliseconds{60'000}, core::Milliseconds{60'000}});
        QVERIFY(m_loop->run(m_client->say({std::string(60, 'a'), "b"})));
        auto more = asio::co_spawn(m_loop->executor(), m_client->say({"c"}), asio::use_future);
        QCOMPARE(more.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
        auto first = there(m_client->read());
        QCOMPARE(Loop::finished(first)->data, std::string(60, 'a'));
        QVERIFY(Loop::finished(more));
        for (const char* const text : {"b", "c"}) {
            auto next = there(m_client->read());
            QCOMPARE(Loop::finished(next)->data, std::string(text));
        }
    }

    void whatIsNotKeptAnyMore_IsToldAsAGap()
    {
        begin({50, core::Milliseconds{60'000}, core::Milliseconds{60'000}});
        const auto page = listen();
        for (int i = 0; i < 4; ++i) {
            QVERIFY(send(std::string(30, static_cast<char>('a' + i))));
        }
        const std::string last = "id: s-4\ndata: " + std::string(30, 'd') + "\n\n";
        QTRY_VERIFY(page->text().ends_with(last));
        const auto again = listen(PostedClient::EventId{"s", 0});
        QTRY_VERIFY(again->text().ends_with(last));
        QCOMPARE(again->text(), "event: gap\ndata: 3\n\n" + last);
    }

    void numberThatWasNeverGiven_HidesNothing()
    {
        begin({});
        QVERIFY(send("first"));
        const auto page = listen(PostedClient::EventId{"s", 99});
        QTRY_COMPARE(page->text(), std::string("id: s-1\ndata: first\n\n"));
    }

    /// It is counted as fetched by whoever fetches it, or the provider would wait for ever.
    void numberThatNobodyWasTold_HidesNothing_AndFreesWhatWaits()
    {
        begin({50, core::Milliseconds{60'000}, core::Milliseconds{60'000}});
        const std::string large(60, 'x');
        auto waiting = there(m_client->send(large));
        QCOMPARE(waiting.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
        const auto page = listen(PostedClient::EventId{"s", 1});
        QTRY_COMPARE(page->text(), "id: s-1\ndata: " + large + "\n\n");
        QVERIFY(Loop::finished(waiting));
        // And so on: what is kept stays bounded, and is counted right.
        for (int i = 2; i <= 5; ++i) {
            QVERIFY(send(large));
        }
        QTRY_VERIFY(page->text().ends_with("id: s-5\ndata: " + large + "\n\n"));
        QCOMPARE(m_client->queuedBytes(), std::size_t{0});
    }

    void eventOfAnotherStream_IsKnownForOne()
    {
        begin({});
        QVERIFY(send("first"));
        const auto page = listen();
        QTRY_COMPARE(page->text(), std::string("id: s-1\ndata: first\n\n"));
        // Whoever had seven events of the stream before has had none of this one.
        const auto other = listen(PostedClient::EventId{"t", 7});
        QTRY_COMPARE(other->text(), std::string("id: s-1\ndata: first\n\n"));
        const auto same = listen(PostedClient::EventId{"s", 1});
        QVERIFY(send("second"));
        QTRY_COMPARE(same->text(), std::string("id: s-2\ndata: second\n\n"));
    }

    void silence_HasAHeartbeat()
    {
        begin({1'000, core::Milliseconds{60'000}, core::Milliseconds{20}});
        const auto page = listen();
        QTRY_VERIFY(page->text().starts_with(": \n\n: \n\n"));
        QVERIFY(send("first"));
        QTRY_VERIFY(page->text().find("id: s-1\ndata: first\n\n") != std::string::npos);
    }

    void clientThatNeitherListensNorSpeaks_IsGone()
    {
        begin({1'000, core::Milliseconds{50}, core::Milliseconds{20}});
        auto read = there(m_client->read());
        const auto ended = Loop::finished(read);
        QVERIFY(!ended);
        QCOMPARE(unsigned{ended.error().code}, 1006U);
        QVERIFY(m_client->isOver());
        QVERIFY(!send("late"));
        QVERIFY(!m_loop->run(m_client->say({"late"})));
    }

    void clientThatListens_IsThere_HoweverLongItSaysNothing()
    {
        begin({1'000, core::Milliseconds{1}, core::Milliseconds{20}});
        const auto page = listen();
        // Whoever has had one is listening, before anybody looks for a sign of them.
        QTRY_VERIFY(!page->text().empty());
        auto read = there(m_client->read());
        // Each is twenty times the patience.
        QTRY_VERIFY(page->text().size() >= 5 * 4);
        QCOMPARE(read.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
        QVERIFY(m_loop->run(m_client->say({"still here"})));
        QCOMPARE(Loop::finished(read)->data, std::string("still here"));
    }
};

QTEST_GUILESS_MAIN(TestPostedClient)
#include "test_posted_client.moc"
