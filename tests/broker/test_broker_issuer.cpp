#include "broker/auth/authenticator.h"
#include "broker/auth/signing_key.h"
#include "tests/broker/broker_harness.h"
#include "tests/net/test_server.h"

#include <nlohmann/json.hpp>

#include <QTest>

#include <map>
#include <mutex>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::auth;
using core::Json;
using std::chrono::seconds;
using Tokens = IssuerSettings::Tokens;

namespace {

constexpr const char* kIssuer = "https://login.example";
constexpr std::int64_t kNow = 1'800'000'000;

/// Answers from memory, and counts.
class FakeWeb {
public:
    struct Page {
        unsigned status = 200;
        std::string body;
    };

    Fetch fetch()
    {
        return [this](net::ClientRequest request) -> net::Awaitable<core::Expected<net::ClientResponse, core::Error>> {
            core::Expected<net::ClientResponse, core::Error> answer = answerTo(std::move(request));
            co_return answer;
        };
    }
    void put(const std::string& url, Json page, unsigned status = 200)
    {
        const std::lock_guard lock(m_mutex);
        m_pages[url] = {status, page.dump()};
    }
    void putRaw(const std::string& url, std::string body)
    {
        const std::lock_guard lock(m_mutex);
        m_pages[url] = {200, std::move(body)};
    }
    void cutOff(bool isOff)
    {
        const std::lock_guard lock(m_mutex);
        m_isOff = isOff;
    }
    [[nodiscard]] int asked(const std::string& url)
    {
        const std::lock_guard lock(m_mutex);
        return m_asked[url];
    }
    [[nodiscard]] net::ClientRequest last()
    {
        const std::lock_guard lock(m_mutex);
        return m_last;
    }

private:
    core::Expected<net::ClientResponse, core::Error> answerTo(net::ClientRequest request)
    {
        const std::lock_guard lock(m_mutex);
        ++m_asked[request.url];
        m_last = std::move(request);
        const auto page = m_pages.find(m_last.url);
        if (m_isOff || page == m_pages.end()) {
            return core::fail(core::ErrorCode::ProviderUnreachable, "nobody there");
        }
        return net::ClientResponse{page->second.status, {}, page->second.body};
    }

    std::mutex m_mutex;
    std::map<std::string, Page> m_pages;
    std::map<std::string, int> m_asked;
    net::ClientRequest m_last;
    bool m_isOff = false;
};

const std::string kMetadata = std::string(kIssuer) + "/.well-known/openid-configuration";
const std::string kKeys = std::string(kIssuer) + "/keys";
const std::string kIntrospection = std::string(kIssuer) + "/introspect";

/// An issuer, what it publishes, and us.
struct World {
    explicit World(const std::function<void(IssuerSettings&)>& change = {})
    {
        settings.url = kIssuer;
        settings.audiences = {"vivavoce"};
        if (change) {
            change(settings);
        }
        web.put(kMetadata, {{"issuer", kIssuer}, {"jwks_uri", kKeys}, {"introspection_endpoint", kIntrospection}});
        publish({key});
        issuer = std::make_unique<Issuer>(settings, Issuer::Dependencies{web.fetch(), clock, log});
    }

    void publish(const std::vector<SigningKey>& keys)
    {
        Json list = Json::array();
        for (const SigningKey& one : keys) {
            list.push_back(one.publicJwk());
        }
        web.put(kKeys, {{"keys", list}});
    }
    static Json claims(std::int64_t now = kNow)
    {
        return {{"iss", kIssuer}, {"sub", "u1"}, {"aud", "vivavoce"}, {"iat", now}, {"exp", now + 600}};
    }
    std::string token(const Json& withClaims = claims(), std::string_view type = "at+jwt")
    {
        return std::string(key.sign(type, withClaims).reveal());
    }
    core::Expected<Caller, Refusal> verify(const std::string& text)
    {
        auto read = readToken(text);
        return read ? loop.run(issuer->verifyJwt(std::move(*read)))
                    : core::Unexpected<Refusal>(refusalOf(read.error()));
    }
    core::Expected<Caller, Refusal> introspect(const Json& answer, unsigned status = 200)
    {
        web.put(kIntrospection, answer, status);
        return loop.run(issuer->introspect("opaque-token"));
    }

    IssuerSettings settings;
    tests::SharedClock clock;
    tests::CapturedLog log;
    FakeWeb web;
    SigningKey key = *SigningKey::generate(JoseAlgorithm::Es256);
    std::unique_ptr<Issuer> issuer;
    net::test::Loop loop;
};

std::string reason(const core::Expected<Caller, Refusal>& outcome)
{
    return outcome ? "let in" : std::string(outcome.error().reason);
}

} // namespace

class BrokerIssuerTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void user_IsIssuerAndSubject_NeverAnAddress()
    {
        World world;
        Json first = World::claims();
        first["email"] = "same@example";
        Json second = first;
        second["sub"] = "u2";
        const auto one = world.verify(world.token(first));
        const auto two = world.verify(world.token(second));
        QVERIFY(one && two);
        QVERIFY(one->key() != two->key());
        QCOMPARE(one->issuer, std::string(kIssuer));
        QCOMPARE(one->subject, std::string("u1"));
        // No way to write one caller's name so that it becomes another's.
        Caller tricky = *one;
        tricky.issuer += ":u";
        tricky.subject = "1";
        QVERIFY(tricky.key() != one->key());
    }

    void keys_AreFetchedOnceForManyCallers()
    {
        World world;
        std::vector<std::future<core::Expected<Caller, Refusal>>> callers;
        for (int i = 0; i < 50; ++i) {
            callers.push_back(boost::asio::co_spawn(
                world.loop.executor(), world.issuer->verifyJwt(*readToken(world.token())), boost::asio::use_future));
        }
        for (auto& caller : callers) {
            QVERIFY(net::test::Loop::finished(caller).has_value());
        }
        QCOMPARE(world.web.asked(kMetadata), 1);
        QCOMPARE(world.web.asked(kKeys), 1);
    }

    void unknownKey_IsLookedForOncePerCoolDown()
    {
        World world;
        QVERIFY(world.verify(world.token()).has_value());
        SigningKey old = world.key;
        world.key = *SigningKey::generate(JoseAlgorithm::EdDsa);
        world.publish({old, world.key});
        // Within the cool-down a made-up key name costs the issuer nothing.
        QCOMPARE(reason(world.verify(world.token())), std::string("unknown_key"));
        QCOMPARE(world.web.asked(kKeys), 1);
        world.clock.advance(seconds(61));
        QVERIFY(world.verify(world.token()).has_value());
        QCOMPARE(world.web.asked(kKeys), 2);
        // Both keys are good while they overlap.
        std::swap(world.key, old);
        QVERIFY(world.verify(world.token()).has_value());
        for (int i = 0; i < 10; ++i) {
            world.key = *SigningKey::generate(JoseAlgorithm::EdDsa);
            QCOMPARE(reason(world.verify(world.token())), std::string("unknown_key"));
        }
        QCOMPARE(world.web.asked(kKeys), 2);
    }

    void outage_IsBridgedByKnownKeys_ButNotForEver()
    {
        World world;
        const auto tokenNow = [&] {
            return world.token(
                World::claims(std::chrono::duration_cast<seconds>(world.clock.wallNow().time_since_epoch()).count()));
        };
        QVERIFY(world.verify(tokenNow()).has_value());
        QVERIFY(world.issuer->isFine().value());
        world.web.cutOff(true);
        world.clock.advance(std::chrono::hours(2));
        QVERIFY(world.verify(tokenNow()).has_value());
        QVERIFY(!world.issuer->isFine().value());
        world.clock.advance(std::chrono::hours(23));
        const auto refused = world.verify(tokenNow());
        QCOMPARE(reason(refused), std::string("issuer_unreachable"));
        QVERIFY(refused.error().fault.code == FaultCode::Unavailable);
        QVERIFY(refused.error().fault.retryAfter.has_value());
        // It is asked again only after a while, and is back without a restart.
        const int asked = world.web.asked(kMetadata);
        QCOMPARE(reason(world.verify(tokenNow())), std::string("issuer_unreachable"));
        QCOMPARE(world.web.asked(kMetadata), asked);
        world.web.cutOff(false);
        world.clock.advance(seconds(6));
        QVERIFY(world.verify(tokenNow()).has_value());
        QVERIFY(world.issuer->isFine().value());
    }

    void metadata_OfAnotherIssuer_AreRefused_data()
    {
        QTest::addColumn<std::string>("document");
        QTest::newRow("another issuer") << Json({{"issuer", "https://evil.example"}, {"jwks_uri", kKeys}}).dump();
        QTest::newRow("a slash more") << Json({{"issuer", std::string(kIssuer) + "/"}, {"jwks_uri", kKeys}}).dump();
        QTest::newRow("no issuer") << Json({{"jwks_uri", kKeys}}).dump();
        QTest::newRow("keys over http")
            << Json({{"issuer", kIssuer}, {"jwks_uri", "http://login.example/keys"}}).dump();
        QTest::newRow("keys in a file") << Json({{"issuer", kIssuer}, {"jwks_uri", "file:///etc/passwd"}}).dump();
        QTest::newRow("no keys") << Json({{"issuer", kIssuer}}).dump();
        QTest::newRow("not JSON") << std::string("<html>");
        QTest::newRow("issuer twice") << std::string(
            "{\"issuer\":\"https://evil.example\",\"issuer\":\"https://login.example\",\"jwks_uri\":\"https://login.example/keys\"}");
    }
    void metadata_OfAnotherIssuer_AreRefused()
    {
        QFETCH(std::string, document);
        World world;
        world.web.putRaw(kMetadata, document);
        QCOMPARE(reason(world.verify(world.token())), std::string("issuer_unreachable"));
        QCOMPARE(world.web.asked("http://login.example/keys"), 0);
    }

    void token_ThatIsNotForUs_IsRefused_data()
    {
        QTest::addColumn<std::string>("change");
        QTest::addColumn<std::string>("type");
        QTest::addColumn<std::string>("why");
        const auto row = [](const char* name, const Json& change, const char* type, const char* why) {
            QTest::newRow(name) << change.dump() << std::string(type) << std::string(why);
        };
        row("good", Json::object(), "at+jwt", "let in");
        row("an ID token", Json::object(), "JWT", "wrong_type");
        row("a session token of ours", Json::object(), "voice-session+jwt", "wrong_type");
        row("another audience", {{"aud", "other"}}, "at+jwt", "wrong_audience");
        row("an audience that begins like ours", {{"aud", "vivavoce-other"}}, "at+jwt", "wrong_audience");
        row("one of several audiences", {{"aud", {"other", "vivavoce"}}}, "at+jwt", "let in");
        row("over", {{"exp", kNow - 31}}, "at+jwt", "expired");
        row("over, but within the leeway", {{"exp", kNow - 29}}, "at+jwt", "let in");
        row("not yet", {{"nbf", kNow + 31}}, "at+jwt", "not_yet_valid");
        row("made in the future", {{"iat", kNow + 31}}, "at+jwt", "not_yet_valid");
        row("nobody's", {{"sub", ""}}, "at+jwt", "missing_claim");
    }
    void token_ThatIsNotForUs_IsRefused()
    {
        QFETCH(std::string, change);
        QFETCH(std::string, type);
        QFETCH(std::string, why);
        World world;
        Json claims = World::claims();
        claims.update(Json::parse(change));
        QCOMPARE(reason(world.verify(world.token(claims, type))), why);
    }

    void algorithm_ThatTheIssuerIsNotAllowed_IsRefusedBeforeAnythingIsFetched()
    {
        World world([](IssuerSettings& settings) { settings.algorithms = {JoseAlgorithm::Rs256}; });
        QCOMPARE(reason(world.verify(world.token())), std::string("unsupported_algorithm"));
        QCOMPARE(world.web.asked(kMetadata), 0);
        // The old trick: the public key as an HMAC secret.
        World forged;
        const std::string publicKey = forged.key.publicJwk().dump();
        const auto forger = SigningKey::fromSecret(core::Secret(publicKey));
        const std::string token(forger->sign("at+jwt", World::claims()).reveal());
        QCOMPARE(reason(forged.verify(token)), std::string("unsupported_algorithm"));
    }

    void authorizedParties_StandInForAnAudience()
    {
        World world([](IssuerSettings& settings) {
            settings.tokens = Tokens::IdToken;
            settings.audiences.clear();
            settings.authorizedParties = {"https://app.example"};
        });
        Json claims = World::claims();
        claims.erase("aud");
        claims["azp"] = "https://app.example";
        QCOMPARE(reason(world.verify(world.token(claims, "JWT"))), std::string("let in"));
        // What is for somebody else is not for us for that; an ID token is for the party that asked for it.
        claims["aud"] = "https://other-api.example";
        QCOMPARE(reason(world.verify(world.token(claims, "JWT"))), std::string("wrong_audience"));
        claims["aud"] = Json::array({"https://app.example", "https://other-api.example"});
        QCOMPARE(reason(world.verify(world.token(claims, "JWT"))), std::string("wrong_audience"));
        claims["aud"] = "https://app.example";
        QCOMPARE(reason(world.verify(world.token(claims, "JWT"))), std::string("let in"));
        claims.erase("aud");
        claims["azp"] = "https://app.example.evil";
        QCOMPARE(reason(world.verify(world.token(claims, "JWT"))), std::string("wrong_audience"));
        claims.erase("azp");
        QCOMPARE(reason(world.verify(world.token(claims, "JWT"))), std::string("wrong_audience"));
    }

    void idToken_ThatIsSomethingElse_IsRefused()
    {
        World world([](IssuerSettings& settings) { settings.tokens = Tokens::IdToken; });
        const auto with = [&](const Json& more) {
            Json claims = World::claims();
            claims.update(more);
            return reason(world.verify(world.token(claims, "JWT")));
        };
        QCOMPARE(with({{"typ", "ID"}}), std::string("let in"));
        QCOMPARE(with({{"token_use", "id"}}), std::string("let in"));
        const Json logout{{"http://schemas.openid.net/event/backchannel-logout", Json::object()}};
        QCOMPARE(with({{"events", logout}}), std::string("wrong_type"));
        for (const char* other : {"Refresh", "Offline", "Logout"}) {
            QCOMPARE(with({{"typ", other}}), std::string("wrong_type"));
        }
        QCOMPARE(with({{"token_use", "refresh"}}), std::string("wrong_type"));
        QCOMPARE(with({{"typ", 1}}), std::string("wrong_type"));
    }

    void keys_AreFetchedBeforeAnybodyNeedsThem_AndLessOftenWhileTheIssuerIsAway()
    {
        World world;
        world.web.cutOff(true);
        // At 0, 5, 15, 35, 75 and 135 seconds: twice the pause each time, a minute at most.
        for (int second = 0; second < 140; ++second) {
            world.loop.run(world.issuer->tend());
            world.clock.advance(seconds(1));
        }
        QCOMPARE(world.web.asked(kMetadata), 6);
        world.web.cutOff(false);
        world.clock.advance(seconds(60));
        world.loop.run(world.issuer->tend());
        world.loop.run(world.issuer->tend());
        QCOMPARE(world.web.asked(kKeys), 1);
        auto read = readToken(world.token());
        QCOMPARE(
            reason(world.loop.run(world.issuer->verifyJwt(std::move(*read), Reach::Memory))), std::string("let in"));
    }

    void authenticator_ShowsNobodyWhatIsOursOrAProviders()
    {
        World world([](IssuerSettings& settings) { settings.tokens = Tokens::Opaque; });
        world.web.put(kIntrospection, {{"active", false}});
        std::vector<std::shared_ptr<Issuer>> issuers;
        issuers.push_back(
            std::make_unique<Issuer>(world.settings, Issuer::Dependencies{world.web.fetch(), world.clock, world.log}));
        bool isStoreAway = false;
        Authenticator authenticator(
            {}, ServiceAccounts({}), std::move(issuers), [&](std::string token) -> net::Awaitable<std::optional<bool>> {
                const auto answer = isStoreAway ? std::nullopt : std::optional(token == "a session's");
                co_return answer;
            });
        const auto ask = [&](std::string_view token) {
            return reason(world.loop.run(authenticator.authenticate(token)));
        };
        for (const char* token : {"ek_1", "sk-1", "auth_tokens/1", "a session's"}) {
            QVERIFY(ask(token) != "let in");
        }
        isStoreAway = true;
        QCOMPARE(ask("foreign"), std::string("store_away"));
        QCOMPARE(world.web.asked(kIntrospection), 0);
        isStoreAway = false;
        QCOMPARE(ask("foreign"), std::string("inactive"));
        QCOMPARE(world.web.asked(kIntrospection), 1);
    }

    void scopes_AreTheIssuersGrantsAndTheTokens()
    {
        World world([](IssuerSettings& settings) {
            settings.grants = {"voice:session"};
            settings.adminPointer = "/realm/roles";
            settings.adminValue = "voice-admin";
        });
        Json claims = World::claims();
        claims["scope"] = "openid voice:mint  extra";
        auto caller = world.verify(world.token(claims));
        QVERIFY(caller && caller->may("voice:mint") && caller->may("voice:session") && caller->may("extra"));
        QVERIFY(!caller->may("voice:admin") && !caller->may("") && !caller->may("voice"));
        claims.erase("scope");
        claims["scp"] = Json::array({"voice:mint"});
        caller = world.verify(world.token(claims));
        QVERIFY(caller && caller->may("voice:mint"));
        claims["realm"] = {{"roles", {"user", "voice-admin"}}};
        caller = world.verify(world.token(claims));
        QVERIFY(caller && caller->may("voice:admin"));
        claims["realm"] = {{"roles", {"user", "voice-administrator"}}};
        caller = world.verify(world.token(claims));
        QVERIFY(caller && !caller->may("voice:admin"));
    }

    void introspection_BelievesTheIssuerButChecksWhomItIsFor()
    {
        World world([](IssuerSettings& settings) {
            settings.tokens = Tokens::Opaque;
            settings.clientId = "broker:1";
            settings.clientSecret = std::make_shared<const core::Secret>(std::string_view("p@ss word"));
        });
        Json active = World::claims();
        active["active"] = true;
        QCOMPARE(reason(world.introspect(active)), std::string("let in"));
        const auto request = world.web.last();
        QCOMPARE(request.body, std::string("token_type_hint=access_token&token=opaque-token"));
        // "broker%3A1:p%40ss%20word"
        QCOMPARE(std::string(request.headers.find("Authorization").value()),
            std::string("Basic YnJva2VyJTNBMTpwJTQwc3MlMjB3b3Jk"));
        active["aud"] = "other";
        QCOMPARE(reason(world.introspect(active)), std::string("wrong_audience"));
        active["aud"] = "vivavoce";
        active["iss"] = "https://evil.example";
        QCOMPARE(reason(world.introspect(active)), std::string("wrong_issuer"));
        active["iss"] = kIssuer;
        active["exp"] = kNow - 31;
        QCOMPARE(reason(world.introspect(active)), std::string("expired"));
        QCOMPARE(reason(world.introspect({{"active", false}})), std::string("inactive"));
        QCOMPARE(reason(world.introspect({{"active", "true"}})), std::string("issuer_unreachable"));
        QCOMPARE(reason(world.introspect(active, 500)), std::string("issuer_unreachable"));
        // A revoked token is refused at once: nothing is kept.
        QCOMPARE(world.web.asked(kIntrospection), 7);
    }

    void introspection_OfATokenThatIsNoAccessToken_IsRefused_data()
    {
        QTest::addColumn<std::string>("told");
        QTest::addColumn<bool>("hasAudience");
        QTest::addColumn<bool>("hasClaim");
        QTest::addColumn<std::string>("why");
        const auto row = [](const char* name, const Json& told, bool hasAudience, bool hasClaim, const char* why) {
            QTest::newRow(name) << told.dump() << hasAudience << hasClaim << std::string(why);
        };
        row("a bearer token", {{"token_type", "Bearer"}}, false, false, "let in");
        row("an access token of RFC 9068", {{"typ", "at+jwt"}}, false, false, "let in");
        row("the kind is not told, but the audience", Json::object(), true, false, "let in");
        row("neither is told", Json::object(), false, false, "wrong_type");
        row("a refresh token", {{"token_type", "refresh_token"}}, true, false, "wrong_type");
        row("a refresh token of Keycloak", {{"typ", "Refresh"}}, true, false, "wrong_type");
        row("an ID token of Keycloak", {{"typ", "ID"}, {"token_type", "Bearer"}}, true, false, "wrong_type");
        row("a refresh token of Hydra", {{"token_type", "Bearer"}, {"token_use", "refresh_token"}}, true, false,
            "wrong_type");
        row("a token that is bound to a key", {{"token_type", "DPoP"}}, true, false, "wrong_type");
        row("a token that is bound to a certificate", {{"token_type", "Bearer"}, {"cnf", {{"x5t#S256", "bwcK"}}}}, true,
            false, "wrong_type");
        row("no text", {{"token_type", 7}}, true, false, "wrong_type");
        row("the claim says it", {{"kind", {"api", "user"}}}, false, true, "let in");
        row("the claim says otherwise", {{"kind", "renewal"}, {"token_type", "Bearer"}}, true, true, "wrong_type");
        row("the claim is not there", Json::object(), true, true, "wrong_type");
    }
    void introspection_OfATokenThatIsNoAccessToken_IsRefused()
    {
        QFETCH(std::string, told);
        QFETCH(bool, hasAudience);
        QFETCH(bool, hasClaim);
        QFETCH(std::string, why);
        World world([&](IssuerSettings& settings) {
            settings.tokens = Tokens::Opaque;
            if (!hasAudience) {
                settings.audiences.clear();
                settings.authorizedParties = {"app"};
            }
            if (hasClaim) {
                settings.accessPointer = "/kind";
                settings.accessValue = "api";
            }
        });
        Json active = World::claims();
        active["active"] = true;
        active["client_id"] = "app";
        if (!hasAudience) {
            active.erase("aud");
        }
        active.update(Json::parse(told));
        QCOMPARE(reason(world.introspect(active)), why);
    }

    void introspection_NeedsNoKeysOfTheIssuer_data()
    {
        QTest::addColumn<std::string>("metadata");
        QTest::addColumn<std::string>("keys");
        const Json whole{{"issuer", kIssuer}, {"jwks_uri", kKeys}, {"introspection_endpoint", kIntrospection}};
        Json keyless = whole;
        keyless.erase("jwks_uri");
        const Json twin{{"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", "a"}, {"x", std::string(43, 'A')}};
        QTest::newRow("none are published") << keyless.dump() << std::string();
        QTest::newRow("they are not there") << whole.dump() << std::string("<html>");
        QTest::newRow("two of one name") << whole.dump() << Json({{"keys", Json::array({twin, twin})}}).dump();
    }
    void introspection_NeedsNoKeysOfTheIssuer()
    {
        QFETCH(std::string, metadata);
        QFETCH(std::string, keys);
        World world([](IssuerSettings& settings) { settings.tokens = Tokens::Opaque; });
        world.web.putRaw(kMetadata, metadata);
        world.web.putRaw(kKeys, keys);
        Json active = World::claims();
        active["active"] = true;
        QCOMPARE(reason(world.introspect(active)), std::string("let in"));
        QCOMPARE(world.web.asked(kKeys), 0);
        QVERIFY(world.issuer->isFine().value());
    }

    void introspection_WithoutAnEndpoint_IsAnIssuerThatIsNotFine()
    {
        World world([](IssuerSettings& settings) { settings.tokens = Tokens::Opaque; });
        world.web.put(kMetadata, {{"issuer", kIssuer}, {"jwks_uri", kKeys}});
        QCOMPARE(reason(world.introspect({{"active", true}})), std::string("issuer_unreachable"));
        QVERIFY(!world.issuer->isFine().value());
    }

    void authenticator_AsksWhoeverTheTokenIsOf()
    {
        const NewServiceKey service = makeServiceKey("nightly");
        World world;
        std::vector<std::shared_ptr<Issuer>> issuers;
        issuers.push_back(
            std::make_unique<Issuer>(world.settings, Issuer::Dependencies{world.web.fetch(), world.clock, world.log}));
        Authenticator authenticator(core::Secret("embedded-secret"),
            ServiceAccounts({{"nightly", service.hash, {"voice:mint"}}}), std::move(issuers));
        const auto ask = [&](std::string_view token) { return world.loop.run(authenticator.authenticate(token)); };
        const auto app = ask("embedded-secret");
        QVERIFY(app && app->kind == Caller::Kind::Embedded && app->may(scope::kMint) && app->may(scope::kAdmin));
        const auto program = ask(service.key.reveal());
        QVERIFY(program && program->kind == Caller::Kind::Service && program->subject == "nightly");
        QVERIFY(program->may(scope::kMint) && !program->may(scope::kAdmin));
        const auto user = ask(world.token());
        QVERIFY(user && user->kind == Caller::Kind::User);
        for (const std::string& wrong : {std::string("embedded-secre"), std::string("embedded-secret "), std::string(),
                 std::string(service.key.reveal()) + "x", std::string("vvs_nightly_"), std::string("a.b.c")}) {
            const auto refused = ask(wrong);
            QVERIFY(!refused);
            QVERIFY(refused.error().fault.code == FaultCode::InvalidToken);
        }
        Json foreign = World::claims();
        foreign["iss"] = "https://other.example";
        QCOMPARE(reason(ask(world.token(foreign))), std::string("wrong_issuer"));
        QVERIFY(!QString::fromStdString(world.log.text()).contains(QLatin1String("embedded-secret")));
    }

    void authenticator_FromMemoryAlone_AsksNobody()
    {
        World world;
        World opaque([](IssuerSettings& settings) { settings.tokens = Tokens::Opaque; });
        std::vector<std::shared_ptr<Issuer>> issuers;
        issuers.push_back(
            std::make_unique<Issuer>(world.settings, Issuer::Dependencies{world.web.fetch(), world.clock, world.log}));
        opaque.settings.url = "https://opaque.example";
        issuers.push_back(std::make_unique<Issuer>(
            opaque.settings, Issuer::Dependencies{opaque.web.fetch(), world.clock, world.log}));
        Authenticator authenticator({}, ServiceAccounts({}), std::move(issuers));
        const auto ask = [&](std::string_view token, Reach reach) {
            return reason(world.loop.run(authenticator.authenticate(token, reach)));
        };
        QCOMPARE(ask(world.token(), Reach::Memory), std::string("issuer_unreachable"));
        QCOMPARE(ask("opaque-token", Reach::Memory), std::string("issuer_unreachable"));
        QCOMPARE(world.web.asked(kMetadata), 0);
        QCOMPARE(ask(world.token(), Reach::Issuer), std::string("let in"));
        QCOMPARE(ask(world.token(), Reach::Memory), std::string("let in"));
        const std::string one = world.token();
        Json other = World::claims();
        other["sub"] = "u2";
        const std::string two = world.token(other);
        QCOMPARE(ask(two.substr(0, two.rfind('.')) + one.substr(one.rfind('.')), Reach::Memory),
            std::string("bad_signature"));
        // A key that is not among the known ones is looked for, whoever has it, once within the cool-down.
        world.clock.advance(std::chrono::hours(2));
        world.key = *SigningKey::generate(JoseAlgorithm::Es256);
        for (int i = 0; i < 10; ++i) {
            QCOMPARE(ask(world.token(), Reach::Memory), std::string("unknown_key"));
        }
        QCOMPARE(world.web.asked(kKeys), 2);
        world.publish({world.key});
        world.clock.advance(seconds(61));
        const auto now = std::chrono::duration_cast<seconds>(world.clock.wallNow().time_since_epoch()).count();
        QCOMPARE(ask(world.token(World::claims(now)), Reach::Memory), std::string("let in"));
        QCOMPARE(world.web.asked(kKeys), 3);
        QCOMPARE(opaque.web.last().url, std::string());
    }

    void authenticator_WithoutACredential_LetsNobodyInWithNothing()
    {
        World world;
        Authenticator authenticator({}, ServiceAccounts({}), {});
        const auto refused = world.loop.run(authenticator.authenticate(""));
        QVERIFY(!refused);
        QVERIFY(!authenticator.areIssuersFine().has_value());
    }

    void serviceKey_IsKeptAsAHash()
    {
        const NewServiceKey one = makeServiceKey("ci");
        const NewServiceKey other = makeServiceKey("ci");
        QVERIFY(one.key.reveal().starts_with("vvs_ci_") && one.key.size() == 7 + 43);
        QVERIFY(one.hash != other.hash);
        const std::string text = writeKeyHash(one.hash);
        QCOMPARE(text.size(), std::size_t{7 + 64});
        QVERIFY(readKeyHash(text) == one.hash);
        for (const std::string& wrong : {text.substr(1), text + "0", std::string("sha256:") + std::string(64, 'G'),
                 std::string("md5:") + std::string(67, '0'), std::string()}) {
            QVERIFY(!readKeyHash(wrong));
        }
        QVERIFY(isServiceName("nightly-2") && !isServiceName("") && !isServiceName("Night_ly")
            && !isServiceName(std::string(65, 'a')));
    }

    void signingKey_SignsWhatItsVerifierTakes_data()
    {
        QTest::addColumn<int>("algorithm");
        QTest::newRow("ES256") << static_cast<int>(JoseAlgorithm::Es256);
        QTest::newRow("EdDSA") << static_cast<int>(JoseAlgorithm::EdDsa);
        QTest::newRow("HS256") << static_cast<int>(JoseAlgorithm::Hs256);
    }
    void signingKey_SignsWhatItsVerifierTakes()
    {
        QFETCH(int, algorithm);
        const auto which = static_cast<JoseAlgorithm>(algorithm);
        const std::string secret(32, 's');
        const auto key =
            which == JoseAlgorithm::Hs256 ? SigningKey::fromSecret(core::Secret(secret)) : SigningKey::generate(which);
        QVERIFY(key.has_value());
        // ECDSA's numbers are shorter than 32 bytes now and then; the padding has to hold.
        for (int i = 0; i < 300; ++i) {
            const core::Secret token = key->sign("at+jwt", {{"iss", kIssuer}, {"n", i}});
            auto read = readToken(token.reveal());
            QVERIFY(read.has_value());
            QCOMPARE(read->kid, key->kid());
            QVERIFY(key->verifier().verifies(read->signedPart, read->signature));
            read->signature[0] = static_cast<std::uint8_t>(read->signature[0] ^ 1U);
            QVERIFY(!key->verifier().verifies(read->signedPart, read->signature));
        }
        QCOMPARE(key->publicJwk().is_null(), which == JoseAlgorithm::Hs256);
    }

    void signingKey_ThatIsWeakOrOfAnotherKind_IsRefused()
    {
        QVERIFY(SigningKey::fromSecret(core::Secret(std::string(31, 's'))).error() == KeyFault::Weak);
        QVERIFY(SigningKey::generate(JoseAlgorithm::Rs256).error() == KeyFault::Unsupported);
        QVERIFY(
            SigningKey::fromPem(core::Secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")).error()
            == KeyFault::Malformed);
    }

    void signingKey_FromPem_IsTheKeyInIt()
    {
        // RFC 8410 §10.3 has this Ed25519 key, RFC 8037 §A.3 the way of its thumbprint.
        const auto key =
            SigningKey::fromPem(core::Secret("-----BEGIN PRIVATE KEY-----\n"
                                             "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
                                             "-----END PRIVATE KEY-----\n"));
        QVERIFY(key.has_value());
        QVERIFY(key->algorithm() == JoseAlgorithm::EdDsa);
        QCOMPARE(
            key->publicJwk().at("x").get<std::string>(), std::string("Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"));
    }
};

QTEST_APPLESS_MAIN(BrokerIssuerTest)
#include "test_broker_issuer.moc"
