#include "core/token/broker_token_source.h"
#include "tests/broker/compatible_stand_in.h"

#include <QTest>

#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::tests;

namespace {

using Change = std::function<void(broker::Config&)>;

/// The client's requests, over the network to the real broker; answered when the test says so.
class WiredHttp final : public core::HttpClient {
public:
    explicit WiredHttp(BrokerWorld& broker) : m_broker(broker) {}

    [[nodiscard]] std::unique_ptr<core::HttpCall> send(Request request, Callback done) override
    {
        net::ClientRequest question;
        question.method = request.method;
        question.url = request.url;
        question.headers = request.headers;
        question.body = std::move(request.body);
        if (request.bearer != nullptr) {
            question.headers.set("Authorization", "Bearer " + std::string(request.bearer->reveal()));
        }
        m_waiting.push_back({m_broker.begin(std::move(question)), std::move(done)});
        return std::make_unique<core::HttpCall>();
    }
    void answerAll()
    {
        while (!m_waiting.empty()) {
            auto [answer, done] = std::move(m_waiting.back());
            m_waiting.pop_back();
            net::ClientResponse response = BrokerWorld::wait(std::move(answer));
            done(Response{static_cast<int>(response.status), response.headers, std::move(response.body)});
        }
    }

private:
    BrokerWorld& m_broker;
    std::vector<std::pair<std::future<BrokerWorld::Answer>, Callback>> m_waiting;
};

/// A client, a broker and Azure, where there is one deployment of the two that the broker lists.
struct World {
    explicit World(const Change& change = {})
        : azure("azure"), relay([this, change](broker::Config& config) {
              broker::CompatibleProvider one;
              one.name = "azure";
              one.profile = "azure";
              one.url = azure.url();
              one.models = {"here", "gone"};
              one.key = std::make_shared<const core::Secret>(std::string_view(CompatibleStandIn::kKey));
              config.compatible.push_back(std::move(one));
              if (change) {
                  change(config);
              }
          })
    {
        azure.forget("gone");
    }

    [[nodiscard]] core::BrokerTokenSource client(WiredHttp& http, core::BrokerWishes wishes)
    {
        BrokerWorld& broker = relay.operators.broker;
        return core::BrokerTokenSource({http, broker.clock, broker.url(),
            std::make_shared<core::LiteralCredential>(std::make_shared<const core::Secret>(relay.operators.user())),
            std::move(wishes), "0123456789abcdef0123456789abcdef"});
    }

    /// What a client whose conversations are for `project` gets; of `previous` the next token.
    [[nodiscard]] core::Expected<core::TokenPtr, core::Error> fetchFor(
        const std::string& project, core::TokenPtr previous = nullptr)
    {
        WiredHttp http(relay.operators.broker);
        core::BrokerTokenSource source = client(http, {"azure", "here", "", "", project});
        core::Expected<core::TokenPtr, core::Error> answer = core::fail(core::ErrorCode::Internal, "no answer");
        source.fetch({std::move(previous), {}},
            [&](core::Expected<core::TokenPtr, core::Error> token) { answer = std::move(token); });
        http.answerAll();
        return answer;
    }

    /// As an admin of the broker: "/members/add" and the like.
    void administer(const std::string& path, const core::Json& body)
    {
        OperatorWorld& operators = relay.operators;
        const auto answer = operators.as(operators.admin(), "POST", "/api/admin/projects" + path, body.dump());
        QVERIFY2(answer.status == 200, answer.body.c_str());
    }

    /// As the program has it: of a token, its provider; of a failure, its code.
    [[nodiscard]] std::string asks(const std::string& provider, const std::string& model, int* exitCode = nullptr)
    {
        WiredHttp http(relay.operators.broker);
        core::BrokerWishes wishes;
        wishes.provider = provider;
        wishes.model = model;
        core::BrokerTokenSource source = client(http, std::move(wishes));
        std::optional<core::Expected<core::TokenPtr, core::Error>> answer;
        source.fetch({}, [&](core::Expected<core::TokenPtr, core::Error> token) { answer = std::move(token); });
        http.answerAll();
        if (!answer) {
            return "nothing";
        }
        if (exitCode != nullptr) {
            *exitCode = *answer ? 0 : core::exitCode(answer->error().code);
        }
        return *answer ? answer->value()->provider : std::string(core::codeText(answer->error().code));
    }

    CompatibleStandIn azure;
    RelayWorld relay;
};

} // namespace

/// What a broker, or the provider behind it, has against a choice, as it reaches the client.
class TestProviderChoice : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void choice_ThatIsGood_IsWhoServes()
    {
        World world;
        QCOMPARE(world.asks("azure", "here"), std::string("azure"));
        QCOMPARE(world.asks("", "here"), std::string("azure"));
        QCOMPARE(world.asks("azure", ""), std::string("azure"));
        QVERIFY(world.asks("", "") != "azure");
    }

    void provider_ThatTheBrokerDoesNotHave_IsUnknown()
    {
        World world;
        int exit = 0;
        QCOMPARE(world.asks("mistral", "", &exit), std::string("provider.unknown"));
        QCOMPARE(exit, 2);
    }

    void model_OfAnotherProvider_IsRefused()
    {
        World world;
        int exit = 0;
        QCOMPARE(world.asks("azure", "another", &exit), std::string("choice.refused"));
        QCOMPARE(exit, 2);
        // Nobody was asked for it.
        QVERIFY(world.azure.refused().empty());
    }

    void model_ThatTheProviderDoesNotHave_IsRefused()
    {
        World world;
        QCOMPARE(world.asks("azure", "gone"), std::string("choice.refused"));
        QCOMPARE(world.azure.refused(), std::vector<unsigned>{404});
    }

    void project_ThatTheBrokerRequires_IsNamed_AndKeptByARenewal()
    {
        World world([](broker::Config& config) {
            config.projects.check = broker::ProjectSettings::Check::Table;
            config.projects.isRequired = true;
        });
        const std::string issuer = world.relay.operators.login.url();
        const core::Json member{
            {"project", "choir"}, {"user", "2:" + std::to_string(issuer.size()) + ":" + issuer + ":u1"}};
        world.administer("", {{"id", "choir"}});
        world.administer("", {{"id", "band"}});
        world.administer("/members/add", member);
        const auto none = world.fetchFor("");
        QVERIFY(!none && none.error().code == core::ErrorCode::ChoiceNotAllowed);
        QCOMPARE(none.error().foreignCode, std::string("project_needed"));
        QVERIFY(none.error().detail.find("projectId") != std::string::npos);
        const auto another = world.fetchFor("band");
        QVERIFY(!another && another.error().code == core::ErrorCode::ChoiceNotAllowed);
        QCOMPARE(another.error().foreignCode, std::string("project_not_allowed"));
        const auto token = world.fetchFor("choir");
        QVERIFY2(token.has_value(), token ? "" : token.error().detail.c_str());
        const auto next = world.fetchFor("choir", *token);
        QVERIFY2(next.has_value(), next ? "" : next.error().detail.c_str());
        QCOMPARE((*next)->sessionId, (*token)->sessionId);
        // Whoever is no member any more does not go on.
        world.administer("/members/remove", member);
        const auto over = world.fetchFor("choir", *next);
        QVERIFY(!over && over.error().code == core::ErrorCode::NotAuthorised);
        QCOMPARE(over.error().foreignCode, std::string("project_not_allowed"));
    }

    void choice_ThatAPolicyForbids_IsNotAllowed()
    {
        World world([](broker::Config& config) { config.policy.models = std::vector<std::string>{"here"}; });
        int exit = 0;
        QCOMPARE(world.asks("azure", "gone", &exit), std::string("choice.not_allowed"));
        QCOMPARE(exit, 3);
        QCOMPARE(world.asks("azure", "here"), std::string("azure"));
        QVERIFY(world.azure.refused().empty());
    }
};

QTEST_GUILESS_MAIN(TestProviderChoice)
#include "test_provider_choice.moc"
