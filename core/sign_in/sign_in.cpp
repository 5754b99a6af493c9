#include "core/sign_in/sign_in.h"

#include "core/sign_in/form_body.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core {
namespace {

using Stage = SignInStatus::Stage;

constexpr std::chrono::minutes kBrowserPatience{5};
/// Any program of this computer can knock, and any page in the browser; somebody who guesses is to be stopped all the same.
constexpr int kMostStrangers = 32;
constexpr Milliseconds kRevocationPatience{5'000};
/// RFC 8628 §3.5.
constexpr Milliseconds kSlowDownBy{5'000};
constexpr Milliseconds kLongestInterval{60'000};
constexpr std::size_t kLongestDocument = 64 * 1024;
constexpr int kNotFound = 404;
constexpr const char* kDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code";

HttpClient::Request documentRequest(std::string url)
{
    HttpClient::Request request;
    request.method = "GET";
    request.url = std::move(url);
    request.headers.add("Accept", "application/json");
    request.maxBodyBytes = kLongestDocument;
    return request;
}

SignInStatus at(Stage stage)
{
    SignInStatus status;
    status.stage = stage;
    return status;
}

Error errorOfBroker(int status)
{
    return {status >= 500 ? ErrorCode::BrokerFailed : ErrorCode::BrokerMalformed,
        "the broker answered HTTP " + std::to_string(status), std::nullopt, {}};
}

} // namespace

SignIn::~SignIn()
{
    forgetAttempt();
}

void SignIn::setBroker(const std::string& url)
{
    if (url != m_brokerUrl) {
        m_brokerUrl = url;
        signOut();
    }
}

bool SignIn::isUnderWay() const
{
    return m_status.stage != Stage::SignedOut && m_status.stage != Stage::SignedIn && m_status.stage != Stage::Failed;
}

void SignIn::start(Way way)
{
    if (isUnderWay() || m_user != nullptr || m_brokerUrl.empty()) {
        return;
    }
    m_way = way;
    askWhere();
    become(at(Stage::Preparing));
}

void SignIn::openAgain()
{
    if (m_status.stage == Stage::WaitingForBrowser) {
        // Where it does not open any more the window of before may still be there.
        static_cast<void>(m_deps.browser.open(authorizationUrl(m_server, m_place, *m_transaction)));
    }
}

void SignIn::cancel()
{
    if (isUnderWay()) {
        forgetAttempt();
        become({});
    }
}

void SignIn::signOut()
{
    forgetAttempt();
    const auto user = std::move(m_user);
    auto revocation = user != nullptr ? user->revocation() : std::nullopt;
    if (revocation) {
        revocation->timeout = kRevocationPatience;
        const auto place = m_revocations.insert(m_revocations.end(), nullptr);
        // Whatever the answer: there is nothing left here to be revoked.
        *place = m_deps.http.send(std::move(*revocation), [this, place](const Answer&) {
            const auto call = std::move(*place);
            m_revocations.erase(place);
        });
    }
    if (m_status.stage != Stage::SignedOut) {
        become({});
    }
    if (user != nullptr) {
        user->dismiss();
    }
}

void SignIn::fetch(CredentialCallback done)
{
    if (m_user != nullptr) {
        m_user->fetch(std::move(done));
        return;
    }
    m_deps.executor.post([weak = std::weak_ptr<SignIn*>(m_self), done = std::move(done)] {
        if (!weak.expired()) {
            done(core::fail(ErrorCode::NotAuthorised, "nobody is signed in"));
        }
    });
}

bool SignIn::replace(const CredentialPtr& refused)
{
    return m_user != nullptr && m_user->replace(refused);
}

void SignIn::ask(HttpClient::Request request, std::function<void(Answer)> done)
{
    m_call = m_deps.http.send(std::move(request), [this, done = std::move(done)](Answer answer) {
        // The call that we stand in goes when this is done.
        const auto call = std::move(m_call);
        done(std::move(answer));
    });
}

void SignIn::askWhere()
{
    ask(documentRequest(signInPlaceUrl(m_brokerUrl)), [this](const Answer& answer) {
        if (!answer) {
            fail(answer.error());
            return;
        }
        if (answer->status == kNotFound) {
            fail({ErrorCode::BadConfiguration, "this broker knows of no place to sign in", std::nullopt, {}});
            return;
        }
        if (answer->status != 200) {
            fail(errorOfBroker(answer->status));
            return;
        }
        auto place = readSignInPlace(m_brokerUrl, answer->body);
        if (!place) {
            fail(place.error());
            return;
        }
        m_place = std::move(*place);
        askIssuer();
    });
}

void SignIn::askIssuer()
{
    ask(documentRequest(discoveryUrl(m_place.issuer)), [this](const Answer& answer) {
        if (!answer || answer->status != 200) {
            fail(answer ? errorOfIssuer(*answer) : errorOfIssuer(answer.error()));
            return;
        }
        auto server = readAuthorizationServer(m_place.issuer, answer->body);
        if (!server) {
            fail(server.error());
            return;
        }
        m_server = std::move(*server);
        if (m_way == Way::Browser) {
            openBrowser();
        } else {
            askForCode();
        }
    });
}

void SignIn::openBrowser()
{
    m_strangers = 0;
    auto redirect = m_deps.redirect.open([this](std::string_view query) { return browserCame(query); });
    if (!redirect) {
        fail(redirect.error());
        return;
    }
    m_transaction = beginTransaction(std::move(*redirect), m_deps.sha256);
    if (!m_deps.browser.open(authorizationUrl(m_server, m_place, *m_transaction))) {
        m_deps.redirect.close();
        m_transaction.reset();
        askForCode();
        return;
    }
    m_deadline = m_deps.executor.after(kBrowserPatience, [this] {
        const auto timer = std::move(m_deadline);
        fail({ErrorCode::Timeout, "the browser did not come back within five minutes", std::nullopt, {}});
    });
    SignInStatus status = at(Stage::WaitingForBrowser);
    status.offersDevice = !m_server.deviceUrl.empty();
    become(std::move(status));
}

RedirectListener::Verdict SignIn::browserCame(std::string_view query)
{
    if (!isAnswerTo(query, *m_transaction) && ++m_strangers < kMostStrangers) {
        return RedirectListener::Verdict::NotOurs;
    }
    m_deps.redirect.close();
    m_deadline.reset();
    const auto code = readRedirect(query, m_server, *m_transaction);
    if (!code) {
        fail(code.error());
        return RedirectListener::Verdict::Refused;
    }
    exchange(*code);
    return RedirectListener::Verdict::Taken;
}

void SignIn::exchange(const Secret& code)
{
    FormBody form;
    form.add("grant_type", "authorization_code");
    form.add("code", code);
    form.add("redirect_uri", m_transaction->redirectUri);
    form.add("client_id", m_place.clientId);
    form.add("code_verifier", m_transaction->proof.verifier);
    form.add("resource", m_place.resource);
    ask(issuerRequest(m_server.tokenUrl, form.take()), [this, asked = m_deps.clock.now()](Answer answer) {
        const Secret nonce = std::move(m_transaction->nonce);
        exchanged(std::move(answer), nonce, asked);
    });
    become(at(Stage::Exchanging));
}

void SignIn::askForCode()
{
    if (m_server.deviceUrl.empty()) {
        const bool hasNone = m_way == Way::Browser;
        fail({ErrorCode::BadConfiguration,
                 hasNone ? "no browser can be opened here, and the issuer has no sign-in with another device"
                         : "the issuer has no sign-in with another device",
                 std::nullopt, {}},
            hasNone);
        return;
    }
    FormBody form;
    form.add("client_id", m_place.clientId);
    form.add("scope", wantedScope(m_server, m_place));
    form.add("resource", m_place.resource);
    ask(issuerRequest(m_server.deviceUrl, form.take()), [this](Answer answer) {
        auto device = answer ? readDeviceAuthorization(*answer)
                             : Expected<DeviceAuthorization, Error>(Unexpected<Error>(errorOfIssuer(answer.error())));
        if (device) {
            waitForDevice(std::move(*device));
        } else {
            fail(device.error());
        }
    });
}

void SignIn::waitForDevice(DeviceAuthorization device)
{
    m_device = std::move(device);
    m_deadline = m_deps.executor.after(m_device.life, [this] {
        const auto timer = std::move(m_deadline);
        fail({ErrorCode::Timeout, "the code was not typed in time", std::nullopt, {}});
    });
    poll(m_device.interval);
    SignInStatus status = at(Stage::WaitingForDevice);
    status.offersDevice = true;
    status.userCode = m_device.userCode;
    status.verificationUrl = m_device.verificationUrl;
    status.completeUrl = m_device.completeUrl;
    become(std::move(status));
}

void SignIn::poll(Milliseconds interval, Milliseconds atLeast)
{
    m_timer = m_deps.executor.after(std::max(interval, atLeast), [this, interval] {
        const auto timer = std::move(m_timer);
        FormBody form;
        form.add("grant_type", kDeviceGrant);
        form.add("device_code", m_device.deviceCode);
        form.add("client_id", m_place.clientId);
        form.add("resource", m_place.resource);
        ask(issuerRequest(m_server.tokenUrl, form.take()), [this, interval, asked = m_deps.clock.now()](Answer answer) {
            polled(std::move(answer), interval, asked);
        });
    });
}

void SignIn::polled(Answer answer, Milliseconds interval, MonotonicTime asked)
{
    auto tokens = answer ? readTokenAnswer(*answer)
                         : Expected<TokenAnswer, Error>(Unexpected<Error>(errorOfIssuer(answer.error())));
    if (tokens) {
        tokensCame(std::move(*tokens), {}, asked);
        return;
    }
    const Error& error = tokens.error();
    const bool isTooLate = error.code == ErrorCode::Timeout && error.foreignCode == "expired_token";
    if (error.foreignCode == "slow_down") {
        interval = std::min(interval + kSlowDownBy, kLongestInterval);
    } else if (isRetryable(error.code) && !isTooLate) {
        // RFC 8628 §3.5: less often while it does not answer.
        interval = std::min(2 * interval, kLongestInterval);
    } else if (error.foreignCode != "authorization_pending") {
        fail(error);
        return;
    }
    poll(interval, std::min(error.retryAfter.value_or(Milliseconds{0}), m_device.life));
}

void SignIn::exchanged(Answer answer, const Secret& nonce, MonotonicTime asked)
{
    auto tokens = answer ? readTokenAnswer(*answer)
                         : Expected<TokenAnswer, Error>(Unexpected<Error>(errorOfIssuer(answer.error())));
    if (tokens) {
        tokensCame(std::move(*tokens), nonce, asked);
    } else {
        fail(tokens.error());
    }
}

void SignIn::tokensCame(TokenAnswer tokens, const Secret& nonce, MonotonicTime asked)
{
    auto person =
        readIdToken(tokens.idToken, {m_server.issuer, m_place.clientId, nonce.reveal(), m_deps.clock.wallNow()});
    if (!person) {
        fail(person.error());
        return;
    }
    SignInStatus status = at(Stage::SignedIn);
    status.name = person->name;
    m_user = std::make_unique<SignedInUser>(SignedInUser::Dependencies{m_deps.http, m_deps.clock, m_deps.executor},
        m_place, m_server, std::move(*person), std::move(tokens), asked, [this](const Error& error) {
            m_user.reset();
            fail(error);
        });
    forgetAttempt();
    become(std::move(status));
}

void SignIn::forgetAttempt()
{
    m_deps.redirect.close();
    m_call.reset();
    m_timer.reset();
    m_deadline.reset();
    m_transaction.reset();
    m_device = {};
}

void SignIn::fail(const Error& error, bool isBrowserMissing)
{
    SignInStatus status = at(Stage::Failed);
    status.error = error;
    status.isBrowserMissing = isBrowserMissing;
    forgetAttempt();
    become(std::move(status));
}

void SignIn::become(SignInStatus status)
{
    m_status = std::move(status);
    // Whoever is told may go on at once; the others then hear of what follows.
    for (const Follower& follower : std::vector(m_followers)) {
        follower(m_status);
    }
}

} // namespace vivavoce::core
