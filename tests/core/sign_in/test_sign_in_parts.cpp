#include "core/sign_in/form_body.h"
#include "core/sign_in/secure_url.h"
#include "tests/core/sign_in/sign_in_world.h"

#include <QTest>

#include <set>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

int codeOf(const Error& error)
{
    return static_cast<int>(error.code);
}

HttpClient::Response response(int status, const Json& body)
{
    return {status, {}, writeJson(body)};
}

} // namespace

class SignInPartsTest : public QObject {
    Q_OBJECT

    static AuthorizationServer server() { return *readAuthorizationServer(kIssuerUrl, writeJson(issuerDocument())); }

private Q_SLOTS:
    /// RFC 7636, Appendix B.
    void challenge_IsThatOfTheStandard()
    {
        QCOMPARE(proofChallenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", sha256Of),
            std::string("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }

    void transactions_AreFreshAndLongEnough()
    {
        std::set<std::string> seen;
        for (int i = 0; i < 1'000; ++i) {
            const Transaction one = beginTransaction("http://127.0.0.1:1/callback", sha256Of);
            QVERIFY(one.proof.verifier.size() >= 43 && one.proof.verifier.size() <= 128);
            // 22 characters of six bits hold 128.
            QVERIFY(one.state.size() >= 22 && one.nonce.size() >= 22);
            for (const Secret* part : {&one.proof.verifier, &one.state, &one.nonce}) {
                QVERIFY(
                    part->reveal().find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
                    == std::string_view::npos);
                QVERIFY(seen.insert(std::string(part->reveal())).second);
            }
        }
    }

    void urls_AreSecureOrRefused_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<bool>("isSecure");
        const auto row = [](const char* url, bool isSecure) {
            QTest::newRow(url) << QString::fromLatin1(url) << isSecure;
        };
        row("https://login.example", true);
        row("https://login.example/auth?tenant=1", true);
        row("http://127.0.0.1:4000/token", true);
        row("http://[::1]/token", true);
        row("http://login.example/token", false);
        row("http://127.0.0.1.example/token", false);
        row("login.example", false);
        row("https://user@login.example/", false);
        row("https://login.example/#a", false);
        row("https://login.example/a b", false);
        row("javascript:alert(1)", false);
        row("", false);
    }
    void urls_AreSecureOrRefused()
    {
        QFETCH(QString, url);
        QFETCH(bool, isSecure);
        QCOMPARE(isSecureUrl(url.toStdString()), isSecure);
    }

    void form_IsEncoded()
    {
        FormBody form;
        form.add("token", Secret(std::string(300, '/')));
        form.add("empty", "");
        form.add("name", "a b&c");
        const std::string text = form.take();
        QCOMPARE(valueOf(text, "token"), std::string(300, '/'));
        QVERIFY(text.ends_with("&name=a%20b%26c"));
        QVERIFY(text.find("empty") == std::string::npos);
    }

    void place_IsRead()
    {
        const auto place = readSignInPlace(kBrokerUrl, writeJson(placeDocument()));
        QVERIFY(place.has_value());
        QCOMPARE(place->issuer, std::string(kIssuerUrl));
        QCOMPARE(place->clientId, std::string("app"));
        QCOMPARE(place->scope, std::string("voice:mint"));
        QCOMPARE(place->resource, std::string("https://voice.example"));
    }

    void place_ThatCannotBeTrusted_IsRefused_data()
    {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QString>("value");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, const char* pointer, const char* value, ErrorCode code) {
            QTest::newRow(name) << QString::fromLatin1(pointer) << QString::fromLatin1(value) << static_cast<int>(code);
        };
        row("another broker's", "/resource", "\"https://evil.example\"", ErrorCode::BrokerMalformed);
        row("a broker with more behind", "/resource", "\"https://broker.example/\"", ErrorCode::BrokerMalformed);
        row("no place", "/vivavoce_sign_in", "[]", ErrorCode::BadConfiguration);
        row("an issuer that is not listed", "/authorization_servers", "[\"https://other.example\"]",
            ErrorCode::BrokerMalformed);
        row("plain HTTP", "/vivavoce_sign_in/0/issuer", "\"http://login.example\"", ErrorCode::BrokerMalformed);
        row("no client", "/vivavoce_sign_in/0/client_id", "\"\"", ErrorCode::BrokerMalformed);
        row("a number for a client", "/vivavoce_sign_in/0/client_id", "7", ErrorCode::BrokerMalformed);
    }
    void place_ThatCannotBeTrusted_IsRefused()
    {
        QFETCH(QString, pointer);
        QFETCH(QString, value);
        QFETCH(int, code);
        Json document = placeDocument();
        document[Json::json_pointer(pointer.toStdString())] = *parseJson(value.toStdString());
        const auto place = readSignInPlace(kBrokerUrl, writeJson(document));
        QVERIFY(!place.has_value());
        QCOMPARE(codeOf(place.error()), code);
    }

    void issuer_IsRead()
    {
        const AuthorizationServer read = server();
        QCOMPARE(read.tokenUrl, std::string("https://login.example/token"));
        QVERIFY(read.tellsIssuer && read.offersOffline);
    }

    void issuer_ThatCannotBeTrusted_IsRefused_data()
    {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QString>("value");
        QTest::newRow("another one") << "/issuer"
                                     << "\"https://evil.example\"";
        QTest::newRow("with a slash") << "/issuer"
                                      << "\"https://login.example/\"";
        QTest::newRow("plain HTTP") << "/token_endpoint"
                                    << "\"http://login.example/token\"";
        QTest::newRow("no address") << "/authorization_endpoint"
                                    << "7";
        QTest::newRow("device by plain HTTP") << "/device_authorization_endpoint"
                                              << "\"http://login.example/d\"";
        QTest::newRow("plain PKCE") << "/code_challenge_methods_supported"
                                    << "[\"plain\"]";
    }
    void issuer_ThatCannotBeTrusted_IsRefused()
    {
        QFETCH(QString, pointer);
        QFETCH(QString, value);
        Json document = issuerDocument();
        document[Json::json_pointer(pointer.toStdString())] = *parseJson(value.toStdString());
        const auto read = readAuthorizationServer(kIssuerUrl, writeJson(document));
        QVERIFY(!read.has_value());
        QCOMPARE(codeOf(read.error()), static_cast<int>(ErrorCode::ProviderMalformed));
    }

    void redirect_IsComparedWithTheQuestion_data()
    {
        QTest::addColumn<QString>("query");
        QTest::addColumn<bool>("tellsIssuer");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, const char* query, bool tells, std::optional<ErrorCode> code) {
            QTest::newRow(name) << QString::fromLatin1(query) << tells << (code ? static_cast<int>(*code) : -1);
        };
        const auto refused = ErrorCode::NotAuthorised;
        const auto malformed = ErrorCode::ProviderMalformed;
        const char* const iss = "code=c%2Bd&state=S&iss=https%3A%2F%2Flogin.example";
        row("good", iss, true, std::nullopt);
        row("good, from an issuer that does not say so", iss, false, std::nullopt);
        row("without iss, where none is due", "code=c%2Bd&state=S", false, std::nullopt);
        row("without iss, where it is due", "code=c%2Bd&state=S", true, refused);
        row("another issuer", "code=c&state=S&iss=https%3A%2F%2Fevil.example", true, refused);
        row("another issuer, where none is due", "code=c&state=S&iss=https%3A%2F%2Fevil.example", false, refused);
        row("another state", "code=c&state=T&iss=https%3A%2F%2Flogin.example", true, refused);
        row("a longer state", "code=c&state=SS&iss=https%3A%2F%2Flogin.example", true, refused);
        row("no state", "code=c&iss=https%3A%2F%2Flogin.example", true, refused);
        row("two states", "code=c&state=S&state=S", false, malformed);
        row("two codes", "code=c&code=d&state=S", false, malformed);
        row("the user said no", "error=access_denied&state=S&iss=https%3A%2F%2Flogin.example", true, refused);
        row("an error and a code", "error=access_denied&code=c&state=S", false, refused);
        row("the issuer's own fault", "error=server_error&state=S", false, ErrorCode::ProviderFailed);
        row("nothing", "", false, refused);
        row("no code", "state=S", false, malformed);
        row("an empty code", "code=&state=S", false, malformed);
        row("half an escape", "code=c%2&state=S", false, malformed);
    }
    void redirect_IsComparedWithTheQuestion()
    {
        QFETCH(QString, query);
        QFETCH(bool, tellsIssuer);
        QFETCH(int, code);
        AuthorizationServer theirs = server();
        theirs.tellsIssuer = tellsIssuer;
        Transaction transaction;
        transaction.state = Secret("S");
        const auto read = readRedirect(query.toStdString(), theirs, transaction);
        QCOMPARE(read ? -1 : codeOf(read.error()), code);
        if (read) {
            QCOMPARE(read->reveal(), std::string_view("c+d"));
        }
    }

    void redirect_ThatIsHuge_IsRefused()
    {
        Transaction transaction;
        transaction.state = Secret("S");
        QVERIFY(!readRedirect("state=S&code=" + std::string(10'000, 'c'), server(), transaction));
    }

    void refusal_KeepsOnlyAPlainCode()
    {
        QCOMPARE(errorOfOAuth("invalid_scope").foreignCode, std::string("invalid_scope"));
        QCOMPARE(errorOfOAuth("a\nb").foreignCode, std::string());
        QCOMPARE(errorOfOAuth(std::string(65, 'a')).foreignCode, std::string());
    }

    void tokenAnswer_IsReadAndWiped()
    {
        auto answer = response(200,
            {{"access_token", "secret-access"}, {"token_type", "bearer"}, {"expires_in", 60},
                {"refresh_token", "secret-refresh"}});
        const char* const bytes = answer.body.data();
        const std::size_t size = answer.body.size();
        const auto read = readTokenAnswer(answer);
        QVERIFY(read.has_value());
        QCOMPARE(read->access->reveal(), std::string_view("secret-access"));
        QCOMPARE(read->refresh.reveal(), std::string_view("secret-refresh"));
        QCOMPARE(read->life, Milliseconds{60'000});
        QVERIFY(answer.body.empty());
        QVERIFY(std::string_view(bytes, size).find("secret") == std::string_view::npos);
    }

    void tokenAnswer_ThatIsNone_IsRefused_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("body");
        QTest::addColumn<int>("code");
        const auto row = [](const char* name, int status, const char* body, ErrorCode code) {
            QTest::newRow(name) << status << QString::fromLatin1(body) << static_cast<int>(code);
        };
        row("another type", 200, "{\"access_token\":\"a\",\"token_type\":\"DPoP\"}", ErrorCode::ProviderMalformed);
        row("no type", 200, "{\"access_token\":\"a\"}", ErrorCode::ProviderMalformed);
        row("no token", 200, "{\"token_type\":\"Bearer\"}", ErrorCode::ProviderMalformed);
        row("a token with a line break", 200, "{\"access_token\":\"a\\nb\",\"token_type\":\"Bearer\"}",
            ErrorCode::ProviderMalformed);
        row("an expired one", 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",\"expires_in\":0}",
            ErrorCode::ProviderMalformed);
        row("twice the same name", 200, "{\"access_token\":\"a\",\"access_token\":\"b\",\"token_type\":\"Bearer\"}",
            ErrorCode::ProviderMalformed);
        row("no JSON", 200, "access_token=a", ErrorCode::ProviderMalformed);
        row("refused", 400, "{\"error\":\"invalid_grant\"}", ErrorCode::NotAuthorised);
        row("a page", 400, "<html>", ErrorCode::ProviderMalformed);
        row("busy", 503, "", ErrorCode::ProviderFailed);
        row("too often", 429, "", ErrorCode::RateLimited);
        row("too often, with a code", 429, "{\"error\":\"access_denied\"}", ErrorCode::RateLimited);
        row("busy, with a code", 503, "{\"error\":\"invalid_grant\"}", ErrorCode::ProviderFailed);
        row("too slow, with a code", 408, "{\"error\":\"invalid_request\"}", ErrorCode::ProviderFailed);
    }
    void tokenAnswer_ThatIsNone_IsRefused()
    {
        QFETCH(int, status);
        QFETCH(QString, body);
        QFETCH(int, code);
        HttpClient::Response answer{status, {}, body.toStdString()};
        const auto read = readTokenAnswer(answer);
        QVERIFY(!read.has_value());
        QVERIFY(answer.body.empty());
        QCOMPARE(codeOf(read.error()), code);
    }

    void tokenAnswer_WithATokenThatIsTooLong_IsRefused()
    {
        auto answer = response(200, {{"access_token", std::string(8'193, 'a')}, {"token_type", "Bearer"}});
        QVERIFY(!readTokenAnswer(answer));
    }

    void idToken_IsChecked_data()
    {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("name");
        const auto row = [](const char* title, const char* pointer, const char* value, const char* name) {
            QTest::newRow(title) << QString::fromLatin1(pointer) << QString::fromLatin1(value)
                                 << QString::fromLatin1(name);
        };
        row("good", "/extra", "1", "ada");
        row("an address for a name", "/preferred_username", "\"\"", "ada@example.org");
        row("several audiences and us as the party", "/both", "1", "ada");
        row("another issuer", "/iss", "\"https://evil.example\"", "");
        row("another client", "/aud", "\"other\"", "");
        row("no client", "/aud", "[]", "");
        row("several audiences", "/aud", "[\"app\",\"other\"]", "");
        row("another party", "/azp", "\"other\"", "");
        row("another nonce", "/nonce", "\"M\"", "");
        row("no nonce", "/nonce", "null", "");
        row("a nonce that is left out", "/nonce", nullptr, "");
        row("an issuer that is left out", "/iss", nullptr, "");
        row("an audience that is left out", "/aud", nullptr, "");
        row("an end that is left out", "/exp", nullptr, "");
        row("long over", "/exp", "1799999600", "");
        row("no end", "/exp", "null", "");
        row("an end beyond the clock", "/exp", "1e300", "ada");
        row("no subject", "/sub", "null", "");
        row("a name of two lines", "/preferred_username", "\"a\\nb\"", "ada@example.org");
    }
    void idToken_IsChecked()
    {
        QFETCH(QString, pointer);
        QFETCH(QString, value);
        QFETCH(QString, name);
        ManualClock clock;
        Json all = claims("N", clock);
        all["email"] = "ada@example.org";
        if (value.isNull()) {
            all.erase(pointer.mid(1).toStdString());
        } else {
            all[Json::json_pointer(pointer.toStdString())] = *parseJson(value.toStdString());
        }
        if (all.contains("both")) {
            all["aud"] = {"app", "other"};
            all["azp"] = "app";
        }
        const auto person = readIdToken(Secret(idToken(all)), {kIssuerUrl, kClientId, "N", clock.wallNow()});
        QCOMPARE(QString::fromStdString(person ? person->name : std::string()), name);
    }

    void idToken_OfAClockThatIsMinutesOff_IsGood()
    {
        ManualClock clock;
        const Json all = claims("N", clock);
        clock.jumpWall(std::chrono::minutes(9));
        QVERIFY(readIdToken(Secret(idToken(all)), {kIssuerUrl, kClientId, "N", clock.wallNow()}));
    }

    void idToken_ThatIsNone_IsRefused()
    {
        const ManualClock clock;
        for (const char* const text : {"", ".", "a.b", "a.!.c", "a.e30.c", "..", "a.W10.c"}) {
            QVERIFY(!readIdToken(Secret(text), {kIssuerUrl, kClientId, {}, clock.wallNow()}));
        }
    }

    void deviceAnswer_IsReadOrRefused_data()
    {
        QTest::addColumn<QString>("pointer");
        QTest::addColumn<QString>("value");
        QTest::addColumn<bool>("isGood");
        QTest::newRow("good") << "/extra"
                              << "1" << true;
        QTest::newRow("with a complete address") << "/verification_uri_complete"
                                                 << "\"https://login.example/d?c=1\"" << true;
        QTest::newRow("a page by plain HTTP") << "/verification_uri"
                                              << "\"http://login.example/device\"" << false;
        QTest::newRow("a script") << "/verification_uri_complete"
                                  << "\"javascript:alert\"" << false;
        QTest::newRow("no code") << "/device_code"
                                 << "null" << false;
        QTest::newRow("no code to type") << "/user_code"
                                         << "\"\"" << false;
        QTest::newRow("a code of two lines") << "/user_code"
                                             << "\"a\\nb\"" << false;
        QTest::newRow("no end") << "/expires_in"
                                << "null" << false;
        QTest::newRow("a negative interval") << "/interval"
                                             << "-1" << false;
    }
    void deviceAnswer_IsReadOrRefused()
    {
        QFETCH(QString, pointer);
        QFETCH(QString, value);
        QFETCH(bool, isGood);
        Json document = SignInWorld::deviceDocument();
        document[Json::json_pointer(pointer.toStdString())] = *parseJson(value.toStdString());
        auto answer = response(200, document);
        const auto read = readDeviceAuthorization(answer);
        QCOMPARE(read.has_value(), isGood);
        QVERIFY(answer.body.empty());
    }
};

QTEST_GUILESS_MAIN(SignInPartsTest)
#include "test_sign_in_parts.moc"
