#include "core/sign_in/signed_in_user.h"

#include "core/sign_in/form_body.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr Milliseconds kRenewBeforeEnd{30'000};
constexpr Milliseconds kShortLife{60'000};
constexpr std::size_t kLongestAnswer = 64 * 1024;

Milliseconds serves(Milliseconds life)
{
    return life < kShortLife ? life * 4 / 5 : life - kRenewBeforeEnd;
}

/// What asking again does not change: ours (who it is for), and the codes of RFC 6749 §5.2, RFC 8707 §2 and OpenID Connect Core §3.1.2.6.
/// What an issuer says beside them is about the moment, for all that we know.
bool isFinal(const Error& error)
{
    constexpr std::array kCodes{"", "invalid_grant", "invalid_client", "invalid_request", "invalid_scope",
        "invalid_target", "unauthorized_client", "unsupported_grant_type", "access_denied", "interaction_required",
        "login_required", "consent_required", "account_selection_required"};
    return error.code == ErrorCode::NotAuthorised
        && std::find(kCodes.begin(), kCodes.end(), error.foreignCode) != kCodes.end();
}

} // namespace

HttpClient::Request issuerRequest(const std::string& url, std::string form)
{
    HttpClient::Request request;
    request.url = url;
    request.headers.add("Accept", "application/json");
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.body = std::move(form);
    request.maxBodyBytes = kLongestAnswer;
    return request;
}

SignedInUser::SignedInUser(Dependencies dependencies, SignInPlace place, AuthorizationServer server, Person person,
    TokenAnswer tokens, MonotonicTime asked, Lost lost)
    : m_deps(dependencies),
      m_place(std::move(place)),
      m_server(std::move(server)),
      m_person(std::move(person)),
      m_lost(std::move(lost)),
      m_self(std::make_shared<SignedInUser*>(this))
{
    take(std::move(tokens), asked);
}

void SignedInUser::take(TokenAnswer tokens, MonotonicTime asked)
{
    m_access = std::move(tokens.access);
    if (!tokens.refresh.empty()) {
        m_refresh = std::move(tokens.refresh);
    }
    m_expiresAt = asked + tokens.life;
    m_refreshAfter = asked + serves(tokens.life);
}

void SignedInUser::fetch(CredentialCallback done)
{
    const MonotonicTime now = m_deps.clock.now();
    const bool isRenewable = !m_refresh.empty();
    if (now < (isRenewable ? m_refreshAfter : m_expiresAt)) {
        done(m_access);
        return;
    }
    m_waiters.push_back(std::move(done));
    if (m_waiters.size() > 1) {
        return;
    }
    if (isRenewable) {
        renew();
        return;
    }
    m_deps.executor.post([weak = std::weak_ptr<SignedInUser*>(m_self)] {
        if (const auto self = weak.lock()) {
            (*self)->lose({ErrorCode::NotAuthorised, "the token of the signed-in user is over", std::nullopt, {}});
        }
    });
}

bool SignedInUser::replace(const CredentialPtr& refused)
{
    if (refused == m_access) {
        m_expiresAt = m_refreshAfter = m_deps.clock.now();
    }
    return true;
}

std::optional<HttpClient::Request> SignedInUser::revocation() const
{
    if (m_server.revocationUrl.empty()) {
        return std::nullopt;
    }
    // With a refresh token goes all that came of it (RFC 7009 §2.1).
    FormBody form;
    form.add("token", m_refresh.empty() ? *m_access : m_refresh);
    form.add("token_type_hint", m_refresh.empty() ? "access_token" : "refresh_token");
    form.add("client_id", m_place.clientId);
    return issuerRequest(m_server.revocationUrl, form.take());
}

void SignedInUser::renew()
{
    FormBody form;
    form.add("grant_type", "refresh_token");
    form.add("refresh_token", m_refresh);
    form.add("client_id", m_place.clientId);
    form.add("resource", m_place.resource);
    m_call = m_deps.http.send(issuerRequest(m_server.tokenUrl, form.take()),
        [this, asked = m_deps.clock.now()](
            Expected<HttpClient::Response, Error> result) { answered(std::move(result), asked); });
}

void SignedInUser::answered(Expected<HttpClient::Response, Error> result, MonotonicTime asked)
{
    // The call that we stand in goes when this is done.
    const auto call = std::move(m_call);
    auto tokens = read(std::move(result));
    if (tokens) {
        take(std::move(*tokens), asked);
        give(m_access);
        return;
    }
    Error error = tokens.error();
    const MonotonicTime now = m_deps.clock.now();
    if (isFinal(error)) {
        lose(error);
    } else if (now < m_expiresAt) {
        m_refreshAfter =
            now + std::min<MonotonicTime::duration>(error.retryAfter.value_or(Milliseconds{0}), m_expiresAt - now);
        give(m_access);
    } else {
        // They are still signed in: it is not theirs to mend.
        error.code = error.code == ErrorCode::NotAuthorised ? ErrorCode::ProviderFailed : error.code;
        give(Unexpected<Error>(std::move(error)));
    }
}

Expected<TokenAnswer, Error> SignedInUser::read(Expected<HttpClient::Response, Error> result) const
{
    if (!result) {
        return Unexpected<Error>(errorOfIssuer(result.error()));
    }
    auto tokens = readTokenAnswer(*result);
    if (tokens && !tokens->idToken.empty()) {
        // OpenID Connect Core §12.2: the same person, without a nonce.
        const auto person =
            readIdToken(tokens->idToken, {m_server.issuer, m_place.clientId, {}, m_deps.clock.wallNow()});
        if (!person) {
            return Unexpected<Error>(person.error());
        }
        if (person->subject != m_person.subject) {
            return fail(ErrorCode::NotAuthorised, "the issuer renewed somebody else's token");
        }
    }
    return tokens;
}

void SignedInUser::give(const Expected<CredentialPtr, Error>& credential)
{
    // Whoever gets it may ask again, or let go of us.
    for (const CredentialCallback& waiter : std::exchange(m_waiters, {})) {
        waiter(credential);
    }
}

void SignedInUser::lose(const Error& error)
{
    const auto lost = m_lost;
    const std::weak_ptr<SignedInUser*> self = m_self;
    give(Unexpected<Error>(error));
    if (!self.expired()) {
        lost(error);
    }
}

} // namespace vivavoce::core
