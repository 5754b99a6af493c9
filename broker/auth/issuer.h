#pragma once

#include "broker/auth/caller.h"
#include "broker/auth/json_web_token.h"
#include "broker/auth/key_cache.h"
#include "core/base/secret.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::auth {

/// What an operator says of one issuer.
struct IssuerSettings {
    /// What its tokens are.
    enum class Tokens {
        /// RFC 9068.
        AccessToken,
        /// OpenID Connect's ID token, or a session token of that form (Clerk).
        IdToken,
        /// Asked for at the issuer each time (RFC 7662), so a revoked one is refused at once.
        Opaque,
    };

    std::string url;
    Tokens tokens = Tokens::AccessToken;
    std::vector<JoseAlgorithm> algorithms{JoseAlgorithm::Rs256, JoseAlgorithm::Es256, JoseAlgorithm::EdDsa};
    /// One of these in `aud`; or, where it is empty, one of `authorizedParties` as `azp`, and nothing else in `aud`. One of the two has to be
    /// there.
    std::vector<std::string> audiences;
    std::vector<std::string> authorizedParties;
    std::chrono::seconds leeway{30};
    /// What everybody of this issuer may do beside what their token's `scope` says.
    std::vector<std::string> grants{std::string(scope::kMint), std::string(scope::kSession)};
    /// RFC 6901: where in the claims `adminValue` makes an admin. Empty: only the scope does.
    std::string adminPointer;
    std::string adminValue;
    /// RFC 6901: where in the answer about an opaque token `accessValue` says that it is an access token, for issuers that say so in a way
    /// of their own. Empty: `token_type`, `typ` and `token_use` say it.
    std::string accessPointer;
    std::string accessValue;
    /// RFC 6901: where in the claims the caller's projects are, one text or a list of them. Empty: nowhere.
    std::string projectsPointer;
    /// How we introduce ourselves for introspection.
    std::string clientId;
    std::shared_ptr<const core::Secret> clientSecret;
    std::string caFile;
    std::chrono::seconds keyCoolDown{60};
    /// What the desktop app is called there: a public client, with which its users sign in. Empty: they bring their tokens themselves.
    std::string appClientId;
    /// What the dashboard is called there: a public client, with which admins sign in. Empty: they bring their tokens themselves.
    std::string dashboardClientId;

    /// Secrets by what they are, not by where.
    [[nodiscard]] bool isSame(const IssuerSettings& other) const;

private:
    [[nodiscard]] bool operator==(const IssuerSettings&) const = default;
};

/// How far the verification of a token may go.
enum class Reach {
    /// The issuer is asked where that is needed.
    Issuer,
    /// With what is in memory, where nobody asks on this token's account: whatever needs more is refused as Unavailable. A key that is not
    /// known is looked for all the same, within the cool-down.
    Memory,
};

/// One issuer's users: verifies what they bear.
/// Threads: [any thread].
class Issuer {
public:
    struct Dependencies {
        Fetch fetch;
        const core::Clock& clock;
        Log& log;
    };

    Issuer(IssuerSettings settings, Dependencies dependencies);

    [[nodiscard]] const IssuerSettings& settings() const { return m_settings; }
    [[nodiscard]] net::Awaitable<core::Expected<Caller, Refusal>> verifyJwt(
        UnverifiedToken token, Reach reach = Reach::Issuer);
    [[nodiscard]] net::Awaitable<core::Expected<Caller, Refusal>> introspect(std::string_view token);
    [[nodiscard]] std::optional<bool> isFine() const { return m_keys.isFine(); }
    /// Has the keys fetched where that is due, before anybody needs them; called often.
    [[nodiscard]] net::Awaitable<> tend() { return m_keys.tend(); }

private:
    [[nodiscard]] ClaimRules rules() const;
    [[nodiscard]] core::Expected<Caller, Refusal> readIntrospection(std::string_view body) const;
    [[nodiscard]] bool isAccessToken(const core::Json& answer) const;
    [[nodiscard]] Caller callerOf(VerifiedToken verified) const;

    const IssuerSettings m_settings;
    const Dependencies m_deps;
    KeyCache m_keys;
};

/// What a caller is told of a token that does not do: the same for every reason but that it is over.
[[nodiscard]] Refusal refusalOf(JwtFault fault);
/// Nobody could be asked, or should be.
[[nodiscard]] core::Unexpected<Refusal> issuerIsAway();

} // namespace vivavoce::broker::auth
