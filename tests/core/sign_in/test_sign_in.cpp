#include "tests/core/sign_in/sign_in_world.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;
using Stage = SignInStatus::Stage;
using Verdict = RedirectListener::Verdict;

class SignInTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void browser_IsSentWithAllThatTiesTheAnswerToTheQuestion()
    {
        SignInWorld world;
        world.signIn.start(Account::Way::Browser);
        QCOMPARE(world.request().url, std::string("https://broker.example/.well-known/oauth-protected-resource"));
        QCOMPARE(world.request().method, std::string("GET"));
        world.answer(placeDocument());
        QCOMPARE(world.request().url, std::string("https://login.example/.well-known/openid-configuration"));
        world.answer(issuerDocument());
        QCOMPARE(world.stage(), Stage::WaitingForBrowser);
        QVERIFY(world.browser.opened.back().starts_with("https://login.example/auth?response_type=code&"));
        QCOMPARE(world.wanted("client_id"), std::string("app"));
        QCOMPARE(world.wanted("redirect_uri"), std::string("http://127.0.0.1:4711/callback"));
        QCOMPARE(world.wanted("scope"), std::string("openid profile email offline_access voice:mint"));
        QCOMPARE(world.wanted("resource"), std::string("https://voice.example"));
        QCOMPARE(world.wanted("code_challenge_method"), std::string("S256"));
        const std::string challenge = world.wanted("code_challenge");
        world.redirect.come(world.goodRedirect());
        QCOMPARE(world.stage(), Stage::Exchanging);
        QCOMPARE(world.request().url, std::string("https://login.example/token"));
        QCOMPARE(world.asked("grant_type"), std::string("authorization_code"));
        QCOMPARE(world.asked("code"), std::string("the-code"));
        QCOMPARE(world.asked("redirect_uri"), std::string("http://127.0.0.1:4711/callback"));
        QCOMPARE(proofChallenge(world.asked("code_verifier"), sha256Of), challenge);
        world.answer(world.tokens("access-1", "refresh-1", world.wanted("nonce")));
        QCOMPARE(world.stage(), Stage::SignedIn);
        QCOMPARE(world.signIn.status().name, std::string("ada"));
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-1"));
        QVERIFY(!world.redirect.isOpen());
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void attempt_IsTiedToValuesOfItsOwn()
    {
        SignInWorld world;
        world.startUntilBrowser();
        const std::string first = world.goodRedirect();
        world.signIn.cancel();
        world.startUntilBrowser();
        QVERIFY(world.redirect.come(first) == Verdict::NotOurs);
        QVERIFY(world.http.sent.empty());
        // The answer may still come; whoever goes on guessing ends it.
        QCOMPARE(world.stage(), Stage::WaitingForBrowser);
        for (int i = 2; i < 32; ++i) {
            QVERIFY(world.redirect.come("code=c&state=guess" + std::to_string(i)) == Verdict::NotOurs);
        }
        QVERIFY(world.redirect.come(first) == Verdict::Refused);
        QCOMPARE(world.failure(), ErrorCode::NotAuthorised);
        QVERIFY(world.http.sent.empty());
        QVERIFY(!world.redirect.isOpen());
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void strangers_DoNotEndIt_data()
    {
        QTest::addColumn<QString>("query");
        QTest::newRow("nothing") << QString();
        QTest::newRow("no state") << QStringLiteral("code=c");
        QTest::newRow("another state") << QStringLiteral("code=c&state=a");
        QTest::newRow("a refusal of another's") << QStringLiteral("error=access_denied&state=a");
        QTest::newRow("no form") << QStringLiteral("%&state=%zz");
        QTest::newRow("huge") << QString(10'000, QLatin1Char('a'));
    }
    void strangers_DoNotEndIt()
    {
        QFETCH(QString, query);
        SignInWorld world;
        world.startUntilBrowser();
        QVERIFY(world.redirect.come(query.toStdString()) == Verdict::NotOurs);
        QVERIFY(world.redirect.come(world.goodRedirect()) == Verdict::Taken);
        QCOMPARE(world.stage(), Stage::Exchanging);
    }

    void answer_ThatIsOursAndNoGood_EndsIt_data()
    {
        QTest::addColumn<QString>("rest");
        QTest::addColumn<int>("code");
        const QString issuer = QStringLiteral("&iss=https%3A%2F%2Flogin.example");
        QTest::newRow("no") << "&error=access_denied" + issuer << static_cast<int>(ErrorCode::NotAuthorised);
        QTest::newRow("no code") << issuer << static_cast<int>(ErrorCode::ProviderMalformed);
        QTest::newRow("two codes") << "&code=a&code=b" + issuer << static_cast<int>(ErrorCode::ProviderMalformed);
    }
    void answer_ThatIsOursAndNoGood_EndsIt()
    {
        QFETCH(QString, rest);
        QFETCH(int, code);
        SignInWorld world;
        world.startUntilBrowser();
        QVERIFY(world.redirect.come("state=" + world.wanted("state") + rest.toStdString()) == Verdict::Refused);
        QCOMPARE(static_cast<int>(*world.failure()), code);
        QVERIFY(!world.redirect.isOpen());
    }

    void secondIssuer_IsNotMixedUp()
    {
        SignInWorld world;
        world.startUntilBrowser();
        world.redirect.come("code=c&state=" + world.wanted("state") + "&iss=https%3A%2F%2Fevil.example");
        QCOMPARE(world.failure(), ErrorCode::NotAuthorised);
        QVERIFY(world.http.sent.empty());
    }

    void nonceOfAnother_IsRefused()
    {
        SignInWorld world;
        world.startUntilBrowser();
        world.redirect.come(world.goodRedirect());
        world.answer(world.tokens("access-1", "refresh-1", "another"));
        QCOMPARE(world.failure(), ErrorCode::NotAuthorised);
        const auto fetched = world.fetch();
        world.executor.runPosted();
        QVERIFY(!(*fetched)->has_value());
    }

    void answerWithoutAnIdToken_IsRefused()
    {
        SignInWorld world;
        world.startUntilBrowser();
        world.redirect.come(world.goodRedirect());
        world.answer({{"access_token", "a"}, {"token_type", "Bearer"}});
        QCOMPARE(world.failure(), ErrorCode::ProviderMalformed);
    }

    void browserThatDoesNotComeBack_IsGivenUp()
    {
        SignInWorld world;
        world.startUntilBrowser();
        world.executor.advance(std::chrono::minutes(5) - Milliseconds{1});
        QCOMPARE(world.stage(), Stage::WaitingForBrowser);
        QVERIFY(world.redirect.isOpen());
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.failure(), ErrorCode::Timeout);
        QVERIFY(!world.redirect.isOpen());
    }

    void brokerWithoutSignIn_IsToldApart()
    {
        SignInWorld world;
        world.signIn.start(Account::Way::Browser);
        world.http.answer(404, "{}");
        QCOMPARE(world.failure(), ErrorCode::BadConfiguration);
        world.signIn.start(Account::Way::Browser);
        world.http.answer(503, "{}");
        QCOMPARE(world.failure(), ErrorCode::BrokerFailed);
        world.signIn.start(Account::Way::Browser);
        world.http.answer(core::fail(ErrorCode::BrokerUnreachable, "refused"));
        QCOMPARE(world.failure(), ErrorCode::BrokerUnreachable);
    }

    void issuerOutOfReach_IsNotTakenForTheBroker()
    {
        SignInWorld world;
        world.signIn.start(Account::Way::Browser);
        world.answer(placeDocument());
        world.http.answer(core::fail(ErrorCode::BrokerUnreachable, "refused"));
        QCOMPARE(world.failure(), ErrorCode::ProviderUnreachable);
    }

    void cancel_LeavesNothingBehind()
    {
        // At each step of the way.
        for (std::size_t steps = 0; steps < 4; ++steps) {
            SignInWorld world;
            world.signIn.start(Account::Way::Browser);
            const std::vector<std::function<void()>> way{[&] { world.answer(placeDocument()); },
                [&] { world.answer(issuerDocument()); }, [&] { world.redirect.come(world.goodRedirect()); }};
            std::for_each(way.begin(), way.begin() + static_cast<std::ptrdiff_t>(std::min(steps, way.size())),
                [](const auto& step) { step(); });
            world.signIn.cancel();
            QCOMPARE(world.stage(), Stage::SignedOut);
            QVERIFY(!world.redirect.isOpen());
            QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
            QVERIFY(world.http.sent.empty() || *world.http.sent.front().wasCancelled);
        }
    }

    void failureAtEachOperation_LeavesItAsIfNothingWas()
    {
        // The network fails at operation 0, 1, 2 … until nothing is left to fail.
        bool hasFailed = true;
        for (int at = 0; hasFailed; ++at) {
            QVERIFY(at < 10);
            SignInWorld world;
            int operation = 0;
            hasFailed = false;
            const auto step = [&](const std::function<Json()>& answer) {
                if (hasFailed) {
                    return;
                }
                if (operation++ == at) {
                    hasFailed = true;
                    world.http.answer(core::fail(ErrorCode::Timeout, "no answer"));
                } else {
                    world.answer(answer());
                }
            };
            world.signIn.start(Account::Way::Browser);
            step([] { return placeDocument(); });
            step([] { return issuerDocument(); });
            if (!hasFailed) {
                world.redirect.come(world.goodRedirect());
            }
            step([&] { return world.tokens("access-1", "refresh-1", world.wanted("nonce")); });
            QCOMPARE(world.stage(), hasFailed ? Stage::Failed : Stage::SignedIn);
            QVERIFY(!world.redirect.isOpen());
            QVERIFY(world.http.sent.empty());
            QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
            if (hasFailed) {
                QCOMPARE(world.failure(), ErrorCode::Timeout);
                world.signInAs();
                QCOMPARE(world.stage(), Stage::SignedIn);
            }
        }
    }

    void noPort_IsAFailure()
    {
        SignInWorld world;
        world.redirect.hasPort = false;
        world.startUntilBrowser();
        QCOMPARE(world.failure(), ErrorCode::Internal);
    }

    void openAgain_IsTheSameQuestion()
    {
        SignInWorld world;
        world.startUntilBrowser();
        world.signIn.openAgain();
        QCOMPARE(world.browser.opened.size(), std::size_t{2});
        QCOMPARE(world.browser.opened[0], world.browser.opened[1]);
    }

    void withoutABrowser_ACodeIsTyped()
    {
        SignInWorld world;
        world.browser.isThere = false;
        world.startUntilBrowser();
        QVERIFY(!world.redirect.isOpen());
        QCOMPARE(world.request().url, std::string("https://login.example/device"));
        QCOMPARE(world.asked("client_id"), std::string("app"));
        world.answer(SignInWorld::deviceDocument());
        QCOMPARE(world.stage(), Stage::WaitingForDevice);
        QCOMPARE(world.signIn.status().userCode, std::string("WDJB-MJHT"));
        QCOMPARE(world.signIn.status().verificationUrl, std::string("https://login.example/device"));
        world.executor.advance(Milliseconds{5'000});
        QCOMPARE(world.asked("device_code"), std::string("a-device-code-of-some-length"));
        QCOMPARE(world.asked("grant_type"), std::string("urn:ietf:params:oauth:grant-type:device_code"));
        world.answer({{"error", "authorization_pending"}}, 400);
        QCOMPARE(world.stage(), Stage::WaitingForDevice);
        world.executor.advance(Milliseconds{5'000});
        world.answer(world.tokens("access-1", "refresh-1", {}));
        QCOMPARE(world.stage(), Stage::SignedIn);
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void withoutABrowserAndWithoutDeviceFlow_ItIsSaid()
    {
        SignInWorld world;
        world.browser.isThere = false;
        world.signIn.start(Account::Way::Browser);
        world.answer(placeDocument());
        Json issuer = issuerDocument();
        issuer.erase("device_authorization_endpoint");
        world.answer(issuer);
        QCOMPARE(world.failure(), ErrorCode::BadConfiguration);
        QVERIFY(world.signIn.status().isBrowserMissing);
        world.signIn.start(Account::Way::Device);
        world.answer(placeDocument());
        world.answer(issuer);
        QCOMPARE(world.failure(), ErrorCode::BadConfiguration);
        QVERIFY(!world.signIn.status().isBrowserMissing);
    }

    void anotherDevice_IsOfferedWhereTheIssuerKnowsOfIt()
    {
        SignInWorld world;
        world.startUntilBrowser();
        QVERIFY(world.signIn.status().offersDevice);
        world.signIn.cancel();
        QVERIFY(!world.signIn.status().offersDevice);
        world.signIn.start(Account::Way::Browser);
        world.answer(placeDocument());
        Json issuer = issuerDocument();
        issuer.erase("device_authorization_endpoint");
        world.answer(issuer);
        QCOMPARE(world.stage(), Stage::WaitingForBrowser);
        QVERIFY(!world.signIn.status().offersDevice);
    }

    void device_AsksLessOftenWhenTold()
    {
        SignInWorld world;
        world.startUntilDevice();
        world.executor.advance(Milliseconds{5'000});
        world.answer({{"error", "slow_down"}}, 400);
        world.executor.advance(Milliseconds{9'999});
        QVERIFY(world.http.sent.empty());
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        // And where the issuer does not answer, half as often (RFC 8628 §3.5).
        world.http.answer(core::fail(ErrorCode::Timeout, "no answer"));
        world.executor.advance(Milliseconds{19'999});
        QVERIFY(world.http.sent.empty());
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.http.sent.size(), std::size_t{1});
    }

    void device_WaitsAsLongAsTheIssuerAsks()
    {
        SignInWorld world;
        world.startUntilDevice();
        world.executor.advance(Milliseconds{5'000});
        world.putOff(429, "access_denied", "45");
        QCOMPARE(world.stage(), Stage::WaitingForDevice);
        world.executor.advance(Milliseconds{44'999});
        QVERIFY(world.http.sent.empty());
        world.executor.advance(Milliseconds{1});
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        // That once; from then on half as often as before.
        world.answer({{"error", "authorization_pending"}}, 400);
        world.executor.advance(Milliseconds{10'000});
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        // However long it asks for, the code's own end is waited for.
        world.putOff(503, "expired_token", "4000000000");
        QCOMPARE(world.stage(), Stage::WaitingForDevice);
        world.executor.advance(Milliseconds{540'000});
        QCOMPARE(world.failure(), ErrorCode::Timeout);
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void device_RefusalsEndIt_data()
    {
        QTest::addColumn<QString>("error");
        QTest::addColumn<int>("code");
        QTest::newRow("no") << "access_denied" << static_cast<int>(ErrorCode::NotAuthorised);
        QTest::newRow("late") << "expired_token" << static_cast<int>(ErrorCode::Timeout);
        QTest::newRow("other") << "invalid_grant" << static_cast<int>(ErrorCode::NotAuthorised);
    }
    void device_RefusalsEndIt()
    {
        QFETCH(QString, error);
        QFETCH(int, code);
        SignInWorld world;
        world.startUntilDevice();
        world.executor.advance(Milliseconds{5'000});
        world.answer({{"error", error.toStdString()}}, 400);
        QCOMPARE(static_cast<int>(*world.failure()), code);
        QCOMPARE(world.executor.pendingTimers(), std::size_t{0});
    }

    void device_HasADeadline()
    {
        SignInWorld world;
        world.startUntilDevice();
        for (int i = 0; i < 119; ++i) {
            world.executor.advance(Milliseconds{5'000});
            world.answer({{"error", "authorization_pending"}}, 400);
        }
        world.executor.advance(Milliseconds{5'000});
        QCOMPARE(world.failure(), ErrorCode::Timeout);
    }

    void token_IsRenewedBeforeItsEnd_OnceForAll()
    {
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{269'999});
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-1"));
        world.executor.advance(Milliseconds{1});
        const auto first = world.fetch();
        const auto second = world.fetch();
        QVERIFY(!*first && !*second);
        QCOMPARE(world.http.sent.size(), std::size_t{1});
        QCOMPARE(world.asked("grant_type"), std::string("refresh_token"));
        QCOMPARE(world.asked("refresh_token"), std::string("refresh-1"));
        QCOMPARE(world.asked("resource"), std::string("https://voice.example"));
        world.answer(world.tokens("access-2", "refresh-2", {}));
        QCOMPARE((*first)->value()->reveal(), std::string_view("access-2"));
        QCOMPARE((*second)->value()->reveal(), std::string_view("access-2"));
        // The rotated one from now on.
        world.executor.advance(Milliseconds{270'000});
        (void)world.fetch();
        QCOMPARE(world.asked("refresh_token"), std::string("refresh-2"));
    }

    void refreshToken_ThatIsNotRotated_GoesOn()
    {
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{270'000});
        (void)world.fetch();
        world.answer({{"access_token", "access-2"}, {"token_type", "Bearer"}, {"expires_in", 300}});
        world.executor.advance(Milliseconds{270'000});
        (void)world.fetch();
        QCOMPARE(world.asked("refresh_token"), std::string("refresh-1"));
    }

    void renewal_ThatFailsForAMoment_LetsTheOldTokenServe()
    {
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{280'000});
        const auto early = world.fetch();
        world.http.answer(503, "");
        QCOMPARE((*early)->value()->reveal(), std::string_view("access-1"));
        world.executor.advance(Milliseconds{20'000});
        const auto late = world.fetch();
        world.http.answer(503, "");
        QCOMPARE(static_cast<int>((*late)->error().code), static_cast<int>(ErrorCode::ProviderFailed));
        QCOMPARE(world.stage(), Stage::SignedIn);
    }

    void renewal_ThatIsPutOff_SignsNobodyOut_data()
    {
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("error");
        QTest::addColumn<int>("code");
        const auto row = [](int status, const char* error, ErrorCode code) {
            QTest::addRow("%d %s", status, error) << status << QString::fromLatin1(error) << static_cast<int>(code);
        };
        row(429, "too_many_requests", ErrorCode::RateLimited);
        row(429, "access_denied", ErrorCode::RateLimited);
        row(408, "invalid_request", ErrorCode::ProviderFailed);
        row(503, "invalid_grant", ErrorCode::ProviderFailed);
        row(400, "maintenance", ErrorCode::ProviderFailed);
    }
    void renewal_ThatIsPutOff_SignsNobodyOut()
    {
        QFETCH(int, status);
        QFETCH(QString, error);
        QFETCH(int, code);
        const std::string said = error.toStdString();
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{270'000});
        const auto early = world.fetch();
        world.putOff(status, said.c_str(), "10");
        QCOMPARE((*early)->value()->reveal(), std::string_view("access-1"));
        // It is not asked again before it wants to be.
        world.executor.advance(Milliseconds{9'999});
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-1"));
        QVERIFY(world.http.sent.empty());
        world.executor.advance(Milliseconds{20'001});
        const auto late = world.fetch();
        world.putOff(status, said.c_str(), "10");
        QCOMPARE(static_cast<int>((*late)->error().code), code);
        QCOMPARE((*late)->error().foreignCode, said);
        QCOMPARE((*late)->error().retryAfter, std::optional(Milliseconds{10'000}));
        QCOMPARE(world.stage(), Stage::SignedIn);
        (void)world.fetch();
        world.answer(world.tokens("access-2", "refresh-2", {}));
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-2"));
    }

    void renewal_ThatIsRefused_AsksTheUser()
    {
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{280'000});
        const auto fetched = world.fetch();
        world.answer({{"error", "invalid_grant"}}, 400);
        QCOMPARE(static_cast<int>((*fetched)->error().code), static_cast<int>(ErrorCode::NotAuthorised));
        QCOMPARE(world.stage(), Stage::Failed);
        QCOMPARE(world.signIn.status().error->foreignCode, std::string("invalid_grant"));
        world.signInAs("access-3", "refresh-3");
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-3"));
    }

    void renewal_ForSomebodyElse_IsRefused()
    {
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{280'000});
        const auto fetched = world.fetch();
        Json answer = world.tokens("access-2", "refresh-2", {});
        Json other = claims({}, world.clock);
        other["sub"] = "eve";
        answer["id_token"] = idToken(other);
        world.answer(answer);
        QCOMPARE(static_cast<int>((*fetched)->error().code), static_cast<int>(ErrorCode::NotAuthorised));
        QCOMPARE(world.stage(), Stage::Failed);
    }

    void withoutARefreshToken_ItServesToItsEnd()
    {
        SignInWorld world;
        world.signInAs("access-1", "");
        world.executor.advance(Milliseconds{299'999});
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-1"));
        world.executor.advance(Milliseconds{1});
        const auto fetched = world.fetch();
        world.executor.runPosted();
        QCOMPARE(static_cast<int>((*fetched)->error().code), static_cast<int>(ErrorCode::NotAuthorised));
        QCOMPARE(world.stage(), Stage::Failed);
    }

    void tokenThatTheBrokerRefuses_IsReplaced()
    {
        SignInWorld world;
        world.signInAs();
        const CredentialPtr refused = (*world.fetch())->value();
        QVERIFY(world.signIn.replace(refused));
        const auto fetched = world.fetch();
        QCOMPARE(world.asked("refresh_token"), std::string("refresh-1"));
        world.answer(world.tokens("access-2", "refresh-2", {}));
        QCOMPARE((*fetched)->value()->reveal(), std::string_view("access-2"));
        // Somebody else hears of it late: what came in its place is not replaced again.
        QVERIFY(world.signIn.replace(refused));
        QCOMPARE((*world.fetch())->value()->reveal(), std::string_view("access-2"));
    }

    void signOut_RevokesAndWipes()
    {
        SignInWorld world;
        world.signInAs();
        const std::weak_ptr<const Secret> token = (*world.fetch())->value();
        world.signIn.signOut();
        QCOMPARE(world.stage(), Stage::SignedOut);
        QVERIFY(token.expired());
        QCOMPARE(world.request().url, std::string("https://login.example/revoke"));
        QCOMPARE(world.asked("token"), std::string("refresh-1"));
        QCOMPARE(world.asked("token_type_hint"), std::string("refresh_token"));
        QCOMPARE(world.asked("client_id"), std::string("app"));
        QVERIFY(world.signIn.isRevoking());
        world.http.answer(core::fail(ErrorCode::Timeout, "no answer"));
        QVERIFY(!world.signIn.isRevoking());
        const auto fetched = world.fetch();
        world.executor.runPosted();
        QVERIFY(!(*fetched)->has_value());
    }

    void signOut_DuringARenewal_TellsWhoeverWaits()
    {
        SignInWorld world;
        world.signInAs();
        world.executor.advance(Milliseconds{280'000});
        const auto fetched = world.fetch();
        world.signIn.signOut();
        QCOMPARE(static_cast<int>((*fetched)->error().code), static_cast<int>(ErrorCode::NotAuthorised));
        QVERIFY(*world.http.sent.front().wasCancelled);
        world.http.sent.pop_front();
        QCOMPARE(world.request().url, std::string("https://login.example/revoke"));
    }

    void anotherBroker_SignsOut()
    {
        SignInWorld world;
        world.signInAs();
        world.signIn.setBroker(kBrokerUrl);
        QCOMPARE(world.stage(), Stage::SignedIn);
        world.signIn.setBroker("https://other.example");
        QCOMPARE(world.stage(), Stage::SignedOut);
        QCOMPARE(world.asked("token"), std::string("refresh-1"));
    }

    void followers_SeeEachStage()
    {
        SignInWorld world;
        world.signInAs();
        world.signIn.signOut();
        const std::vector<Stage> all{
            Stage::Preparing, Stage::WaitingForBrowser, Stage::Exchanging, Stage::SignedIn, Stage::SignedOut};
        QVERIFY(world.stages == all);
    }
};

QTEST_GUILESS_MAIN(SignInTest)
#include "test_sign_in.moc"
