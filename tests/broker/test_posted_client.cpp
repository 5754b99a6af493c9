#include "broker/relay/posted_client.h"
#include "tests/net/test_server.h"

#include <QTest>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/strand.hpp>
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

    void begin(PostedClient::Limits limits)
    {
        m_client.reset();
        m_loop = std::make_unique<Loop>();
        m_client = std::make_shared<PostedClient>(asio::make_strand(m_loop->executor()), limits);
    }
    /// On the client's strand.
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
    std::future<void> listen(const std::shared_ptr<Page>& page, std::optional<std::uint64_t> lastSeen = std::nullopt)
    {
        // The coroutine's own frame holds what it needs.
        return asio::co_spawn(
            asio::make_strand(m_loop->executor()),
            [client = m_client, page, lastSeen]() -> net::Awaitable<> { co_await client->tell(*page, lastSeen); },
            asio::use_future);
    }

private slots:
    void cleanup()
    {
        if (m_client != nullptr) {
            m_client->hangUp({1000, {}});
        }
        m_loop.reset();
        m_client.reset();
    }

    void whatNobodyFetches_MakesTheProviderWait()
    {
        begin({50, core::Milliseconds{60'000}, core::Milliseconds{60'000}});
        QVERIFY(send("first"));
        auto second = there(m_client->send(std::string(60, 'x')));
        QCOMPARE(second.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
        const auto page = std::make_shared<Page>();
        const auto listening = listen(page);
        QVERIFY(Loop::finished(second));
        QTRY_COMPARE(page->text(), "id: 1\ndata: first\n\nid: 2\ndata: " + std::string(60, 'x') + "\n\n");
    }

    void whatIsSaidAndNotTaken_MakesTheClientWait()
    {
        begin({50, core::Milliseconds{60'000}, core::Milliseconds{60'000}});
        QVERIFY(m_loop->run(m_client->say({std::string(60, 'a'), "b"})));
        auto more = asio::co_spawn(asio::make_strand(m_loop->executor()), m_client->say({"c"}), asio::use_future);
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
        const auto page = std::make_shared<Page>();
        const auto listening = listen(page);
        for (int i = 0; i < 4; ++i) {
            QVERIFY(send(std::string(30, static_cast<char>('a' + i))));
        }
        const std::string last = "id: 4\ndata: " + std::string(30, 'd') + "\n\n";
        QTRY_VERIFY(page->text().ends_with(last));
        const auto again = std::make_shared<Page>();
        const auto listeningAgain = listen(again, 0);
        QTRY_VERIFY(again->text().ends_with(last));
        QCOMPARE(again->text(), "event: gap\ndata: 3\n\n" + last);
    }

    void numberThatWasNeverGiven_HidesNothing()
    {
        begin({});
        QVERIFY(send("first"));
        const auto page = std::make_shared<Page>();
        const auto listening = listen(page, 99);
        QTRY_COMPARE(page->text(), std::string("id: 1\ndata: first\n\n"));
    }

    void silence_HasAHeartbeat()
    {
        begin({1'000, core::Milliseconds{60'000}, core::Milliseconds{20}});
        const auto page = std::make_shared<Page>();
        const auto listening = listen(page);
        QTRY_VERIFY(page->text().starts_with(": \n\n: \n\n"));
        QVERIFY(send("first"));
        QTRY_VERIFY(page->text().find("id: 1\ndata: first\n\n") != std::string::npos);
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
        begin({1'000, core::Milliseconds{50}, core::Milliseconds{20}});
        auto read = there(m_client->read());
        const auto page = std::make_shared<Page>();
        const auto listening = listen(page);
        // Five heartbeats are twice the patience.
        QTRY_VERIFY(page->text().size() >= 5 * 4);
        QCOMPARE(read.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
        QVERIFY(m_loop->run(m_client->say({"still here"})));
        QCOMPARE(Loop::finished(read)->data, std::string("still here"));
    }
};

QTEST_GUILESS_MAIN(TestPostedClient)
#include "test_posted_client.moc"
