#include "broker/tokens/session_tokens.h"
#include "broker/tokens/successor_seal.h"
#include "tests/broker/broker_harness.h"
#include "tests/broker/test_secrets.h"

#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

using namespace vivavoce;
using namespace vivavoce::broker;
using namespace vivavoce::broker::auth;
using core::Json;
using vivavoce::tests::BrokerWorld;
using vivavoce::tests::codeOf;
using vivavoce::tests::tokenOf;

namespace {

constexpr const char* kIssuer = "https://voice.example";
const core::WallTime kNow{std::chrono::seconds(1'800'000'000)};
const core::WallTime kThen = kNow + std::chrono::seconds(900);

SigningKey secretKey(char fill)
{
    return *SigningKey::fromSecret(core::Secret(std::string(32, fill) + "0123456789"));
}

SessionTokens tokensOf(std::vector<SigningKey> keys, const char* issuer = kIssuer)
{
    return {{issuer}, std::move(*KeyRing::create(std::move(keys)))};
}

SessionRecord someSession()
{
    SessionRecord record;
    record.id = "voice_1800000000_x";
    record.subject = "ada";
    record.project = "choir";
    return record;
}

Json partOf(std::string_view token, int part)
{
    for (; part > 0; --part) {
        token.remove_prefix(token.find('.') + 1);
    }
    const auto bytes = core::decodeBase64Url(token.substr(0, token.find('.')));
    return Json::parse(bytes->begin(), bytes->end());
}

/// As the app that started the broker.
net::ClientResponse as(BrokerWorld& world, const char* method, const std::string& path)
{
    auto request = world.request(method, path);
    request.headers.set("Authorization", std::string("Bearer ") + BrokerWorld::kCredential);
    return world.send(std::move(request));
}

} // namespace

class TestBrokerSessionTokens : public QObject {
    Q_OBJECT

private slots:
    void token_SaysWhoseSessionItIs()
    {
        const SessionTokens tokens = tokensOf({secretKey('a')});
        const core::Secret token = tokens.mint(someSession(), kNow, kThen);
        const Json header = partOf(token.reveal(), 0);
        QCOMPARE(header.at("typ").get<std::string>(), std::string("voice-session+jwt"));
        QCOMPARE(header.at("alg").get<std::string>(), std::string("HS256"));
        const Json claims = partOf(token.reveal(), 1);
        QCOMPARE(claims.at("userId").get<std::string>(), std::string("ada"));
        QCOMPARE(claims.at("projectId").get<std::string>(), std::string("choir"));
        QCOMPARE(claims.at("scope").get<std::string>(), std::string("voice-session"));
        QCOMPARE(claims.at("exp").get<int>() - claims.at("iat").get<int>(), 900);
        QCOMPARE(claims.at("aud").get<std::string>(), std::string(kIssuer));
        const auto read = tokens.verify(token.reveal(), kThen - std::chrono::seconds(1));
        QVERIFY(read && read->sessionId == "voice_1800000000_x" && read->expiresAt == kThen);
        QVERIFY(tokens.verify(token.reveal(), kThen).error() == JwtFault::Expired);
        QVERIFY(!token.equals(tokens.mint(someSession(), kNow, kThen).reveal()));
    }

    void keys_AreRotated()
    {
        const core::Secret old = tokensOf({secretKey('a')}).mint(someSession(), kNow, kThen);
        const SessionTokens rotated = tokensOf({secretKey('b'), secretKey('a')});
        QVERIFY(rotated.verify(old.reveal(), kNow).has_value());
        const core::Secret fresh = rotated.mint(someSession(), kNow, kThen);
        QVERIFY(tokensOf({secretKey('b')}).verify(fresh.reveal(), kNow).has_value());
        QVERIFY(tokensOf({secretKey('a')}).verify(fresh.reveal(), kNow).error() == JwtFault::UnknownKey);
        QVERIFY(tokensOf({secretKey('b')}).verify(old.reveal(), kNow).error() == JwtFault::UnknownKey);
    }

    void kid_OfAPrivateKey_IsItsThumbprint()
    {
        // RFC 8037, appendix A.1 and A.3, which is RFC 7638 with a key of that kind.
        const auto key = SigningKey::fromPem(core::Secret(
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
            "-----END PRIVATE KEY-----\n"));
        QVERIFY(key.has_value());
        QCOMPARE(key->kid(), std::string("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    }

    void keys_ThatArePrivate_ArePublishedWithoutTheirPrivatePart()
    {
        const SessionTokens tokens =
            tokensOf({*SigningKey::generate(JoseAlgorithm::Es256), *SigningKey::generate(JoseAlgorithm::EdDsa)});
        const Json published = tokens.publishedKeys();
        QCOMPARE(published.at("keys").size(), std::size_t{2});
        for (const Json& key : published.at("keys")) {
            QVERIFY(!key.contains("d") && !key.contains("k") && key.contains("kid"));
        }
        const auto set = JsonWebKeySet::read(published);
        QVERIFY(set && set->size() == 2);
        const core::Secret token = tokens.mint(someSession(), kNow, kThen);
        QVERIFY(set->has(partOf(token.reveal(), 0).at("kid").get<std::string>()));
        QVERIFY(tokensOf({secretKey('a')}).publishedKeys().at("keys").empty());
    }

    void ring_OfNoKey_OfTheSameTwice_OrOfBothKinds_IsRefused()
    {
        QVERIFY(!KeyRing::create({}).has_value());
        std::vector<SigningKey> twice{secretKey('a'), secretKey('a')};
        QVERIFY(!KeyRing::create(std::move(twice)).has_value());
        std::vector<SigningKey> both{secretKey('a'), *SigningKey::generate(JoseAlgorithm::Es256)};
        QVERIFY(!KeyRing::create(std::move(both)).has_value());
    }

    void token_OfAnotherKind_OrForAnotherBroker_IsRefused()
    {
        const SigningKey key = secretKey('a');
        const Json claims{{"iss", kIssuer}, {"aud", kIssuer}, {"sub", "ada"}, {"iat", 1'800'000'000},
            {"exp", 1'800'000'900}, {"scope", "voice-session"}, {"sessionId", "s"}};
        const SessionTokens tokens = tokensOf({secretKey('a')});
        QVERIFY(tokens.verify(key.sign("voice-session+jwt", claims).reveal(), kNow).has_value());
        for (const char* type : {"at+jwt", "JWT", ""}) {
            QVERIFY(tokens.verify(key.sign(type, claims).reveal(), kNow).error() == JwtFault::WrongType);
        }
        const core::Secret theirs =
            tokensOf({secretKey('a')}, "https://other.example").mint(someSession(), kNow, kThen);
        QVERIFY(!tokens.verify(theirs.reveal(), kNow).has_value());
        Json unscoped = claims;
        unscoped["scope"] = "voice:mint";
        QVERIFY(
            tokens.verify(key.sign("voice-session+jwt", unscoped).reveal(), kNow).error() == JwtFault::MissingClaim);
    }

    void seal_IsOpenedByTheTokenBeforeAlone()
    {
        const TokenHasher hasher(core::Secret{tests::kTestSecret});
        const TokenHasher same(core::Secret{tests::kTestSecret});
        const TokenHasher other(core::Secret{tests::kOtherTestSecret});
        const std::string sealed = SuccessorSeal(hasher).seal("spent", core::Secret("marker-successor"));
        QVERIFY(sealed.find("marker") == std::string::npos);
        const auto opened = SuccessorSeal(same).open("spent", sealed);
        QVERIFY(opened && opened->equals("marker-successor"));
        QVERIFY(!SuccessorSeal(same).open("another", sealed));
        QVERIFY(!SuccessorSeal(other).open("spent", sealed));
        std::string altered = sealed;
        altered[altered.size() / 2] = altered[altered.size() / 2] == 'A' ? 'B' : 'A';
        QVERIFY(!SuccessorSeal(same).open("spent", altered));
        QVERIFY(!SuccessorSeal(same).open("spent", ""));
        QVERIFY(SuccessorSeal(hasher).seal("spent", core::Secret("marker-successor")) != sealed);
    }

    void relaySession_HasATokenOfOurs_UntilItsEnd()
    {
        BrokerWorld world([](Config& config) {
            config.relayTokenLife = std::chrono::seconds(600);
            config.longestRelay = std::chrono::seconds(900);
        });
        auto request = world.mintRequest(R"({"projectId": "choir", "clientInstance": "i"})");
        request.url = world.url() + "/api/voice/session";
        const auto started = tokenOf(world.send(std::move(request)));
        QVERIFY(started.connect.url.starts_with("ws://127.0.0.1:"));
        QVERIFY(started.connect.url.ends_with("/api/voice/stream"));
        QCOMPARE(started.expiresIn, std::int64_t{600});
        QVERIFY(started.limits.maxSessionSeconds == 900);
        QVERIFY(world.provider.requests().empty());
        QCOMPARE(partOf(started.token.reveal(), 1).at("projectId").get<std::string>(), std::string("choir"));

        const auto listed = Json::parse(as(world, "GET", "/api/voice/session").body);
        QCOMPARE(listed.at("sessions").size(), std::size_t{1});
        QCOMPARE(listed["sessions"][0].at("transport").get<std::string>(), std::string("relay"));
        QVERIFY(listed.dump().find(std::string(started.token.reveal())) == std::string::npos);

        world.clock.advance(std::chrono::seconds(500));
        auto refresh = world.refreshRequest(started.token.reveal());
        refresh.body = R"({"clientInstance": "i"})";
        const auto renewed = tokenOf(world.send(std::move(refresh)));
        QCOMPARE(renewed.sessionId, started.sessionId);
        QCOMPARE(renewed.expiresIn, std::int64_t{400});
        world.clock.advance(std::chrono::seconds(400));
        auto late = world.refreshRequest(renewed.token.reveal());
        late.body = R"({"clientInstance": "i"})";
        QCOMPARE(codeOf(world.send(std::move(late))), std::string("token_expired"));
    }

    void list_TellsWhatIsLeftOfTheLimits_AndUsesNoneOfIt()
    {
        BrokerWorld world([](Config& config) {
            config.mintsPerMinute = 3;
            config.violationsToBlock = 1;
        });
        const auto bucket = [&](const char* name) {
            const auto limits = Json::parse(as(world, "GET", "/api/voice/session").body).at("limits");
            for (const Json& one : limits.at("buckets")) {
                if (one.at("name") == name) {
                    return one.at("remaining").get<int>() * 1000 + one.at("resetSeconds").get<int>();
                }
            }
            return -1;
        };
        QCOMPARE(bucket("mint"), 3000);
        QCOMPARE(bucket("mint"), 3000);
        (void)world.mint();
        world.clock.advance(std::chrono::seconds(20));
        QCOMPARE(bucket("mint"), 2040);
        QCOMPARE(bucket("session"), 3000);
        for (int i = 0; i < 4; ++i) {
            (void)world.send(world.mintRequest());
        }
        const auto limits = Json::parse(as(world, "GET", "/api/voice/session").body).at("limits");
        QCOMPARE(limits.at("blockedSeconds").get<int>(), 900);
        world.clock.advance(std::chrono::seconds(900));
        QCOMPARE(bucket("mint"), 3000);
    }

    void sessions_SurviveTheBroker_AndRevokedOnesStayRevoked()
    {
        const QTemporaryDir folder;
        const auto onFile = [&](Config& config) {
            config.databaseUrl = core::Secret("sqlite://" + folder.filePath(QStringLiteral("b.db")).toStdString());
            config.secret = core::Secret(tests::kTestSecret);
        };
        std::string live;
        std::string revoked;
        std::string liveId;
        {
            BrokerWorld world(onFile);
            auto one = world.mint();
            auto other = world.mint();
            live = one.token.reveal();
            liveId = one.sessionId;
            revoked = other.token.reveal();
            QCOMPARE(as(world, "DELETE", "/api/voice/session/" + other.sessionId).status, 200U);
        }
        BrokerWorld again(onFile);
        // This run's provider begins to count anew: its first token is known here, and refused.
        QCOMPARE(codeOf(again.send(again.mintRequest())), std::string("provider_malformed"));
        QCOMPARE(codeOf(again.send(again.refreshRequest(revoked))), std::string("invalid_token"));
        const auto renewed = tokenOf(again.send(again.refreshRequest(live)));
        QCOMPARE(renewed.sessionId, liveId);
        QVERIFY(QFile(folder.filePath(QStringLiteral("b.db"))).open(QIODevice::ReadOnly));
        for (const QString& name : {QStringLiteral("b.db"), QStringLiteral("b.db-wal")}) {
            QFile file(folder.filePath(name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            QVERIFY(!file.readAll().contains("ek_marker"));
        }
    }
};

QTEST_GUILESS_MAIN(TestBrokerSessionTokens)
#include "test_broker_session_tokens.moc"
