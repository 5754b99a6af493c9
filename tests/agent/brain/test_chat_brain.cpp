#include "agent/brain/chat_brain.h"
#include "tests/agent/skills/recording_sink.h"

#include <QtTest/QtTest>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>

#include <future>
#include <thread>

using namespace vivavoce;
using agent::BrainRequest;
using agent::DialogueItem;
using agent::brain::ChatBrain;
using agent::brain::ChatSettings;

namespace {

/// Takes one connection, keeps the request's head, sends its script piece by piece and closes, or holds the line until the peer goes.
class ScriptedServer {
public:
    enum class End { Close, Hold };

    ScriptedServer(std::vector<std::string> pieces, End end)
        : m_pieces(std::move(pieces)), m_end(end), m_thread([this] { serve(); })
    {
    }
    ~ScriptedServer()
    {
        // Frees a server that nobody called.
        boost::system::error_code ignored;
        boost::asio::ip::tcp::socket wake(m_context);
        wake.connect(m_acceptor.local_endpoint(), ignored);
        wake.close(ignored);
        m_thread.join();
    }

    [[nodiscard]] std::string url() const
    {
        return "http://127.0.0.1:" + std::to_string(m_acceptor.local_endpoint().port());
    }
    [[nodiscard]] std::string head() { return m_head.get_future().get(); }
    [[nodiscard]] std::future<void> sentAll() { return m_sentAll.get_future(); }

private:
    void serve()
    {
        boost::system::error_code error;
        boost::asio::ip::tcp::socket socket(m_context);
        m_acceptor.accept(socket, error);
        boost::asio::streambuf buffer;
        const std::size_t size = boost::asio::read_until(socket, buffer, "\r\n\r\n", error);
        const auto* begin = static_cast<const char*>(buffer.data().data());
        const std::string head(begin, size);
        const auto at = head.find("Content-Length: ");
        const std::size_t length = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
        if (buffer.size() < size + length) {
            boost::asio::read(socket, buffer, boost::asio::transfer_exactly(size + length - buffer.size()), error);
        }
        m_head.set_value(head);
        for (const std::string& piece : m_pieces) {
            boost::asio::write(socket, boost::asio::buffer(piece), error);
        }
        m_sentAll.set_value();
        if (m_end == End::Hold) {
            char byte = 0;
            boost::asio::read(socket, boost::asio::buffer(&byte, 1), error);
        }
    }

    boost::asio::io_context m_context;
    boost::asio::ip::tcp::acceptor m_acceptor{m_context, {boost::asio::ip::address_v4::loopback(), 0}};
    std::vector<std::string> m_pieces;
    End m_end;
    std::promise<std::string> m_head;
    std::promise<void> m_sentAll;
    std::thread m_thread;
};

constexpr const char* kStreamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";

ChatSettings settingsFor(const std::string& url)
{
    ChatSettings settings;
    settings.url = url;
    settings.model = "small";
    settings.key = std::make_shared<const core::Secret>("key-123");
    settings.timeout = core::Milliseconds{10'000};
    return settings;
}

BrainRequest hello()
{
    BrainRequest request;
    request.items.push_back({DialogueItem::Kind::UserMessage, "hello", {}, {}, true});
    return request;
}

std::string plain(const char* status, const char* headers, const std::string& body)
{
    return std::string("HTTP/1.1 ") + status + "\r\nConnection: close\r\n" + headers
        + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

} // namespace

class TestChatBrain : public QObject {
    Q_OBJECT

private slots:
    void url_AnyForm_EndsAtChatCompletions()
    {
        const std::string whole = "http://h/v1/chat/completions";
        QCOMPARE(agent::brain::chatCompletionsUrl("http://h"), whole);
        QCOMPARE(agent::brain::chatCompletionsUrl("http://h/"), whole);
        QCOMPARE(agent::brain::chatCompletionsUrl("http://h/v1/"), whole);
        QCOMPARE(agent::brain::chatCompletionsUrl(whole), whole);
    }

    void reply_Stream_GivesTextCallsAndUsage()
    {
        ScriptedServer server(
            {kStreamHead, "data: {\"choices\":[{\"delta\":{\"content\":\"Hel", "lo\"}}]}\r\n\r", "\n: ping\n\n",
                "data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]},"
                "\"finish_reason\":\"tool_calls\"}]}\n\n",
                "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n"},
            ScriptedServer::End::Hold);
        tests::RecordingSink sink;
        ChatBrain brain(settingsFor(server.url()));
        const auto usage = brain.reply(hello(), sink, {});
        QVERIFY2(usage.has_value(), usage ? "" : usage.error().detail.c_str());
        QCOMPARE(sink.text, std::string("Hello"));
        QCOMPARE(sink.calls.size(), std::size_t(1));
        QCOMPARE(usage->value().outputTokens, 4);
        const std::string head = server.head();
        QVERIFY(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
        QVERIFY(head.find("Authorization: Bearer key-123\r\n") != std::string::npos);
    }

    void reply_BadAnswer_IsATypedError_data()
    {
        QTest::addColumn<QByteArray>("answer");
        QTest::addColumn<int>("code");
        QTest::addColumn<int>("retrySeconds");
        const auto row = [](const char* name, const std::string& answer, core::ErrorCode code, int retry = -1) {
            QTest::newRow(name) << QByteArray::fromStdString(answer) << static_cast<int>(code) << retry;
        };
        row("401", plain("401 Unauthorized", "", R"({"error":{"code":"invalid_api_key","message":"key-123"}})"),
            core::ErrorCode::NotAuthorised);
        row("429", plain("429 Too Many Requests", "Retry-After: 7\r\n", "{}"), core::ErrorCode::RateLimited, 7);
        row("429 with a date", plain("429 Too Many Requests", "Retry-After: Fri, 01 Jan 2027 00:00:00 GMT\r\n", ""),
            core::ErrorCode::RateLimited);
        row("quota", plain("429 Too Many Requests", "", R"({"error":{"code":"insufficient_quota"}})"),
            core::ErrorCode::ProviderQuota);
        row("400", plain("400 Bad Request", "", "no"), core::ErrorCode::ProviderRefused);
        row("500", plain("500 Internal Server Error", "", "<html>"), core::ErrorCode::ProviderFailed);
        row("not HTTP", "garbage\r\n\r\n", core::ErrorCode::ProviderMalformed);
        row("nothing", "", core::ErrorCode::ProviderUnreachable);
        row("no event", kStreamHead, core::ErrorCode::ProviderMalformed);
        row("empty reply", std::string(kStreamHead) + "data: [DONE]\n\n", core::ErrorCode::ProviderMalformed);
        row("not JSON", std::string(kStreamHead) + "data: {oops\n\n", core::ErrorCode::ProviderMalformed);
        row("broken off", std::string(kStreamHead) + "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n",
            core::ErrorCode::ProviderMalformed);
    }

    void reply_BadAnswer_IsATypedError()
    {
        QFETCH(QByteArray, answer);
        QFETCH(int, code);
        QFETCH(int, retrySeconds);
        ScriptedServer server({answer.toStdString()}, ScriptedServer::End::Close);
        tests::RecordingSink sink;
        ChatBrain brain(settingsFor(server.url()));
        const auto usage = brain.reply(hello(), sink, {});
        QVERIFY(!usage);
        QCOMPARE(QString::fromUtf8(core::codeText(usage.error().code).data()),
            QString::fromUtf8(core::codeText(static_cast<core::ErrorCode>(code)).data()));
        QCOMPARE(usage.error().retryAfter.has_value(), retrySeconds >= 0);
        QVERIFY(retrySeconds < 0 || *usage.error().retryAfter == std::chrono::seconds{retrySeconds});
        QVERIFY(usage.error().detail.find("key-123") == std::string::npos);
    }

    void reply_NobodyListens_IsUnreachable()
    {
        std::string url;
        {
            ScriptedServer gone({}, ScriptedServer::End::Close);
            url = gone.url();
        }
        tests::RecordingSink sink;
        const auto usage = ChatBrain(settingsFor(url)).reply(hello(), sink, {});
        QVERIFY(!usage);
        QCOMPARE(usage.error().code, core::ErrorCode::ProviderUnreachable);
    }

    void reply_SilentServer_TimesOut()
    {
        ScriptedServer server({}, ScriptedServer::End::Hold);
        auto settings = settingsFor(server.url());
        settings.timeout = core::Milliseconds{150};
        tests::RecordingSink sink;
        const auto usage = ChatBrain(settings).reply(hello(), sink, {});
        QVERIFY(!usage);
        QCOMPARE(usage.error().code, core::ErrorCode::Timeout);
    }

    void reply_StopWhileStreaming_EndsAtOnce()
    {
        ScriptedServer server(
            {kStreamHead, "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n"}, ScriptedServer::End::Hold);
        auto sent = server.sentAll();
        std::stop_source source;
        std::thread stopper([&] {
            sent.wait();
            source.request_stop();
        });
        QElapsedTimer timer;
        timer.start();
        tests::RecordingSink sink;
        const auto usage = ChatBrain(settingsFor(server.url())).reply(hello(), sink, source.get_token());
        stopper.join();
        QVERIFY(!usage);
        QCOMPARE(usage.error().code, core::ErrorCode::Cancelled);
        QVERIFY(timer.elapsed() < 5000);
    }

    void reply_StopBeforehand_IsCancelled()
    {
        ScriptedServer server({}, ScriptedServer::End::Close);
        std::stop_source source;
        source.request_stop();
        tests::RecordingSink sink;
        const auto usage = ChatBrain(settingsFor(server.url())).reply(hello(), sink, source.get_token());
        QVERIFY(!usage);
        QCOMPARE(usage.error().code, core::ErrorCode::Cancelled);
    }

    void reply_PlainHttpToAStranger_IsRefused()
    {
        tests::RecordingSink sink;
        const auto usage = ChatBrain(settingsFor("http://chat.example")).reply(hello(), sink, {});
        QVERIFY(!usage);
        QCOMPARE(usage.error().code, core::ErrorCode::InsecureUrl);
    }
};

QTEST_GUILESS_MAIN(TestChatBrain)
#include "test_chat_brain.moc"
