#include "core/base/json.h"
#include "core/base/rfc3339.h"
#include "core/protocol/gemini/auth_token.h"
#include "tests/broker/broker_harness.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <mutex>
#include <optional>
#include <set>
#include <sstream>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

constexpr const char* kGeminiKey = "gemini-key-marker";

net::HttpResponse refusal(unsigned status, const std::string& why)
{
    return net::HttpResponse::json(
        status, core::writeJson({{"error", {{"code", status}, {"message", why}, {"status", "INVALID_ARGUMENT"}}}}));
}

/// What stands in for Google's mint: it refuses what Google refuses.
class GeminiMint {
public:
    explicit GeminiMint(const SharedClock& clock) : m_clock(clock)
    {
        net::Router router;
        router.add("POST", "/v1beta/auth_tokens", [this](const net::HttpRequest& request) { return mint(request); });
        auto made = net::Server::create({m_threads.executor()}, {}, std::move(router));
        m_server = std::move(*made);
        m_server->start();
    }
    ~GeminiMint()
    {
        m_server.reset();
        m_threads.stop();
    }

    [[nodiscard]] std::string url() const { return m_server->url(); }
    void answerWith(std::optional<net::HttpResponse> answer)
    {
        const std::lock_guard lock(m_mutex);
        m_answer = std::move(answer);
    }
    [[nodiscard]] core::gemini::AuthTokenRequest last() const
    {
        const std::lock_guard lock(m_mutex);
        return m_requests.empty() ? core::gemini::AuthTokenRequest() : m_requests.back();
    }
    [[nodiscard]] std::size_t count() const
    {
        const std::lock_guard lock(m_mutex);
        return m_requests.size();
    }

private:
    net::Awaitable<net::HttpResponse> mint(const net::HttpRequest& request)
    {
        const std::lock_guard lock(m_mutex);
        if (m_answer) {
            co_return *m_answer;
        }
        if (request.headers.find("x-goog-api-key") != kGeminiKey || request.headers.find("Authorization")
            || !request.query.empty()) {
            co_return refusal(403, "Method doesn't allow unregistered callers");
        }
        auto read = core::gemini::decodeAuthTokenRequest(request.body);
        if (!read) {
            co_return refusal(400, read.error().message);
        }
        if (auto why = faultOf(*read, request.body); !why.empty()) {
            co_return refusal(400, why);
        }
        m_requests.push_back(std::move(*read));
        co_return net::HttpResponse::json(
            200, R"({"name":"auth_tokens/marker_)" + std::to_string(m_requests.size()) + R"("})");
    }

    std::string faultOf(const core::gemini::AuthTokenRequest& request, const std::string& body) const
    {
        const core::WallTime now = m_clock.wallNow();
        const auto isSoon = [&](const std::optional<std::string>& text) {
            const auto time = text ? core::parseRfc3339(*text) : std::nullopt;
            return time && *time > now && *time < now + std::chrono::hours(20);
        };
        if (!isSoon(request.expireTime) || !isSoon(request.newSessionExpireTime)) {
            return "expire_time";
        }
        if (!request.setup || !request.fieldMask) {
            return "everything would be pinned";
        }
        const auto json = core::parseJson(body);
        std::istringstream paths(*request.fieldMask);
        for (std::string path; std::getline(paths, path, ',');) {
            const core::Json* at = &json->at("bidiGenerateContentSetup");
            std::istringstream steps(path);
            int levels = 0;
            for (std::string step; std::getline(steps, step, '.'); ++levels) {
                if (!at->contains(step)) {
                    return "field_mask names what is not there";
                }
                at = &at->at(step);
            }
            if (levels > 2) {
                return "field_mask is too deep";
            }
        }
        return {};
    }

    const SharedClock& m_clock;
    NetThreads m_threads;
    mutable std::mutex m_mutex;
    std::optional<net::HttpResponse> m_answer;
    std::vector<core::gemini::AuthTokenRequest> m_requests;
    std::unique_ptr<net::Server> m_server;
};

/// The broker with both providers.
struct World {
    explicit World(const std::function<void(broker::Config&)>& change = {})
        : gemini(clock), broker([this, change](broker::Config& config) {
              config.geminiUrl = gemini.url() + "/";
              config.geminiKey = core::Secret(kGeminiKey);
              if (change) {
                  change(config);
              }
          })
    {
    }
    SharedClock clock;
    GeminiMint gemini;
    BrokerWorld broker;
};

} // namespace

class BrokerGeminiTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void mint_WithGemini_LeadsThere()
    {
        World world;
        const auto token = world.broker.mint(R"({"provider":"gemini"})");
        QCOMPARE(token.provider, std::string("gemini"));
        QCOMPARE(token.model, std::string("gemini-3.8-live"));
        QCOMPARE(token.token.reveal(), std::string_view("auth_tokens/marker_1"));
        QCOMPARE(token.transport, std::string("direct"));
        QCOMPARE(token.connect.url,
            "ws" + world.gemini.url().substr(4)
                + "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContentConstrained");
        QCOMPARE(token.connect.auth, std::string("token"));
        QCOMPARE(token.connect.dialect, std::string("gemini"));
        QCOMPARE(token.expiresIn, std::int64_t{60});
        QVERIFY(world.broker.log.text().find("marker") == std::string::npos);
    }

    void mint_PinsWhatTheBrokerDecidesAndNothingElse()
    {
        World world;
        (void)world.broker.mint(R"({"model":"gemini-3.1-flash-live-preview"})");
        core::gemini::AuthTokenRequest request = world.gemini.last();
        QCOMPARE(request.setup->model, std::string("models/gemini-3.1-flash-live-preview"));
        QCOMPARE(*request.fieldMask, std::string("model"));
        QCOMPARE(*request.uses, std::int64_t{1});
        (void)world.broker.mint(R"({"provider":"gemini","voice":"Kore","instructions":"Be brief."})");
        request = world.gemini.last();
        QCOMPARE(*request.setup->generationConfig->voiceName, std::string("Kore"));
        QCOMPARE(*request.setup->systemInstruction->parts.at(0).text, std::string("Be brief."));
        QCOMPARE(*request.fieldMask, std::string("model,systemInstruction,generationConfig.speechConfig"));
    }

    void mint_OpensForAMinute_AndLastsAsLongAsTheSessionMay()
    {
        World world([](broker::Config& config) { config.longestSession = std::chrono::seconds(3'600); });
        (void)world.broker.mint(R"({"provider":"gemini"})");
        const core::WallTime now = world.clock.wallNow();
        const auto request = world.gemini.last();
        QVERIFY(core::parseRfc3339(*request.newSessionExpireTime) == now + std::chrono::seconds(60));
        QVERIFY(core::parseRfc3339(*request.expireTime) == now + std::chrono::seconds(3'600));
    }

    void model_SaysWhoseSessionItIs()
    {
        World world;
        QCOMPARE(world.broker.mint("{}").provider, std::string("local"));
        QCOMPARE(world.broker.mint(R"({"model":"gemini-9-live"})").provider, std::string("gemini"));
        QCOMPARE(world.broker.mint(R"({"model":"gpt-realtime"})").provider, std::string("local"));
        QCOMPARE(codeOf(world.broker.send(world.broker.mintRequest(R"({"provider":"gemini","model":"gpt-realtime"})"))),
            std::string("provider_rejected"));
        QCOMPARE(codeOf(world.broker.send(world.broker.mintRequest(R"({"provider":"mistral"})"))),
            std::string("unknown_provider"));
    }

    void policy_SaysWhichProviderACallerGets()
    {
        World world([](broker::Config& config) { config.policy.providers = std::vector<std::string>{"gemini"}; });
        QCOMPARE(world.broker.mint("{}").provider, std::string("gemini"));
        QCOMPARE(codeOf(world.broker.send(world.broker.mintRequest(R"({"model":"gpt-realtime"})"))),
            std::string("not_allowed"));
    }

    void modelsOfAPolicy_AreEachItsProviders()
    {
        World world([](broker::Config& config) {
            config.policy.models = std::vector<std::string>{"gpt-realtime", "gemini-3.9-live", "gemini-3.8-live"};
        });
        QCOMPARE(world.broker.mint("{}").model, std::string("gpt-realtime"));
        QCOMPARE(world.broker.mint(R"({"provider":"gemini"})").model, std::string("gemini-3.9-live"));
        const auto without = [](broker::Config& config) {
            config.policy.models = std::vector<std::string>{"gpt-realtime"};
        };
        QCOMPARE(world.broker.reload(without), std::string());
        QCOMPARE(codeOf(world.broker.send(world.broker.mintRequest(R"({"provider":"gemini"})"))),
            std::string("provider_rejected"));
        const auto gemini = [](broker::Config& config) {
            config.policy.providers = std::vector<std::string>{"gemini"};
        };
        QCOMPARE(world.broker.reload(gemini), std::string());
        const auto token = world.broker.mint("{}");
        QCOMPARE(token.provider, std::string("gemini"));
        QCOMPARE(token.model, std::string("gemini-3.9-live"));
    }

    void refresh_IsGeminisToo()
    {
        World world;
        const auto token = world.broker.mint(R"({"provider":"gemini"})");
        const auto answer = world.broker.send(world.broker.refreshRequest(token.token.reveal()));
        QCOMPARE(answer.status, 200U);
        QCOMPARE(tokenOf(answer).token.reveal(), std::string_view("auth_tokens/marker_2"));
        QCOMPARE(tokenOf(answer).sessionId, token.sessionId);
    }

    void relay_IsOpenedWithTheBrokersOwnToken()
    {
        World world([](broker::Config& config) { config.policy.isRelayed = true; });
        const auto token = world.broker.mint(R"({"provider":"gemini"})");
        QCOMPARE(token.transport, std::string("relay"));
        QCOMPARE(token.connect.dialect, std::string("gemini"));
        QCOMPARE(token.connect.auth, std::string("bearer"));
        QVERIFY(token.connect.url.ends_with("/api/voice/stream"));
        QCOMPARE(world.gemini.count(), std::size_t{0});
    }

    void withoutAKey_ThereIsNoGemini()
    {
        BrokerWorld world;
        QCOMPARE(codeOf(world.send(world.mintRequest(R"({"provider":"gemini"})"))), std::string("unknown_provider"));
        broker::Config config;
        QVERIFY(!config.isProviderThere());
        config.providerKey = core::Secret("key");
        QVERIFY(config.isProviderThere());
    }

    void answerOfGoogle_IsToldAsOurs_data()
    {
        QTest::addColumn<uint>("theirs");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QByteArray>("code");
        const auto row = [](const char* name, uint theirs, const char* body, const char* code) {
            QTest::newRow(name) << theirs << QByteArray(body) << QByteArray(code);
        };
        row("bad key", 400,
            R"({"error":{"code":400,"message":"API key not valid. marker","details":[{"reason":"API_KEY_INVALID"}]}})",
            "provider_refused");
        row("bad order", 400, R"({"error":{"code":400,"message":"marker"}})", "provider_rejected");
        row("odd details", 400, R"({"error":{"details":[7,{"reason":1}]}})", "provider_rejected");
        row("permission", 403, "marker", "provider_refused");
        row("patience", 429, R"({"error":{"message":"Resource has been exhausted marker"}})", "provider_rate_limited");
        row("quota", 429, R"({"error":{"message":"You exceeded your current quota marker"}})", "provider_quota");
        row("fault", 500, "marker", "provider_failed");
        row("other version", 404, "marker", "provider_rejected");
        row("not JSON", 200, "<html>marker", "provider_malformed");
        row("no name", 200, R"({"token":"marker"})", "provider_malformed");
        row("another's token", 200, R"({"name":"ek_marker"})", "provider_malformed");
        row("a line's end", 200, R"({"name":"auth_tokens/a\r\nX-A: marker"})", "provider_malformed");
        row("a number", 200, R"({"name":7})", "provider_malformed");
    }
    void answerOfGoogle_IsToldAsOurs()
    {
        QFETCH(uint, theirs);
        QFETCH(QByteArray, body);
        QFETCH(QByteArray, code);
        World world;
        world.gemini.answerWith(net::HttpResponse::json(theirs, body.toStdString()));
        const auto answer = world.broker.send(world.broker.mintRequest(R"({"provider":"gemini"})"));
        QCOMPARE(codeOf(answer), code.toStdString());
        QVERIFY2(answer.body.find("marker") == std::string::npos, answer.body.c_str());
        world.gemini.answerWith(std::nullopt);
        QCOMPARE(world.broker.mint(R"({"provider":"gemini"})").provider, std::string("gemini"));
    }
};

QTEST_GUILESS_MAIN(BrokerGeminiTest)
#include "test_broker_gemini.moc"
