#pragma once

#include "core/base/executor.h"
#include "core/sign_in/authorization_server.h"
#include "core/sign_in/id_token.h"
#include "core/sign_in/sign_in_place.h"
#include "core/sign_in/token_answer.h"
#include "core/token/credential_source.h"

#include <vector>

namespace vivavoce::core {

/// Somebody who has signed in, for as long as the issuer renews their token: it is renewed when somebody asks for it shortly before its end,
/// or when the broker did not take it.
/// - Single flight: while a renewal is under way whoever asks waits for it. A rotated refresh token takes the place of the one before.
/// - Where renewing fails for a passing reason, a token that is still good serves, and the issuer is not asked again before it wants to be.
///   Where it refuses for good, `lost` is called, once and last.
/// Invariant: tokens are in Secrets only, and go with this.
/// Threads and lifetime: as CredentialSource; its dependencies outlive it.
class SignedInUser final : public CredentialSource {
public:
    struct Dependencies {
        HttpClient& http;
        const Clock& clock;
        Executor& executor;
    };
    /// It may let go of the user.
    using Lost = std::function<void(Error)>;

    /// `asked` is when the request for these tokens left.
    SignedInUser(Dependencies dependencies, SignInPlace place, AuthorizationServer server, Person person,
        TokenAnswer tokens, MonotonicTime asked, Lost lost);

    void fetch(CredentialCallback done) override;
    [[nodiscard]] bool replace(const CredentialPtr& refused) override;

    /// They sign out: whoever waits for a token is told.
    void dismiss() { give(fail(ErrorCode::NotAuthorised, "the user has signed out")); }
    [[nodiscard]] const Person& person() const { return m_person; }
    /// What makes the issuer forget (RFC 7009); nothing where it has no way to.
    [[nodiscard]] std::optional<HttpClient::Request> revocation() const;

private:
    void take(TokenAnswer tokens, MonotonicTime asked);
    void renew();
    void answered(Expected<HttpClient::Response, Error> result, MonotonicTime asked);
    [[nodiscard]] Expected<TokenAnswer, Error> read(Expected<HttpClient::Response, Error> result) const;
    void give(const Expected<CredentialPtr, Error>& credential);
    void lose(const Error& error);

    const Dependencies m_deps;
    const SignInPlace m_place;
    const AuthorizationServer m_server;
    const Person m_person;
    const Lost m_lost;
    CredentialPtr m_access;
    Secret m_refresh;
    MonotonicTime m_refreshAfter;
    MonotonicTime m_expiresAt;
    std::vector<CredentialCallback> m_waiters;
    std::unique_ptr<HttpCall> m_call;
    /// Posted work finds nothing here when we are gone.
    const std::shared_ptr<SignedInUser*> m_self;
};

/// A form for the issuer; the body is wiped by whoever sends it.
[[nodiscard]] HttpClient::Request issuerRequest(const std::string& url, std::string form);

} // namespace vivavoce::core
