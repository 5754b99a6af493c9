#include "broker/providers/gemini_provider.h"
#include "broker/providers/openai_provider.h"
#include "tests/broker/broker_harness.h"
#include "tests/net/test_server.h"

#include <QTest>

#include <functional>
#include <memory>
#include <mutex>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::ErrorCode;

namespace {

constexpr const char* kKey = "key-marker-of-the-broker";
constexpr const char* kToken = "token-marker";

/// Answers whatever is asked, and remembers it.
class AnyServer {
public:
    AnyServer()
    {
        net::Router router;
        for (const char* const path :
            {"/v1/realtime/client_secrets", "/openai/v1/realtime/client_secrets", "/v1beta/auth_tokens"}) {
            net::test::addPlain(
                router, "POST", path, [this](const net::HttpRequest& request) { return answerTo(request); });
        }
        for (const char* const path : {"/v1/models", "/openai/v1/models", "/v1beta/models"}) {
            net::test::addPlain(
                router, "GET", path, [this](const net::HttpRequest& request) { return answerTo(request); });
        }
        server = std::make_unique<net::test::TestServer>(std::move(router));
    }
    [[nodiscard]] std::string url() const { return server->url(""); }
    void answerWith(unsigned status, std::string body)
    {
        const std::lock_guard lock(m_mutex);
        m_status = status;
        m_body = std::move(body);
    }
    [[nodiscard]] net::HttpRequest last()
    {
        const std::lock_guard lock(m_mutex);
        return m_last;
    }

    std::unique_ptr<net::test::TestServer> server;

private:
    net::HttpResponse answerTo(const net::HttpRequest& request)
    {
        const std::lock_guard lock(m_mutex);
        m_last = request;
        return net::HttpResponse::json(m_status, m_body);
    }

    std::mutex m_mutex;
    unsigned m_status = 200;
    std::string m_body;
    net::HttpRequest m_last;
};

/// A row of what is to hold for every provider: how it is made, and how it says a token.
struct Kind {
    const char* name;
    std::function<std::unique_ptr<broker::Provider>(const std::string& url, const core::Clock& clock)> make;
    const char* token;
    bool mints = true;
};

Kind compatible(const char* profile, bool mints)
{
    return {profile,
        [profile](const std::string& url, const core::Clock&) -> std::unique_ptr<broker::Provider> {
            broker::OpenAiProvider::Settings settings;
            settings.name = profile;
            settings.profile = *broker::profileNamed(profile);
            settings.baseUrl = url;
            settings.defaultModel = "voice 1";
            settings.models = {"voice 1"};
            settings.apiKey = core::Secret(std::string_view(kKey));
            return std::make_unique<broker::OpenAiProvider>(std::move(settings));
        },
        R"({"value":"token-marker","expires_at":1800000060})", mints};
}

/// A provider that is added has its row here.
const std::vector<Kind>& kinds()
{
    static const std::vector<Kind> all{compatible("openai", true), compatible("azure", true), compatible("xai", false),
        compatible("localai", false), compatible("speaches", false), compatible("speech-to-speech", false),
        Kind{"gemini",
            [](const std::string& url, const core::Clock& clock) -> std::unique_ptr<broker::Provider> {
                broker::GeminiProvider::Settings settings;
                settings.baseUrl = url;
                settings.version = "v1beta";
                settings.defaultModel = "voice 1";
                settings.apiKey = core::Secret(std::string_view(kKey));
                return std::make_unique<broker::GeminiProvider>(std::move(settings), clock);
            },
            R"({"name":"auth_tokens/token-marker"})"}};
    return all;
}

void addKinds(bool thatMint)
{
    QTest::addColumn<int>("number");
    for (std::size_t i = 0; i < kinds().size(); ++i) {
        if (!thatMint || kinds()[i].mints) {
            QTest::newRow(kinds()[i].name) << static_cast<int>(i);
        }
    }
}

struct World {
    explicit World(std::size_t number) : kind(kinds().at(number)), provider(kind.make(server.url(), clock))
    {
        server.answerWith(200, kind.token);
    }
    [[nodiscard]] core::Expected<broker::MintedToken, core::Error> mint(broker::MintOrder order = {"voice 1", {}, {}})
    {
        return server.server->loop().run(provider->mint(order));
    }
    [[nodiscard]] core::Expected<net::WebSocketRequest, core::Error> opening(
        broker::MintOrder order = {"voice 1", {}, {}})
    {
        return server.server->loop().run(provider->opening(order));
    }
    [[nodiscard]] core::Expected<void, core::Error> probe() { return server.server->loop().run(provider->probe()); }

    SharedClock clock;
    AnyServer server;
    const Kind& kind;
    std::unique_ptr<broker::Provider> provider;
};

bool hasMarker(const std::string& text)
{
    return text.find("marker") != std::string::npos;
}

std::size_t rowNumber()
{
    QFETCH(int, number);
    return static_cast<std::size_t>(number);
}

} // namespace

/// What holds for each provider of a broker, whoever adds one.
class TestProviderConformance : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void names_AreThere_data() { addKinds(false); }
    void names_AreThere()
    {
        World world(rowNumber());
        QVERIFY(!world.provider->name().empty());
        QCOMPARE(world.provider->defaultModel(), std::string("voice 1"));
        QVERIFY(world.provider->serves("voice 1"));
    }

    /// Clients and logs see it.
    void address_IsAWebSocketWithoutACredential_data() { addKinds(false); }
    void address_IsAWebSocketWithoutACredential()
    {
        World world(rowNumber());
        const core::broker::ConnectInfo info = world.provider->connect("voice 1");
        QVERIFY2(info.url.starts_with("ws://127.0.0.1:"), info.url.c_str());
        QVERIFY(!hasMarker(info.url) && info.url.find(' ') == std::string::npos);
        QVERIFY(info.dialect == "openai-ga" || info.dialect == "openai-beta" || info.dialect == "gemini");
        QVERIFY(!info.auth.empty());
    }

    void token_IsWhatTheServerGave_data() { addKinds(true); }
    void token_IsWhatTheServerGave()
    {
        World world(rowNumber());
        const auto minted = world.mint();
        QVERIFY2(minted.has_value(), minted ? "" : minted.error().detail.c_str());
        QVERIFY(minted->value.reveal().ends_with(kToken));
        QVERIFY(minted->expiresAt > world.clock.wallNow());
        // The key goes in a field, where no log of addresses has it.
        QVERIFY(!hasMarker(world.server.last().path + world.server.last().query + world.server.last().body));
    }

    void token_HoldsToWhatIsFixed_data() { addKinds(true); }
    void token_HoldsToWhatIsFixed()
    {
        World world(rowNumber());
        QVERIFY(world.provider->pins());
        const broker::MintOrder order{"voice 1", "marin", "Be kind."};
        QVERIFY(world.mint(order).has_value());
        QVERIFY(hasBoth(world.server.last().body));
        world.server.answerWith(200, world.kind.token);
        QVERIFY(world.opening(order).has_value());
        QVERIFY(hasBoth(world.server.last().body));
    }
    static bool hasBoth(const std::string& text)
    {
        return text.find("marin") != std::string::npos && text.find("Be kind.") != std::string::npos;
    }

    void whoeverMintsNothing_SaysSo_data() { addKinds(false); }
    void whoeverMintsNothing_SaysSo()
    {
        World world(rowNumber());
        QCOMPARE(world.provider->pins(), world.kind.mints);
    }

    void door_HasItsCredentialInAField_data() { addKinds(false); }
    void door_HasItsCredentialInAField()
    {
        World world(rowNumber());
        const auto opening = world.opening();
        QVERIFY(opening.has_value());
        QVERIFY(opening->url.starts_with("ws://127.0.0.1:") && !hasMarker(opening->url));
        int credentials = 0;
        for (const auto& field : opening->headers.fields()) {
            credentials += hasMarker(field.value) ? 1 : 0;
        }
        QCOMPARE(credentials, 1);
    }

    void fault_HasItsCodeAndNoSecret_data()
    {
        QTest::addColumn<int>("number");
        QTest::addColumn<uint>("status");
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("code");
        for (std::size_t i = 0; i < kinds().size(); ++i) {
            if (!kinds()[i].mints) {
                continue;
            }
            const auto row = [&](uint status, const char* body, ErrorCode code) {
                QTest::addRow("%s, %u %s", kinds()[i].name, status, body)
                    << static_cast<int>(i) << status << QByteArray(body) << static_cast<int>(code);
            };
            row(401, R"({"error":{"message":"key-marker is not a key"}})", ErrorCode::ProviderRefused);
            row(403, "key-marker", ErrorCode::ProviderRefused);
            row(429, "{}", ErrorCode::RateLimited);
            const bool isGemini = kinds()[i].name == std::string_view("gemini");
            row(404, R"({"error":{"code":"DeploymentNotFound"}})",
                isGemini ? ErrorCode::ChoiceRefused : ErrorCode::BadUsage);
            row(404, "{}", ErrorCode::ChoiceRefused);
            row(402, "{}", ErrorCode::ProviderQuota);
            row(503, "", ErrorCode::ProviderFailed);
            row(200, "", ErrorCode::ProviderMalformed);
            row(200, "[]", ErrorCode::ProviderMalformed);
            // It would go to the client.
            row(200,
                R"({"value":"key-marker-of-the-broker","name":"auth_tokens/key-marker-of-the-broker","expires_at":1800000060})",
                ErrorCode::ProviderMalformed);
            row(200,
                R"({"value":"token-marker\r\nX-A: b","name":"auth_tokens/token-marker\r\nX-A: b","expires_at":1800000060})",
                ErrorCode::ProviderMalformed);
        }
    }
    void fault_HasItsCodeAndNoSecret()
    {
        QFETCH(uint, status);
        QFETCH(QByteArray, body);
        QFETCH(int, code);
        World world(rowNumber());
        world.server.answerWith(status, body.toStdString());
        const auto minted = world.mint();
        QVERIFY(!minted);
        QCOMPARE(static_cast<int>(minted.error().code), code);
        QVERIFY2(!hasMarker(minted.error().detail), minted.error().detail.c_str());
        // Nothing of it is left.
        world.server.answerWith(200, world.kind.token);
        QVERIFY(world.mint().has_value());
    }

    void nobodyThere_IsUnreachable_data() { addKinds(true); }
    void nobodyThere_IsUnreachable()
    {
        World world(rowNumber());
        world.server.server->destroy();
        const auto minted = world.mint();
        QVERIFY(!minted);
        QCOMPARE(minted.error().code, ErrorCode::ProviderUnreachable);
    }

    void probe_MintsNothing_AndKnowsARefusedKey_data() { addKinds(false); }
    void probe_MintsNothing_AndKnowsARefusedKey()
    {
        World world(rowNumber());
        QVERIFY(world.probe().has_value());
        QCOMPARE(world.server.last().method, std::string("GET"));
        world.server.answerWith(401, "{}");
        const auto refused = world.probe();
        QVERIFY(!refused && refused.error().code == ErrorCode::ProviderRefused);
        // Who has no list of models is there all the same.
        for (const unsigned status : {404U, 405U, 426U}) {
            world.server.answerWith(status, "{}");
            QVERIFY(world.probe().has_value());
        }
    }
};

QTEST_GUILESS_MAIN(TestProviderConformance)
#include "test_provider_conformance.moc"
