#include "broker/config.h"
#include "broker/config_changes.h"
#include "broker/config_problems.h"
#include "broker/providers/profile.h"
#include "broker/relay/session_beginning.h"
#include "core/base/json.h"
#include "tests/broker/compatible_stand_in.h"

#include <nlohmann/json.hpp>

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <map>

using namespace vivavoce;
using namespace vivavoce::tests;
using core::Json;

namespace {

using Change = std::function<void(broker::Config&)>;

/// A broker with one server beside its own provider.
struct World {
    explicit World(
        const std::string& profile, const Change& change = {}, const std::string& key = CompatibleStandIn::kKey)
        : server(profile), relay([&, change](broker::Config& config) {
              broker::CompatibleProvider one;
              one.name = "other";
              one.profile = profile;
              one.url = server.url();
              one.models = {"voice-1", "voice 2"};
              one.key = std::make_shared<const core::Secret>(std::string_view(key));
              config.compatible.push_back(one);
              if (change) {
                  change(config);
              }
          })
    {
    }

    [[nodiscard]] net::ClientResponse ask(const std::string& body)
    {
        return relay.operators.as(relay.operators.user(), "POST", "/api/voice-agent/token", body);
    }
    [[nodiscard]] core::broker::TokenResponse token(const std::string& body = R"({"provider":"other"})")
    {
        return tokenOf(ask(body));
    }
    [[nodiscard]] Json usage()
    {
        return Json::parse(relay.operators.as(relay.operators.user(), "GET", "/api/voice/usage").body);
    }

    CompatibleStandIn server;
    RelayWorld relay;
};

/// A client and the server, at the ends of one stream.
struct Talk {
    explicit Talk(World& world, const core::broker::TokenResponse& session)
        : client(world.relay.open(session)), line(world.server.next())
    {
    }
    void hangUp()
    {
        client->line().close(1000, "");
        (void)line->end();
    }
    std::unique_ptr<StreamClient> client;
    std::shared_ptr<Line> line;
};

void addProfiles(std::initializer_list<const char*> names)
{
    QTest::addColumn<QString>("profile");
    for (const char* name : names) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

std::string profileOfRow()
{
    QFETCH(QString, profile);
    return profile.toStdString();
}

} // namespace

/// Servers that speak OpenAI Realtime, or nearly, behind the real broker: who gets which, what they are asked with, and what of it is metered.
class TestCompatibleProviders : public QObject {
    Q_OBJECT

    QTemporaryDir m_folder;

    using Variables = std::map<std::string, std::string>;

    [[nodiscard]] std::string written(const char* name, const std::string& text)
    {
        const QString path = m_folder.filePath(QString::fromLatin1(name));
        QFile file(path);
        if (!file.open(QIODevice::WriteOnly)) {
            return {};
        }
        file.write(text.data(), static_cast<qint64>(text.size()));
        file.setPermissions(QFile::ReadOwner | QFile::WriteOwner);
        return path.toStdString();
    }

    [[nodiscard]] std::vector<std::string> problemsOf(
        const std::string& toml, broker::Config* into = nullptr, const Variables& variables = {})
    {
        broker::Problems problems;
        broker::Overrides overrides;
        overrides.configFile = written("broker.toml", toml);
        const auto variable = [&](const char* name) {
            const auto known = variables.find(name);
            return known == variables.end() ? std::nullopt : std::optional(known->second);
        };
        broker::Config config = broker::loadConfig(overrides, variable, problems);
        std::vector<std::string> texts;
        for (const auto& problem : problems.all()) {
            if (problem.text.starts_with("providers.") || problem.text.starts_with("MY_SERVER")) {
                texts.push_back(problem.text);
            }
        }
        if (into != nullptr) {
            *into = std::move(config);
        }
        return texts;
    }

private Q_SLOTS:
    void file_HasWhatTheProgramNeeds()
    {
        QVERIFY(broker::profiles().size() >= 6);
        for (const broker::Profile& profile : broker::profiles()) {
            QVERIFY2(profile.root.starts_with('/') && !profile.root.ends_with('/'), profile.name.c_str());
            QVERIFY2(profile.query.find("{model}") != std::string::npos, profile.name.c_str());
            QVERIFY2(profile.from.size() == 10, profile.name.c_str());
            QVERIFY2(profile.dialect == "openai-ga" || profile.dialect == "openai-beta", profile.name.c_str());
            QCOMPARE(broker::profileNamed(profile.name), &profile);
        }
        QVERIFY(broker::profileNamed("nobody") == nullptr);
        // Whatever the file cannot spell would be read as something else.
        const Json file = Json::parse(broker::builtInProfiles());
        for (const Json& row : file.at("profiles")) {
            const auto isOneOf = [&](const char* key, std::initializer_list<const char*> known) {
                return std::find(known.begin(), known.end(), row.at(key).get<std::string>()) != known.end();
            };
            const auto rates = row.count("input_rate") + row.count("output_rate");
            QVERIFY(row.size() == 7 + rates && isOneOf("key", {"bearer", "api-key"})
                && isOneOf("tokens", {"pinned", "none"}));
        }
    }

    void file_ThatIsWrong_IsToldAndReadByNobody_data()
    {
        QTest::addColumn<QByteArray>("file");
        QTest::addColumn<QByteArray>("fault");
        const QByteArray row = "{\"name\":\"openai\",\"from\":\"2026-08-21\",\"root\":\"/v1\",\"query\":\"m\","
                               "\"key\":\"bearer\",\"tokens\":\"pinned\",\"dialect\":\"openai-ga\"}";
        const auto fileOf = [](const QByteArray& rows) { return "{\"profiles\":[" + rows + "]}"; };
        QTest::newRow("whole") << fileOf(row) << QByteArray();
        QTest::newRow("no JSON") << QByteArray("{") << QByteArray("there is no list of profiles");
        QTest::newRow("no list") << QByteArray("{\"profiles\":1}") << QByteArray("there is no list of profiles");
        QTest::newRow("no rows") << fileOf("") << QByteArray("there is no row \"openai\"");
        QTest::newRow("no object") << fileOf(row + ",1") << QByteArray("row 2: is no object");
        QTest::newRow("nothing missing but the root")
            << fileOf(QByteArray(row).replace("root", "roof")) << QByteArray("row 1: root is missing");
        QTest::newRow("a way to give the key that nobody knows")
            << fileOf(QByteArray(row).replace("bearer", "bear")) << QByteArray("row 1: key is missing, or nothing");
        const auto rated = [&](const char* rates) { return fileOf(QByteArray(row).replace("}", rates)); };
        QTest::newRow("rates") << rated(",\"input_rate\":16000,\"output_rate\":48000}") << QByteArray();
        QTest::newRow("a rate that nothing has")
            << rated(",\"input_rate\":1600}") << QByteArray("row 1: input_rate is no sampling rate");
        QTest::newRow("a rate in words") << rated(",\"output_rate\":\"48 kHz\"}")
                                         << QByteArray("row 1: output_rate is no sampling rate");
    }
    void file_ThatIsWrong_IsToldAndReadByNobody()
    {
        QFETCH(QByteArray, file);
        QFETCH(QByteArray, fault);
        const auto parsed = broker::parseProfiles(file.toStdString());
        QCOMPARE(parsed.has_value(), fault.isEmpty());
        QVERIFY2(parsed || parsed.error().starts_with(fault.toStdString()), parsed ? "" : parsed.error().c_str());
        QVERIFY(!broker::faultOfProfiles());
        QCOMPARE(broker::openAiProfile().name, std::string("openai"));
    }

    void model_TellsWhoServes()
    {
        World world("openai");
        QCOMPARE(world.token(R"({"model":"voice-1"})").provider, std::string("other"));
        QCOMPARE(world.token(R"({"provider":"other"})").model, std::string("voice-1"));
        QCOMPARE(world.token(R"({"provider":"other","model":"voice 2"})").model, std::string("voice 2"));
        QCOMPARE(codeOf(world.ask(R"({"provider":"other","model":"another"})")), std::string("provider_rejected"));
        QVERIFY(world.token("{}").provider != "other");
        QVERIFY(world.token(R"({"model":"another"})").provider != "other");
    }

    void policy_CanNameIt()
    {
        World world(
            "openai", [](broker::Config& config) { config.policy.providers = {std::vector<std::string>{"other"}}; });
        QCOMPARE(world.token("{}").provider, std::string("other"));
        QCOMPARE(codeOf(world.ask(R"({"model":"gpt-realtime"})")), std::string("not_allowed"));
    }

    void withoutAKeyForTheProvider_ItServesWhoeverAsksForNothing()
    {
        World world("openai", [](broker::Config& config) {
            config.providerKey = core::Secret();
            config.providerUrl = "https://api.openai.com";
        });
        QCOMPARE(world.token("{}").provider, std::string("other"));
        // And the other one is not offered.
        const auto answer = world.ask(R"({"provider":"openai"})");
        QCOMPARE(codeOf(answer), std::string("unknown_provider"));
        QVERIFY2(answer.body.find("this broker has \\\"other\\\"\"") != std::string::npos, answer.body.c_str());
        QCOMPARE(codeOf(world.ask(R"({"provider":"mistral"})")), std::string("unknown_provider"));
        const auto nobodys = world.ask(R"({"model":"gpt-realtime"})");
        QCOMPARE(codeOf(nobodys), std::string("provider_rejected"));
        QVERIFY2(
            nobodys.body.find("no provider of this broker has that model") != std::string::npos, nobodys.body.c_str());
    }

    void modelThatAProviderDoesNotHave_IsToldWithThoseThatItHas()
    {
        World world("openai", [](broker::Config& config) {
            for (int i = 1; i <= 10; ++i) {
                config.compatible.front().models.push_back("more " + std::to_string(i));
            }
        });
        const auto answer = world.ask(R"({"provider":"other","model":"nobodys"})");
        QCOMPARE(codeOf(answer), std::string("provider_rejected"));
        const std::string detail = Json::parse(answer.body).at("detail").get<std::string>();
        QVERIFY2(detail.starts_with("\"other\" has no such model: it has \"voice-1\", \"voice 2\", \"more 1\","),
            detail.c_str());
        QVERIFY2(detail.ends_with("\"more 8\" and 2 more"), detail.c_str());
        // No more than a caller may have.
        World narrow("openai", [](broker::Config& config) {
            config.policy.models = std::vector<std::string>{"voice 2", "another"};
        });
        const auto less = narrow.ask(R"({"provider":"other","model":"another"})");
        QCOMPARE(Json::parse(less.body).at("detail").get<std::string>(),
            std::string("\"other\" has no such model: it has \"voice 2\""));
    }

    void azure_IsAskedAsAzure()
    {
        World world("azure");
        const auto minted = world.token(R"({"provider":"other","model":"voice 2","voice":"marin"})");
        QCOMPARE(minted.transport, std::string("direct"));
        QVERIFY(minted.connect.url.starts_with("ws://127.0.0.1:"));
        QVERIFY(minted.connect.url.ends_with("/openai/v1/realtime?model=voice%202"));
        QCOMPARE(minted.token.reveal(), std::string_view("ek_marker_compatible_1"));
        QCOMPARE(world.server.mints().size(), std::size_t{1});
        const Json body = Json::parse(world.server.mints().front());
        QCOMPARE(body.at("session").at("model").get<std::string>(), std::string("voice 2"));
        QCOMPARE(body.at("session").at("audio").at("output").at("voice").get<std::string>(), std::string("marin"));
        QVERIFY(world.server.refused().empty());
    }

    void addressWithTheRootInIt_IsTheSame()
    {
        World world("azure", [](broker::Config& config) { config.compatible.front().url += "/openai/v1/"; });
        QVERIFY(world.token().connect.url.ends_with("/openai/v1/realtime?model=voice-1"));
        QCOMPARE(world.server.mints().size(), std::size_t{1});
    }

    void azure_ThroughTheRelay_GetsTheKeyInItsHeader()
    {
        World world("azure");
        Talk talk(world, world.relay.session(R"({"provider":"other"})"));
        QCOMPARE(
            world.server.request().headers.find("api-key").value_or(""), std::string_view(CompatibleStandIn::kKey));
        QVERIFY(!world.server.request().headers.find("Authorization"));
        talk.hangUp();
        QVERIFY(world.relay.operators.broker.log.text().find("marker") == std::string::npos);
    }

    void azure_ThroughTheRelay_WithAVoice_GetsATokenThatIsPinned()
    {
        World world("azure");
        Talk talk(world, world.relay.session(R"({"provider":"other","voice":"marin"})"));
        QCOMPARE(world.server.request().headers.find("Authorization").value_or(""),
            std::string_view("Bearer ek_marker_compatible_1"));
        QVERIFY(!world.server.request().headers.find("api-key"));
        talk.hangUp();
    }

    void refusedKey_IsToldAsOurs_data() { addProfiles({"azure", "openai"}); }
    void refusedKey_IsToldAsOurs()
    {
        World world(profileOfRow(), {}, "another-key");
        QCOMPARE(codeOf(world.ask(R"({"provider":"other"})")), std::string("provider_refused"));
        QCOMPARE(world.server.refused(), std::vector<unsigned>{401});
    }

    void serverWithoutTokens_IsBehindTheRelay_data()
    {
        addProfiles({"xai", "localai", "speaches", "speech-to-speech"});
    }
    void serverWithoutTokens_IsBehindTheRelay()
    {
        const std::string profile = profileOfRow();
        World world(profile);
        const auto session = world.token();
        QCOMPARE(session.transport, std::string("relay"));
        QVERIFY(session.connect.url.ends_with("/api/voice/stream"));
        QCOMPARE(session.connect.dialect, std::string(profile == "speaches" ? "openai-beta" : "openai-ga"));
        QCOMPARE(session.connect.profile, profile);
        QVERIFY(session.token.reveal().find(CompatibleStandIn::kKey) == std::string_view::npos);
        Talk talk(world, session);
        QCOMPARE(net::queryParameter(world.server.request().query, "model"), std::string("voice-1"));
        QCOMPARE(net::queryParameter(world.server.request().query, "intent"),
            std::string(profile == "speaches" ? "conversation" : ""));
        talk.line->send(R"({"type":"session.created","session":{}})");
        QCOMPARE(talk.client->line().next(), std::string(R"({"type":"session.created","session":{}})"));
        talk.hangUp();
        QVERIFY(world.relay.operators.broker.log.text().find("marker") == std::string::npos);
    }

    void instructions_ThatNoTokenHolds_AreRefused_data()
    {
        addProfiles({"xai", "localai", "speaches", "speech-to-speech"});
    }
    void instructions_ThatNoTokenHolds_AreRefused()
    {
        World fixed(profileOfRow(), [](broker::Config& config) { config.policy.instructions = "Be kind."; });
        QCOMPARE(codeOf(fixed.ask(R"({"provider":"other"})")), std::string("provider_rejected"));
        World free(profileOfRow());
        QCOMPARE(
            codeOf(free.ask(R"({"provider":"other","instructions":"Be kind."})")), std::string("provider_rejected"));
        QCOMPARE(free.token(R"({"provider":"other","voice":"eve"})").transport, std::string("relay"));
    }

    /// A token of its own would open a session with any model.
    void policyThatRestrictsModels_IsKeptByTheRelay()
    {
        World world(
            "xai", [](broker::Config& config) { config.policy.models = {std::vector<std::string>{"voice-1"}}; });
        const auto session = world.token();
        QCOMPARE(session.transport, std::string("relay"));
        Talk talk(world, session);
        talk.client->line().send(R"({"type":"session.update","session":{"type":"realtime","model":"voice 2"}})");
        talk.client->line().send(R"({"type":"session.update","session":{"type":"realtime","speech_model":"voice 2"}})");
        talk.client->line().send(R"({"type":"input_audio_buffer.clear"})");
        QCOMPARE(Json::parse(talk.line->next()).at("type").get<std::string>(), std::string("input_audio_buffer.clear"));
        talk.hangUp();
    }

    void modelOfTheProvider_IsNoOtherOnes()
    {
        const auto problems =
            problemsOf("[provider]\napi_key=\"k\"\n[[providers.compatible]]\nname=\"x\"\nprofile=\"azure\"\n"
                       "url=\"https://a.example\"\nmodels=[\"gpt-realtime-2.1\"]\n");
        QCOMPARE(problems.size(), std::size_t{1});
        QVERIFY(problems.front().find("provider.model or providers.gemini.model names") != std::string::npos);
        // And should it be so all the same, nobody gets one provider who was allowed another.
        World world("azure", [](broker::Config& config) { config.compatible.front().models = {config.providerModel}; });
        QCOMPARE(codeOf(world.ask("{}")), std::string("provider_rejected"));
    }

    void speaches_ThatRefusesTheKeyWithoutAWord_IsToldAsOurs()
    {
        World world("speaches", {}, "another-key");
        const auto client = world.relay.open(world.token());
        const auto end = client->line().end();
        QCOMPARE(end.code, std::uint16_t{1011});
        // And what it had to say.
        QCOMPARE(end.reason, std::string("provider_refused: Invalid API key"));
        QCOMPARE(world.server.refused(), std::vector<unsigned>{1008});
        QTRY_VERIFY(world.relay.operators.broker.log.text().find("provider.failed") != std::string::npos);
    }

    void reasonBeforeTheFirstWord_ComesThrough_data()
    {
        QTest::addColumn<int>("code");
        QTest::addColumn<QByteArray>("theirs");
        QTest::addColumn<QByteArray>("told");
        QTest::newRow("words") << 1008 << QByteArray("bad") << QByteArray("provider_refused: bad");
        QTest::newRow("none") << 3000 << QByteArray() << QByteArray("provider_refused");
        QTest::newRow("nothing that prints")
            << 1008 << QByteArray("caf\xc3\xa9\tis\x7f closed") << QByteArray("provider_refused: caf??is? closed");
        QTest::newRow("our key") << 1008 << QByteArray("no ") + CompatibleStandIn::kKey
                                 << QByteArray("provider_refused: no *********************");
        QTest::newRow("as long as there is room")
            << 1008 << QByteArray(105, 'x') << "provider_refused: " + QByteArray(105, 'x');
        QTest::newRow("longer") << 1008 << QByteArray(106, 'x') << QByteArray("provider_refused");
    }
    void reasonBeforeTheFirstWord_ComesThrough()
    {
        QFETCH(int, code);
        QFETCH(QByteArray, theirs);
        QFETCH(QByteArray, told);
        World world("localai");
        Talk talk(world, world.token());
        talk.line->close(static_cast<std::uint16_t>(code), theirs.toStdString());
        const auto end = talk.client->line().end();
        QCOMPARE(end.code, std::uint16_t{1011});
        QCOMPARE(end.reason, told.toStdString());
    }

    /// It loads its model before it answers.
    void handshake_MayTakeAsLongAsIsConfigured()
    {
        using namespace std::chrono_literals;
        World world("localai", [](broker::Config& config) {
            // Of the broker's own provider, whose doors can be held.
            config.compatible.front().url = config.providerUrl;
            config.compatible.front().handshake = 2'600ms;
            config.providerTimeout = 500ms;
        });
        const auto session = world.token();
        world.relay.upstream.hold();
        QElapsedTimer elapsed;
        elapsed.start();
        const auto client = world.relay.open(session);
        QCOMPARE(client->line().end().reason, std::string("provider_timeout"));
        QVERIFY2(elapsed.elapsed() >= 2'500, qPrintable(QString::number(elapsed.elapsed())));
        world.relay.upstream.release();
    }

    void handshakeThatIsRefused_HasTheCodeOfAnHttpAnswer_data()
    {
        QTest::addColumn<unsigned>("status");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("reason");
        const auto row = [](unsigned status, int code, const char* reason) {
            QTest::addRow("%u", status) << status << code << QString::fromLatin1(reason);
        };
        row(400, 1011, "provider_rejected");
        row(401, 1011, "provider_refused");
        row(402, 1011, "provider_quota");
        row(403, 1011, "provider_refused");
        row(404, 1011, "provider_rejected");
        row(408, 4013, "provider_timeout");
        row(409, 1011, "provider_rejected");
        row(426, 1011, "provider_rejected");
        row(429, 4013, "provider_rate_limited");
        row(302, 1011, "provider_malformed");
        row(503, 4013, "provider_failed");
    }
    void handshakeThatIsRefused_HasTheCodeOfAnHttpAnswer()
    {
        QFETCH(unsigned, status);
        QFETCH(int, code);
        QFETCH(QString, reason);
        World world("localai");
        world.server.refuseHandshakes(status);
        const auto client = world.relay.open(world.token());
        const auto end = client->line().end();
        QCOMPARE(static_cast<int>(end.code), code);
        QCOMPARE(end.reason, reason.toStdString());
        QCOMPARE(world.server.refused(), std::vector<unsigned>{status});
        const auto log = [&] { return world.relay.operators.broker.log.text(); };
        QTRY_VERIFY(log().find("HTTP " + std::to_string(status)) != std::string::npos);
        QVERIFY(log().find("marker") == std::string::npos);
    }

    void whatIsSaidInPlaceOfASession_HasTheCodeOfAnHttpAnswer_data()
    {
        QTest::addColumn<QString>("theirs");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("reason");
        QTest::newRow("key") << "invalid_api_key" << 1011 << "provider_refused";
        QTest::newRow("model") << "model_load_error" << 1011 << "provider_rejected";
        QTest::newRow("money") << "insufficient_quota" << 1011 << "provider_quota";
        QTest::newRow("room") << "session_limit_reached" << 4013 << "provider_rate_limited";
    }
    void whatIsSaidInPlaceOfASession_HasTheCodeOfAnHttpAnswer()
    {
        QFETCH(QString, theirs);
        QFETCH(int, code);
        QFETCH(QString, reason);
        World world("localai");
        Talk talk(world, world.token());
        const std::string error = core::writeJson(
            {{"type", "error"}, {"error", {{"type", "x"}, {"code", theirs.toStdString()}, {"message", "marker"}}}});
        talk.line->send(error);
        QCOMPARE(talk.client->line().next(), error);
        const auto end = talk.client->line().end();
        QCOMPARE(static_cast<int>(end.code), code);
        QCOMPARE(end.reason, reason.toStdString());
        (void)talk.line->end();
        const auto log = [&] { return world.relay.operators.broker.log.text(); };
        QTRY_VERIFY(log().find("in place of a session: " + theirs.toStdString()) != std::string::npos);
        QVERIFY(log().find("marker") == std::string::npos);
    }

    void whatIsSaidInASession_EndsNothing()
    {
        World world("localai");
        Talk talk(world, world.token());
        for (const char* event : {R"({"type":"error","error":{"type":"x","code":"nobody_knows","message":"m"}})",
                 R"({"type":"session.created","session":{}})",
                 R"({"type":"error","error":{"type":"x","code":"model_load_error","message":"m"}})"}) {
            talk.line->send(event);
            QCOMPARE(talk.client->line().next(), std::string(event));
        }
        talk.line->close(1008, "theirs");
        const auto end = talk.client->line().end();
        QCOMPARE(end.code, std::uint16_t{1008});
        QCOMPARE(end.reason, std::string("theirs"));
    }

    void beginning_IsReadUntilThereIsASession()
    {
        using broker::relay::SessionBeginning;
        using core::ErrorCode;
        const auto errorOf = [](const char* code) {
            return core::writeJson(
                {{"type", "error"}, {"error", {{"type", "x"}, {"code", code}, {"message", "marker"}}}});
        };
        SessionBeginning beginning;
        QVERIFY(!beginning.read(errorOf("nobody_knows")));
        const auto refused = beginning.read(errorOf("invalid_api_key"));
        QVERIFY(refused && refused->code == ErrorCode::ProviderRefused);
        QVERIFY(refused->detail.find("marker") == std::string::npos);
        QVERIFY(!beginning.read(R"({"type":"session.created","session":{}})"));
        QVERIFY(!beginning.read(errorOf("invalid_api_key")));
        QVERIFY(!beginning.ended({1008, "", false}));
        QVERIFY(SessionBeginning().ended({3000, "", false})->code == ErrorCode::ProviderRefused);
        QVERIFY(!SessionBeginning().ended({1000, "", false}));
        QVERIFY(!SessionBeginning().ended({1008, "", true}));
    }

    void minutesThatArePaid_LeaveNoTurnUnpriced()
    {
        const std::string path =
            written("prices.json", R"({"prices":[{"model":"voice-1","from":"2026-01-01","minute":0.05}]})");
        World world("xai", [&](broker::Config& config) { config.pricesFile = path; });
        Talk talk(world, world.token());
        for (const char* event :
            {R"({"type":"session.created","session":{}})",
                R"({"type":"conversation.item.input_audio_transcription.completed","item_id":"i0","transcript":"Hi."})",
                R"({"type":"response.created","response":{"id":"r1"}})",
                R"({"type":"response.output_audio.delta","response_id":"r1","item_id":"i","delta":"AAAA"})",
                R"({"type":"response.done","response":{"id":"r1","status":"completed"}})"}) {
            talk.line->send(event);
            QCOMPARE(talk.client->line().next(), std::string(event));
        }
        world.relay.operators.broker.clock.advance(core::Milliseconds(120'000));
        talk.hangUp();
        QTRY_COMPARE(world.usage()["totalCost"].get<double>(), 0.1);
        const Json row = world.usage()["rows"][0];
        QCOMPARE(row.at("turns").get<int>(), 1);
        QCOMPARE(row.at("unpricedTurns").get<int>(), 0);
    }

    void rates_AreToldToTheClient_AndMeasureWhatIsSaid_data() { addProfiles({"localai", "speaches"}); }
    void rates_AreToldToTheClient_AndMeasureWhatIsSaid()
    {
        World world(profileOfRow(), [](broker::Config& config) {
            config.compatible.front().inputRate = core::SampleRate(16'000);
            config.compatible.front().outputRate = core::SampleRate(48'000);
        });
        const auto session = world.token();
        QCOMPARE(session.connect.audio.rates, (core::VoiceRates{core::SampleRate(16'000), core::SampleRate(48'000)}));
        Talk talk(world, session);
        // A minute of the user's before the server has said a word, and half a one of the agent's.
        const std::string said(16'000 * 2 * 6 / 3 * 4, 'A');
        for (int i = 0; i < 10; ++i) {
            talk.client->line().send(Json({{"type", "input_audio_buffer.append"}, {"audio", said}}).dump());
            (void)talk.line->next();
        }
        const std::string reply(48'000 * 2 * 3 / 3 * 4, 'A');
        for (int i = 0; i < 10; ++i) {
            talk.line->send(Json({{"type", "response.output_audio.delta"}, {"delta", reply}}).dump());
            (void)talk.client->line().next();
        }
        talk.hangUp();
        QTRY_COMPARE(world.usage()["audioMinutesIn"].get<double>(), 1.0);
        QCOMPARE(world.usage()["audioMinutesOut"].get<double>(), 0.5);
    }

    void deploymentThatAzureDoesNotHave_IsAMatterOfSettings()
    {
        World world("azure");
        world.server.forget("voice 2");
        QCOMPARE(codeOf(world.ask(R"({"provider":"other","model":"voice 2"})")), std::string("provider_rejected"));
        QCOMPARE(world.server.refused(), std::vector<unsigned>{404});
    }

    void replyWithoutUsage_CountsAsUnpriced()
    {
        World world("speaches");
        Talk talk(world, world.token());
        talk.client->line().send(R"({"type":"response.create"})");
        (void)talk.line->next();
        for (const char* event : {R"({"type":"response.created","response":{"id":"r1"}})",
                 R"({"type":"response.audio.delta","response_id":"r1","item_id":"i","delta":"AAAA"})",
                 R"({"type":"response.done","response":{"id":"r1","status":"completed"}})"}) {
            talk.line->send(event);
            QCOMPARE(talk.client->line().next(), std::string(event));
        }
        talk.hangUp();
        QTRY_COMPARE(world.usage()["rows"].size(), std::size_t{1});
        const Json row = world.usage()["rows"][0];
        QCOMPARE(row.at("turns").get<int>(), 1);
        QCOMPARE(row.at("unpricedTurns").get<int>(), 1);
    }

    /// Its prices are its own, and whoever writes down what is said is its, too.
    void modelThatIsCalledAsOpenAisIs_HasNoPriceOfOpenAis_data()
    {
        QTest::addColumn<QByteArray>("prices");
        QTest::addColumn<double>("cost");
        QTest::addColumn<int>("unpriced");
        QTest::newRow("nobody knows") << QByteArray() << 0.0 << 2;
        QTest::newRow("the operator knows")
            << QByteArray(R"({"prices":[{"model":"gpt-realtime","from":"2026-01-01","textIn":4,"cachedTextIn":1,)"
                          R"("textOut":16,"audioIn":32,"cachedAudioIn":1,"audioOut":64,"imageIn":5,"cachedImageIn":1,)"
                          R"("longestInput":1000,"longestOutput":1000},)"
                          R"({"model":"whisper-1","from":"2026-01-01","minute":0.5}]})")
            << 1.4 << 0;
    }
    void modelThatIsCalledAsOpenAisIs_HasNoPriceOfOpenAis()
    {
        QFETCH(QByteArray, prices);
        QFETCH(double, cost);
        QFETCH(int, unpriced);
        const std::string path = prices.isEmpty() ? std::string() : written("prices.json", prices.toStdString());
        World world("localai", [&](broker::Config& config) {
            config.compatible.front().models = {"gpt-realtime"};
            config.pricesFile = path;
        });
        Talk talk(world, world.token());
        for (const char* event :
            {R"({"type":"session.created","session":{"audio":{"input":{"transcription":{"model":"whisper-1"}}}}})",
                R"({"type":"conversation.item.input_audio_transcription.completed","item_id":"i0","transcript":"Hi.",)"
                R"("usage":{"type":"duration","seconds":120}})",
                R"({"type":"response.created","response":{"id":"r1"}})",
                R"({"type":"response.done","response":{"id":"r1","status":"completed","usage":{"total_tokens":100000,)"
                R"("input_tokens":100000,"output_tokens":0,"input_token_details":{"text_tokens":100000}}}})"}) {
            talk.line->send(event);
            QCOMPARE(talk.client->line().next(), std::string(event));
        }
        talk.hangUp();
        QTRY_COMPARE(world.usage()["rows"].size(), std::size_t{1});
        const Json row = world.usage()["rows"][0];
        QCOMPARE(row.at("unpricedTurns").get<int>(), unpriced);
        QCOMPARE(world.usage()["totalCost"].get<double>(), cost);
    }

    void modelWithoutAPrice_IsNotForABudget()
    {
        World world("localai", [](broker::Config& config) {
            config.compatible.front().models = {"gpt-realtime"};
            config.policy.budgets.userDay.nanoDollars = 3'000'000'000;
        });
        QCOMPARE(codeOf(world.ask(R"({"provider":"other"})")), std::string("not_allowed"));
    }

    void configuration_IsReadAndPrinted_WithoutTheKey()
    {
        const std::string toml =
            "[[providers.compatible]]\nname = \"azure\"\nprofile = \"azure\"\n"
            "url = \"https://example.openai.azure.com\"\nmodels = [\"deployment\"]\n"
            "input_rate = 16000\noutput_rate = 48000\nhandshake_ms = 30000\napi_key = \"azure-key-marker\"\n";
        broker::Config config;
        QCOMPARE(problemsOf(toml, &config), std::vector<std::string>());
        QCOMPARE(config.compatible.size(), std::size_t{1});
        QVERIFY(config.compatible.front().key->equals("azure-key-marker"));
        const std::string printed = broker::printConfig(config);
        QVERIFY(printed.find("marker") == std::string::npos);
        broker::Config again;
        QCOMPARE(problemsOf(printed, &again), std::vector<std::string>());
        QCOMPARE(again.compatible.front().models, config.compatible.front().models);
        QCOMPARE(again.compatible.front().inputRate, std::optional(core::SampleRate(16'000)));
        QCOMPARE(again.compatible.front().outputRate, std::optional(core::SampleRate(48'000)));
        QCOMPARE(again.compatible.front().handshake, std::optional(core::Milliseconds(30'000)));
        // The key is not in what is printed, and counts all the same.
        QCOMPARE(broker::changedKeys(config, again), std::vector<std::string>{"providers.compatible"});
        again.compatible.front().key = config.compatible.front().key;
        QCOMPARE(broker::changedKeys(config, again), std::vector<std::string>());
        again.compatible.front().handshake.reset();
        QCOMPARE(broker::changedKeys(config, again), std::vector<std::string>{"providers.compatible"});
    }

    void key_ComesFromTheEnvironment()
    {
        const std::string toml = "[[providers.compatible]]\nname = \"my-server\"\nprofile = \"azure\"\n"
                                 "url = \"https://example.openai.azure.com\"\nmodels = [\"deployment\"]\n";
        const std::string withKey = toml + "api_key = \"of-the-file\"\n";
        const auto keyOf = [&](const std::string& text, const Variables& variables) {
            broker::Config config;
            if (!problemsOf(text, &config, variables).empty() || config.compatible.front().key == nullptr) {
                return std::string("none");
            }
            return std::string(config.compatible.front().key->reveal());
        };
        const std::string file = written("key", "of-the-variables-file\n");
        (void)written("my_server_api_key", "of-the-credential\n");
        const std::string folder = m_folder.path().toStdString();
        QCOMPARE(keyOf(toml, {}), std::string("none"));
        QCOMPARE(keyOf(withKey, {}), std::string("of-the-file"));
        QCOMPARE(keyOf(withKey, {{"CREDENTIALS_DIRECTORY", folder}}), std::string("of-the-credential"));
        QCOMPARE(keyOf(withKey, {{"MY_SERVER_API_KEY_FILE", file}, {"CREDENTIALS_DIRECTORY", folder}}),
            std::string("of-the-variables-file"));
        QCOMPARE(keyOf(withKey, {{"MY_SERVER_API_KEY", "of-the-variable"}, {"CREDENTIALS_DIRECTORY", folder}}),
            std::string("of-the-variable"));
        QCOMPARE(keyOf(toml, {{"OTHER_API_KEY", "of-another"}}), std::string("none"));
    }

    void key_OfTheEnvironment_ThatIsWrong_IsToldByItsVariable()
    {
        const std::string toml = "[[providers.compatible]]\nname = \"my-server\"\nprofile = \"azure\"\n"
                                 "url = \"https://example.openai.azure.com\"\nmodels = [\"deployment\"]\n";
        const auto two = problemsOf(toml, nullptr, {{"MY_SERVER_API_KEY", "k"}, {"MY_SERVER_API_KEY_FILE", "/none"}});
        QCOMPARE(two, std::vector<std::string>{"MY_SERVER_API_KEY and MY_SERVER_API_KEY_FILE cannot both be set"});
        const auto words = problemsOf(toml, nullptr, {{"MY_SERVER_API_KEY", "two marker words"}});
        QCOMPARE(words.size(), std::size_t{1});
        QVERIFY2(words.front().starts_with("MY_SERVER_API_KEY has to be one word")
                && words.front().find("marker") == std::string::npos,
            words.front().c_str());
    }

    void configuration_ThatIsWrong_IsTold_data()
    {
        QTest::addColumn<QByteArray>("table");
        QTest::addColumn<QByteArray>("problem");
        const auto row = [](const char* name, const char* table, const char* problem) {
            QTest::newRow(name) << QByteArray(table) << QByteArray(problem);
        };
        const char* const rest = "\nprofile=\"xai\"\nurl=\"https://api.x.ai\"\nmodels=[\"m\"]";
        row("name that is taken", qPrintable(QString("name=\"gemini\"") + rest),
            "name cannot be openai, local or gemini");
        row("name that is none", qPrintable(QString("name=\"A b\"") + rest), "name has to be made of");
        row("profile", "name=\"x\"\nprofile=\"nobody\"\nurl=\"https://a.example\"\nmodels=[\"m\"]",
            "profile has to be one of openai, azure");
        row("no models", "name=\"x\"\nprofile=\"xai\"\nurl=\"https://a.example\"\nmodels=[]",
            "models has to name one at least");
        row("nothing", "name=\"x\"", "url has to be there");
        row("in the open", "name=\"x\"\nprofile=\"xai\"\nurl=\"http://a.example\"\nmodels=[\"m\"]",
            "url has to be https://");
        row("key with a line's end", qPrintable(QString("name=\"x\"\napi_key=\"a\\r\\nb\"") + rest),
            "api_key has to be one word");
        row("both keys", qPrintable(QString("name=\"x\"\napi_key=\"a\"\napi_key_file=\"/nowhere\"") + rest),
            "api_key_file and api_key cannot both be set");
        row("rate that nothing has", qPrintable(QString("name=\"x\"\ninput_rate=16") + rest), "input_rate has to be");
        row("rate in words", qPrintable(QString("name=\"x\"\noutput_rate=\"48 kHz\"") + rest),
            "output_rate has to be a whole number");
        row("no time for a handshake", qPrintable(QString("name=\"x\"\nhandshake_ms=0") + rest),
            "handshake_ms has to be");
        row("for ever", qPrintable(QString("name=\"x\"\nhandshake_ms=120001") + rest), "handshake_ms has to be");
        row("unknown key", qPrintable(QString("name=\"x\"\nmodel=\"m\"") + rest),
            "did you mean providers.compatible[0].models?");
    }
    void configuration_ThatIsWrong_IsTold()
    {
        QFETCH(QByteArray, table);
        QFETCH(QByteArray, problem);
        const auto problems = problemsOf("[[providers.compatible]]\n" + table.toStdString() + "\n");
        const bool isTold = std::any_of(problems.begin(), problems.end(),
            [&](const std::string& text) { return text.find(problem.toStdString()) != std::string::npos; });
        QVERIFY2(isTold, problems.empty() ? "nothing" : problems.front().c_str());
    }

    void names_AreThereOnce()
    {
        const char* const one =
            "[[providers.compatible]]\nname=\"x\"\nprofile=\"xai\"\nurl=\"https://a.example\"\nmodels=[\"m\"]\n";
        const auto problems = problemsOf(std::string(one) + one);
        QCOMPARE(problems.size(), std::size_t{2});
        QVERIFY(problems[0].find("name is there twice") != std::string::npos);
        QVERIFY(problems[1].find("models names one that is there already") != std::string::npos);
    }
};

QTEST_GUILESS_MAIN(TestCompatibleProviders)
#include "test_compatible_providers.moc"
