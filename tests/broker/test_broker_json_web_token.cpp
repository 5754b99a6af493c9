#include "broker/auth/json_web_token.h"
#include "broker/auth/signing_key.h"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <QTest>

#include <array>

using namespace vivavoce;
using namespace vivavoce::broker::auth;
using namespace std::chrono_literals;

namespace {

using core::Json;

/// RFC 7515, appendix A: the payload of A.1 to A.3.
const std::string kRfcPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const std::string kRfcSecret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

const core::WallTime kNow{std::chrono::seconds(1'800'000'000)};

std::string encoded(const std::string& text)
{
    return core::encodeBase64Url(core::Bytes(text.begin(), text.end()));
}

Json hmacJwk(const std::string& kid = "k1", const std::string& k = kRfcSecret)
{
    return {{"kty", "oct"}, {"alg", "HS256"}, {"kid", kid}, {"k", k}};
}

JsonWebKeySet keys()
{
    return *JsonWebKeySet::read({{"keys", Json::array({hmacJwk()})}});
}

std::string hmac(const std::string& message, const std::string& encodedKey)
{
    const core::Bytes key = *core::decodeBase64Url(encodedKey);
    std::array<std::uint8_t, 32> mac{};
    unsigned int size = 0;
    const core::Bytes bytes(message.begin(), message.end());
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), mac.data(), &size);
    return core::encodeBase64Url(mac);
}

/// A token signed with HS256 over exactly these texts.
std::string signedToken(const std::string& header, const std::string& claims, const std::string& key = kRfcSecret)
{
    const std::string message = encoded(header) + "." + encoded(claims);
    return message + "." + hmac(message, key);
}

Json goodHeader()
{
    return {{"alg", "HS256"}, {"kid", "k1"}, {"typ", "at+jwt"}};
}

Json goodClaims()
{
    return {{"iss", "https://issuer.example"}, {"sub", "u1"}, {"aud", "vivavoce"}, {"exp", 1'800'000'060},
        {"iat", 1'799'999'990}};
}

ClaimRules goodRules()
{
    ClaimRules rules;
    rules.issuer = "https://issuer.example";
    rules.audiences = {"vivavoce"};
    return rules;
}

std::string outcome(const std::string& token, const ClaimRules& rules = goodRules(), core::WallTime now = kNow)
{
    auto read = readToken(token);
    if (!read) {
        return std::string(jwtFaultText(read.error()));
    }
    const auto verified = verify(std::move(*read), keys(), rules, now);
    return verified ? "good" : std::string(jwtFaultText(verified.error()));
}

/// The good token with one member of its header or claims changed.
std::string changed(const char* part, const char* name, const Json& value)
{
    Json header = goodHeader();
    Json claims = goodClaims();
    (std::string(part) == "header" ? header : claims)[name] = value;
    return signedToken(header.dump(), claims.dump());
}

} // namespace

class BrokerJsonWebTokenTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void verifies_VectorsOfTheRfcs_data()
    {
        QTest::addColumn<std::string>("jwk");
        QTest::addColumn<std::string>("message");
        QTest::addColumn<std::string>("signature");
        QTest::newRow("RFC 7515 A.1, HS256")
            << hmacJwk().dump() << "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kRfcPayload
            << std::string("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        QTest::newRow("RFC 7515 A.2, RS256")
            << Json(
                   {{"kty", "RSA"}, {"e", "AQAB"},
                       {"n",
                           "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_"
                           "YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5"
                           "ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"}})
                   .dump()
            << "eyJhbGciOiJSUzI1NiJ9." + kRfcPayload
            << std::string(
                   "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjb"
                   "KBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--"
                   "xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
        QTest::newRow("RFC 7515 A.3, ES256")
            << Json({{"kty", "EC"}, {"crv", "P-256"}, {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"},
                        {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}})
                   .dump()
            << "eyJhbGciOiJFUzI1NiJ9." + kRfcPayload
            << std::string("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
        QTest::newRow("RFC 8037 A.4, Ed25519")
            << Json({{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}).dump()
            << std::string("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc")
            << std::string("hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    }
    void verifies_VectorsOfTheRfcs()
    {
        QFETCH(std::string, jwk);
        QFETCH(std::string, message);
        QFETCH(std::string, signature);
        const auto key = JsonWebKey::read(Json::parse(jwk));
        QVERIFY(key.has_value());
        const core::Bytes bytes = *core::decodeBase64Url(signature);
        QVERIFY(key->verifies(message, bytes));
        QVERIFY(!key->verifies(message + "x", bytes));
        for (std::size_t i = 0; i < bytes.size(); ++i) {
            core::Bytes flipped = bytes;
            flipped[i] ^= 1;
            QVERIFY(!key->verifies(message, flipped));
        }
        QVERIFY(!key->verifies(message, {}));
    }

    void verifies_WhatItHasFoundGood_AndNothingLikeIt_data()
    {
        QTest::addColumn<int>("algorithm");
        QTest::newRow("ES256") << static_cast<int>(JoseAlgorithm::Es256);
        QTest::newRow("EdDSA") << static_cast<int>(JoseAlgorithm::EdDsa);
    }

    void verifies_WhatItHasFoundGood_AndNothingLikeIt()
    {
        QFETCH(int, algorithm);
        const auto signer = SigningKey::generate(static_cast<JoseAlgorithm>(algorithm));
        const JsonWebKey key = signer->verifier();
        const JsonWebKey another = SigningKey::generate(static_cast<JoseAlgorithm>(algorithm))->verifier();
        const auto token = readToken(signer->sign("JWT", {{"iss", "https://issuer"}}).reveal());
        for (int again = 0; again < 3; ++again) {
            QVERIFY(key.verifies(token->signedPart, token->signature));
            QVERIFY(!key.verifies(token->signedPart + "A", token->signature));
            auto other = token->signature;
            other.back() ^= 1U;
            QVERIFY(!key.verifies(token->signedPart, other));
            // A byte that has moved from the message to the signature.
            auto longer = token->signature;
            longer.insert(longer.begin(), static_cast<std::uint8_t>(token->signedPart.back()));
            QVERIFY(!key.verifies(token->signedPart.substr(0, token->signedPart.size() - 1), longer));
            QVERIFY(!another.verifies(token->signedPart, token->signature));
        }
    }

    void verify_AGoodToken_TellsWhoItIs()
    {
        auto read = readToken(signedToken(goodHeader().dump(), goodClaims().dump()));
        QVERIFY(read.has_value());
        const auto verified = verify(std::move(*read), keys(), goodRules(), kNow);
        QVERIFY(verified.has_value());
        QCOMPARE(verified->issuer, std::string("https://issuer.example"));
        QCOMPARE(verified->subject, std::string("u1"));
        QVERIFY(verified->expiresAt == kNow + 60s);
    }

    void read_AttacksOnTheHeader_AreRefused_data()
    {
        QTest::addColumn<std::string>("token");
        QTest::addColumn<std::string>("expected");
        const std::string claims = goodClaims().dump();
        const auto none = [&](const char* name) {
            return encoded(Json({{"alg", name}, {"typ", "at+jwt"}}).dump()) + "." + encoded(claims) + ".";
        };
        for (const char* name : {"none", "None", "NONE", "nOnE"}) {
            QTest::newRow(name) << none(name) << std::string("unsupported_algorithm");
        }
        QTest::newRow("RFC 7515 A.5") << std::string("eyJhbGciOiJub25lIn0.") + kRfcPayload + "."
                                      << std::string("unsupported_algorithm");
        QTest::newRow("HS384") << changed("header", "alg", "HS384") << std::string("unsupported_algorithm");
        QTest::newRow("letter case") << changed("header", "alg", "hs256") << std::string("unsupported_algorithm");
        QTest::newRow("no alg") << signedToken(R"({"kid":"k1","typ":"at+jwt"})", claims)
                                << std::string("unsupported_algorithm");
        QTest::newRow("alg is a number") << changed("header", "alg", 1) << std::string("malformed");
        QTest::newRow("crit") << changed("header", "crit", Json::array({"exp"})) << std::string("unsupported_header");
        QTest::newRow("b64") << changed("header", "b64", false) << std::string("unsupported_header");
        QTest::newRow("zip") << changed("header", "zip", "DEF") << std::string("unsupported_header");
        QTest::newRow("jwk inside") << changed("header", "jwk", hmacJwk()) << std::string("unsupported_header");
        QTest::newRow("jku") << changed("header", "jku", "http://127.0.0.1:1/keys")
                             << std::string("unsupported_header");
        QTest::newRow("x5u") << changed("header", "x5u", "http://127.0.0.1:1/x") << std::string("unsupported_header");
        QTest::newRow("x5c") << changed("header", "x5c", Json::array({"AA"})) << std::string("unsupported_header");
        QTest::newRow("kid walks") << changed("header", "kid", "../../dev/null") << std::string("unknown_key");
        QTest::newRow("kid injects") << changed("header", "kid", "k1' OR '1'='1") << std::string("unknown_key");
        QTest::newRow("kid too long") << changed("header", "kid", std::string(129, 'k')) << std::string("malformed");
        QTest::newRow("kid is empty") << changed("header", "kid", "") << std::string("malformed");
        QTest::newRow("kid is an object") << changed("header", "kid", Json::object()) << std::string("malformed");
        QTest::newRow("alg twice") << signedToken(R"({"alg":"HS256","alg":"none","kid":"k1","typ":"at+jwt"})", claims)
                                   << std::string("malformed");
        QTest::newRow("claim twice") << signedToken(
            goodHeader().dump(), claims.substr(0, claims.size() - 1) + R"(,"sub":"admin"})")
                                     << std::string("malformed");
        QTest::newRow("header is a list") << signedToken("[]", claims) << std::string("malformed");
        QTest::newRow("padding") << signedToken(goodHeader().dump(), claims) + "=" << std::string("malformed");
        QTest::newRow("white space") << signedToken(goodHeader().dump(), claims) + "\n" << std::string("malformed");
        QTest::newRow("two parts") << encoded(goodHeader().dump()) + "." + encoded(claims) << std::string("malformed");
        QTest::newRow("five parts") << signedToken(goodHeader().dump(), claims) + ".a.b" << std::string("malformed");
        QTest::newRow("JSON serialisation")
            << std::string(R"({"payload":"","signatures":[]})") << std::string("malformed");
        QTest::newRow("too long") << signedToken(goodHeader().dump(), Json({{"x", std::string(8192, 'x')}}).dump())
                                  << std::string("malformed");
        QTest::newRow("too deep") << signedToken(
            goodHeader().dump(), "{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}")
                                  << std::string("malformed");
        QTest::newRow("empty") << std::string() << std::string("malformed");
    }
    void read_AttacksOnTheHeader_AreRefused()
    {
        QFETCH(std::string, token);
        QFETCH(std::string, expected);
        QCOMPARE(outcome(token), expected);
    }

    void verify_WithAnRsaKeyAsTheHmacSecret_IsRefused()
    {
        // The classic confusion: the set holds a public key, the token says HS256.
        const Json rsa = {{"kty", "EC"}, {"crv", "P-256"}, {"kid", "k1"},
            {"x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"}, {"y", "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}};
        const auto set = JsonWebKeySet::read({{"keys", Json::array({rsa})}});
        QVERIFY(set.has_value());
        const std::string token =
            signedToken(goodHeader().dump(), goodClaims().dump(), "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
        const auto verified = verify(*readToken(token), *set, goodRules(), kNow);
        QVERIFY(!verified && verified.error() == JwtFault::UnknownKey);
    }

    void verify_Claims_data()
    {
        QTest::addColumn<std::string>("token");
        QTest::addColumn<std::string>("expected");
        QTest::newRow("wrong signature") << signedToken(goodHeader().dump(), goodClaims().dump(), std::string(64, 'A'))
                                         << std::string("bad_signature");
        QTest::newRow("ID token for an access token") << changed("header", "typ", "JWT") << std::string("wrong_type");
        QTest::newRow("full media type") << changed("header", "typ", "application/AT+JWT") << std::string("good");
        QTest::newRow("issuer with a slash")
            << changed("claims", "iss", "https://issuer.example/") << std::string("wrong_issuer");
        QTest::newRow("issuer as a list")
            << changed("claims", "iss", Json::array({"https://issuer.example"})) << std::string("malformed");
        QTest::newRow("audience of others") << changed("claims", "aud", "other") << std::string("wrong_audience");
        QTest::newRow("audience begins alike")
            << changed("claims", "aud", "vivavoce2") << std::string("wrong_audience");
        QTest::newRow("one of several audiences")
            << changed("claims", "aud", Json::array({"other", "vivavoce"})) << std::string("good");
        QTest::newRow("audience is a number") << changed("claims", "aud", 7) << std::string("malformed");
        QTest::newRow("no audience") << changed("claims", "aud", Json::array()) << std::string("wrong_audience");
        QTest::newRow("no subject") << changed("claims", "sub", "") << std::string("missing_claim");
        QTest::newRow("subject too long")
            << changed("claims", "sub", std::string(256, 's')) << std::string("malformed");
        QTest::newRow("exp is a text") << changed("claims", "exp", "1800000060") << std::string("malformed");
        QTest::newRow("exp is negative") << changed("claims", "exp", -1) << std::string("malformed");
        QTest::newRow("exp beyond all time") << changed("claims", "exp", 1e300) << std::string("malformed");
        QTest::newRow("exp at the end of all years")
            << changed("claims", "exp", 253'402'300'799) << std::string("good");
        QTest::newRow("exp beyond what a clock of nanoseconds counts")
            << changed("claims", "exp", 17'999'999'900) << std::string("good");
        QTest::newRow("nbf at the end of all years")
            << changed("claims", "nbf", 253'402'300'799) << std::string("not_yet_valid");
        QTest::newRow("exp with a fraction") << changed("claims", "exp", 1800000060.5) << std::string("good");
        QTest::newRow("nbf in the future") << changed("claims", "nbf", 1'800'000'031) << std::string("not_yet_valid");
        QTest::newRow("nbf within the leeway") << changed("claims", "nbf", 1'800'000'030) << std::string("good");
        QTest::newRow("iat in the future") << changed("claims", "iat", 1'800'000'031) << std::string("not_yet_valid");
    }
    void verify_Claims()
    {
        QFETCH(std::string, token);
        QFETCH(std::string, expected);
        QCOMPARE(outcome(token), expected);
    }

    void verify_WithoutExpiry_IsRefused()
    {
        Json claims = goodClaims();
        claims.erase("exp");
        QCOMPARE(outcome(signedToken(goodHeader().dump(), claims.dump())), std::string("missing_claim"));
    }

    void verify_AroundItsExpiry_EndsToTheSecond()
    {
        const std::string token = signedToken(goodHeader().dump(), goodClaims().dump());
        const core::WallTime expiry = kNow + 60s;
        for (int second = -61; second <= 61; ++second) {
            QCOMPARE(outcome(token, goodRules(), expiry + std::chrono::seconds(second)),
                std::string(second < 30 ? "good" : "expired"));
        }
    }

    void verify_ByAuthorizedParty_StandsInForTheAudience()
    {
        ClaimRules rules = goodRules();
        rules.audiences.clear();
        rules.authorizedParties = {"https://app.example"};
        Json claims = goodClaims();
        claims.erase("aud");
        QCOMPARE(outcome(signedToken(goodHeader().dump(), claims.dump()), rules), std::string("wrong_audience"));
        claims["azp"] = "https://app.example";
        QCOMPARE(outcome(signedToken(goodHeader().dump(), claims.dump()), rules), std::string("good"));
        claims["azp"] = "https://evil.example";
        QCOMPARE(outcome(signedToken(goodHeader().dump(), claims.dump()), rules), std::string("wrong_audience"));
        // Neither rule: nobody's token is good for us.
        rules.authorizedParties.clear();
        QCOMPARE(outcome(signedToken(goodHeader().dump(), claims.dump()), rules), std::string("wrong_audience"));
    }

    void verify_AnIdTokenForSeveral_HasToSayWhoAsked()
    {
        ClaimRules rules = goodRules();
        rules.kind = TokenKind::IdToken;
        Json header = goodHeader();
        header["typ"] = "JWT";
        Json claims = goodClaims();
        claims["aud"] = Json::array({"vivavoce", "other"});
        QCOMPARE(outcome(signedToken(header.dump(), claims.dump()), rules), std::string("wrong_audience"));
        claims["azp"] = "vivavoce";
        QCOMPARE(outcome(signedToken(header.dump(), claims.dump()), rules), std::string("good"));
        QCOMPARE(outcome(signedToken(goodHeader().dump(), claims.dump()), rules), std::string("wrong_type"));
    }

    void keySet_OfTwoKeysOfOneName_IsRefused()
    {
        const auto set = JsonWebKeySet::read({{"keys", Json::array({hmacJwk("a"), hmacJwk("a")})}});
        QVERIFY(!set && set.error() == KeySetFault::DuplicateKid);
    }

    void keySet_OfSecretsAndPublicKeys_IsRefused()
    {
        const Json ed = {
            {"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", "e"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}};
        const auto set = JsonWebKeySet::read({{"keys", Json::array({hmacJwk("a"), ed})}});
        QVERIFY(!set && set.error() == KeySetFault::Mixed);
    }

    void keySet_WithKeysForOtherThings_LeavesThemOut()
    {
        const Json good = {
            {"kty", "OKP"}, {"crv", "Ed25519"}, {"kid", "good"}, {"x", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}};
        Json forEncryption = good;
        forEncryption["kid"] = "enc";
        forEncryption["use"] = "enc";
        Json forSigning = good;
        forSigning["kid"] = "ops";
        forSigning["key_ops"] = Json::array({"sign"});
        const Json unknown = {{"kty", "QUANTUM"}, {"kid", "q"}};
        const auto set = JsonWebKeySet::read({{"keys", Json::array({forEncryption, forSigning, unknown, good})}});
        QVERIFY(set.has_value());
        QCOMPARE(set->size(), std::size_t{1});
        QVERIFY(set->has("good"));
    }

    void key_WithAnEmptyName_IsRefused()
    {
        const auto key = JsonWebKey::read(hmacJwk(""));
        QVERIFY(!key && key.error() == KeyFault::Malformed);
    }

    void keySet_AskedWithoutAName_AnswersOnlyWhereThereIsOne()
    {
        const Json one = hmacJwk("one");
        QVERIFY(JsonWebKeySet::read({{"keys", Json::array({one})}})->find("", JoseAlgorithm::Hs256) != nullptr);
        const auto two = JsonWebKeySet::read({{"keys", Json::array({one, hmacJwk("two")})}});
        QVERIFY(two->find("", JoseAlgorithm::Hs256) == nullptr);
        QCOMPARE(two->find("two", JoseAlgorithm::Hs256)->kid(), std::string("two"));
        QVERIFY(two->find("two", JoseAlgorithm::Rs256) == nullptr);
    }

    void secret_ShorterThanItsDigest_IsWeak()
    {
        QVERIFY(JsonWebKey::fromSecret("k", core::Secret(std::string(32, 'x'))).has_value());
        const auto weak = JsonWebKey::fromSecret("k", core::Secret(std::string(31, 'x')));
        QVERIFY(!weak && weak.error() == KeyFault::Weak);
    }
};

QTEST_APPLESS_MAIN(BrokerJsonWebTokenTest)
#include "test_broker_json_web_token.moc"
