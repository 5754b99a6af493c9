#pragma once

#include "core/ports/account.h"
#include "core/ports/browser.h"
#include "core/ports/redirect_listener.h"
#include "core/sign_in/authorization.h"
#include "core/sign_in/device_authorization.h"
#include "core/sign_in/signed_in_user.h"

#include <list>
#include <vector>

namespace vivavoce::core {

/// Signs a person in at the issuer that a broker believes: authorization code with PKCE in the system's browser (RFC 8252), or with a code that
/// is typed on another device (RFC 8628) where no browser can be opened. Afterwards it is the credential of that person.
/// - Each wait has a deadline: five minutes for the browser, what the issuer says, half an hour at most, for another device.
/// - Who comes to the door without the state of this attempt does not end it, unless there are very many of them.
/// - Nothing outlives the program: tokens are in memory only, and signing out revokes and wipes them.
/// Errors: Broker… of the broker, Provider… of the issuer, BadConfiguration where this broker has no sign-in for us, NotAuthorised, Timeout.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class SignIn final : public Account, public CredentialSource {
public:
    struct Dependencies {
        HttpClient& http;
        const Clock& clock;
        Executor& executor;
        Browser& browser;
        RedirectListener& redirect;
        Sha256 sha256;
    };

    explicit SignIn(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    ~SignIn() override;

    /// Whose users sign in, "https://broker.example" without a trailing slash. Another one than before signs out.
    void setBroker(const std::string& url);
    void follow(Follower follower) override { m_followers.push_back(std::move(follower)); }
    [[nodiscard]] const SignInStatus& status() const override { return m_status; }
    void start(Way way) override;
    void openAgain() override;
    void cancel() override;
    void signOut() override;
    /// The issuer has not answered yet to the last one who signed out.
    [[nodiscard]] bool isRevoking() const { return !m_revocations.empty(); }

    void fetch(CredentialCallback done) override;
    [[nodiscard]] bool replace(const CredentialPtr& refused) override;

private:
    using Answer = Expected<HttpClient::Response, Error>;

    void ask(HttpClient::Request request, std::function<void(Answer)> done);
    void askWhere();
    void askIssuer();
    void openBrowser();
    RedirectListener::Verdict browserCame(std::string_view query);
    void exchange(const Secret& code);
    void askForCode();
    void waitForDevice(DeviceAuthorization device);
    /// `atLeast`: this once.
    void poll(Milliseconds interval, Milliseconds atLeast = Milliseconds{0});
    void polled(Answer answer, Milliseconds interval, MonotonicTime asked);
    /// `nonce` is what the ID token has to hold; empty: nothing.
    void exchanged(Answer answer, const Secret& nonce, MonotonicTime asked);
    void tokensCame(TokenAnswer tokens, const Secret& nonce, MonotonicTime asked);
    void forgetAttempt();
    void fail(const Error& error, bool isBrowserMissing = false);
    void become(SignInStatus status);
    [[nodiscard]] bool isUnderWay() const;

    Dependencies m_deps;
    std::string m_brokerUrl;
    SignInStatus m_status;
    std::vector<Follower> m_followers;

    // Of one attempt.
    Way m_way = Way::Browser;
    SignInPlace m_place;
    AuthorizationServer m_server;
    std::optional<Transaction> m_transaction;
    int m_strangers = 0;
    DeviceAuthorization m_device;
    std::unique_ptr<HttpCall> m_call;
    std::unique_ptr<Timer> m_timer;
    std::unique_ptr<Timer> m_deadline;

    std::unique_ptr<SignedInUser> m_user;
    std::list<std::unique_ptr<HttpCall>> m_revocations;
    /// Posted work finds nothing here when we are gone.
    std::shared_ptr<SignIn*> m_self = std::make_shared<SignIn*>(this);
};

} // namespace vivavoce::core
