#include "broker/auth/issuer.h"

#include "core/base/base64.h"
#include "core/base/http_headers.h"
#include "core/base/percent.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::broker::auth {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
constexpr core::Milliseconds kPatience{5'000};
constexpr std::chrono::seconds kTryAgain{5};

KeyCache::Settings cacheSettings(const IssuerSettings& settings)
{
    KeyCache::Settings cache;
    cache.issuer = settings.url;
    cache.caFile = settings.caFile;
    cache.coolDown = settings.keyCoolDown;
    cache.hasKeys = settings.tokens != IssuerSettings::Tokens::Opaque;
    return cache;
}

core::Unexpected<Refusal> refuse(JwtFault fault)
{
    return core::Unexpected<Refusal>(refusalOf(fault));
}

/// RFC 8693 §4.2: words with one space between them.
void addScopes(std::string_view words, std::vector<std::string>& scopes)
{
    while (!words.empty()) {
        const std::size_t end = std::min(words.find(' '), words.size());
        if (end > 0) {
            scopes.emplace_back(words.substr(0, end));
        }
        words.remove_prefix(std::min(end + 1, words.size()));
    }
}

/// `scope` as one text, or `scp` as a list or a text, as some issuers have it.
void addScopes(const core::Json& claims, std::vector<std::string>& scopes)
{
    for (const char* name : {"scope", "scp"}) {
        const auto found = claims.find(name);
        if (found == claims.end()) {
            continue;
        }
        if (found->is_string()) {
            addScopes(std::string_view(found->get_ref<const std::string&>()), scopes);
        } else if (found->is_array()) {
            for (const auto& item : *found) {
                if (item.is_string()) {
                    addScopes(std::string_view(item.get_ref<const std::string&>()), scopes);
                }
            }
        }
    }
}

bool isOrHolds(const core::Json& claim, const std::string& value)
{
    if (claim.is_array()) {
        return std::any_of(claim.begin(), claim.end(),
            [&](const core::Json& item) { return item.is_string() && item.get_ref<const std::string&>() == value; });
    }
    return claim.is_string() && claim.get_ref<const std::string&>() == value;
}

const core::Json* at(const core::Json& claims, const std::string& pointer)
{
    // Checked when the configuration was read; what is not there is not an error.
    const core::Json::json_pointer path(pointer);
    return claims.contains(path) ? &claims.at(path) : nullptr;
}

bool contains(const std::vector<std::string>& list, const std::string& item)
{
    return std::find(list.begin(), list.end(), item) != list.end();
}

/// What a member of an introspection's answer tells of the kind of the token.
enum class ToldKind { Nothing, AccessToken, Other };

ToldKind toldKind(const core::Json& answer, const char* name)
{
    // RFC 7662 §2.2 has token_type, a DPoP one of which is no bearer's; `typ` is Keycloak's and RFC 9068's, `token_use` Hydra's and Cognito's.
    constexpr std::array kAccess{"bearer", "access_token", "access", "at+jwt", "application/at+jwt"};
    const auto found = answer.find(name);
    if (found == answer.end() || found->is_null()) {
        return ToldKind::Nothing;
    }
    const bool isAccess = found->is_string() && std::any_of(kAccess.begin(), kAccess.end(), [&](const char* word) {
        return core::equalsIgnoreCase(found->get_ref<const std::string&>(), word);
    });
    return isAccess ? ToldKind::AccessToken : ToldKind::Other;
}

/// A text, or the texts of a list.
std::vector<std::string> textsOf(const core::Json& claim)
{
    std::vector<std::string> texts;
    if (claim.is_string()) {
        texts.push_back(claim.get<std::string>());
    }
    if (claim.is_array()) {
        for (const core::Json& item : claim) {
            if (item.is_string()) {
                texts.push_back(item.get<std::string>());
            }
        }
    }
    return texts;
}

} // namespace

Refusal refusalOf(JwtFault fault)
{
    const FaultCode code = fault == JwtFault::Expired ? FaultCode::TokenExpired : FaultCode::InvalidToken;
    return {{code, fault == JwtFault::Expired ? "the token is over" : "the token is not one that is taken here",
                std::nullopt},
        jwtFaultText(fault)};
}

core::Unexpected<Refusal> issuerIsAway()
{
    return core::Unexpected<Refusal>(Refusal{
        {FaultCode::Unavailable, "whoever signed you in cannot be asked now", kTryAgain}, "issuer_unreachable"});
}

bool IssuerSettings::isSame(const IssuerSettings& other) const
{
    IssuerSettings mine = *this;
    mine.clientSecret = other.clientSecret;
    const bool haveBoth = clientSecret != nullptr && other.clientSecret != nullptr;
    return mine == other
        && (haveBoth ? clientSecret->equals(other.clientSecret->reveal()) : clientSecret == other.clientSecret);
}

Issuer::Issuer(IssuerSettings settings, Dependencies dependencies)
    : m_settings(std::move(settings)),
      m_deps(std::move(dependencies)),
      m_keys(cacheSettings(m_settings), {m_deps.fetch, m_deps.clock, m_deps.log})
{
}

ClaimRules Issuer::rules() const
{
    ClaimRules rules;
    rules.issuer = m_settings.url;
    rules.audiences = m_settings.audiences;
    rules.authorizedParties = m_settings.authorizedParties;
    rules.kind = m_settings.tokens == IssuerSettings::Tokens::IdToken ? TokenKind::IdToken : TokenKind::AccessToken;
    rules.leeway = m_settings.leeway;
    return rules;
}

net::Awaitable<core::Expected<Caller, Refusal>> Issuer::verifyJwt(UnverifiedToken token, Reach reach)
{
    const auto& allowed = m_settings.algorithms;
    if (std::find(allowed.begin(), allowed.end(), token.algorithm) == allowed.end()) {
        co_return refuse(JwtFault::UnsupportedAlgorithm);
    }
    auto known = m_keys.kept();
    if (reach == Reach::Issuer) {
        known = co_await m_keys.get();
    }
    if (known && (*known)->keys.find(token.kid, token.algorithm) == nullptr) {
        // The issuer may have changed its keys since. Whoever asks: it is one look within the cool-down.
        known = co_await m_keys.lookAgain();
    }
    if (!known) {
        co_return issuerIsAway();
    }
    auto verified = verify(std::move(token), (*known)->keys, rules(), m_deps.clock.wallNow());
    if (!verified) {
        co_return refuse(verified.error());
    }
    co_return callerOf(std::move(*verified));
}

net::Awaitable<core::Expected<Caller, Refusal>> Issuer::introspect(std::string_view token)
{
    // The view is the caller's, who may be gone after the first wait.
    std::string form = "token_type_hint=access_token&token=" + core::percentEncoded(token);
    auto known = co_await m_keys.get();
    if (!known || (*known)->metadata.introspectionUrl.empty()) {
        core::wipeString(form);
        co_return issuerIsAway();
    }
    net::ClientRequest request;
    request.method = "POST";
    request.url = (*known)->metadata.introspectionUrl;
    request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    request.headers.add("Accept", "application/json");
    if (m_settings.clientSecret != nullptr) {
        // RFC 6749 §2.3.1: both are form-encoded before they are joined.
        std::string pair =
            core::percentEncoded(m_settings.clientId) + ":" + core::percentEncoded(m_settings.clientSecret->reveal());
        request.headers.add("Authorization", "Basic " + core::encodeBase64(core::Bytes(pair.begin(), pair.end())));
        core::wipeString(pair);
    }
    request.body = std::move(form);
    request.timeout = kPatience;
    request.maxBodyBytes = kMaxAnswerBytes;
    request.trust.extraCaFile = m_settings.caFile;
    auto response = co_await m_deps.fetch(std::move(request));
    if (!response || response->status != 200) {
        m_deps.log.write(LogLevel::Warning, "issuer.failed",
            {{"issuer", m_settings.url},
                {"why",
                    response ? "introspection answered HTTP " + std::to_string(response->status)
                             : response.error().detail}});
        co_return issuerIsAway();
    }
    co_return readIntrospection(response->body);
}

/// RFC 7662 §2.2. The issuer has checked the signature, if there was one; whom the token is for we check ourselves.
core::Expected<Caller, Refusal> Issuer::readIntrospection(std::string_view body) const
{
    auto parsed = core::parseJson(body);
    if (!parsed || !parsed->is_object()) {
        return issuerIsAway();
    }
    const auto active = parsed->find("active");
    if (active == parsed->end() || !active->is_boolean()) {
        return issuerIsAway();
    }
    if (!active->get<bool>()) {
        return core::Unexpected<Refusal>(Refusal{refusalOf(JwtFault::BadSignature).fault, "inactive"});
    }
    const auto itself = parsed->find("iss");
    if (itself != parsed->end() && *itself != m_settings.url) {
        return refuse(JwtFault::WrongIssuer);
    }
    if (!isAccessToken(*parsed)) {
        return refuse(JwtFault::WrongType);
    }
    // RFC 7662 has no `azp`; the client that a token was issued to is `client_id`.
    if (!parsed->contains("azp") && parsed->contains("client_id")) {
        (*parsed)["azp"] = parsed->at("client_id");
    }
    auto claims = checkClaims(std::make_shared<const core::Json>(std::move(*parsed)), rules(), m_deps.clock.wallNow());
    if (!claims) {
        return refuse(claims.error());
    }
    return callerOf(std::move(*claims));
}

/// An issuer calls its refresh tokens active, too: our hint at the kind is no more than that (RFC 7662 §2.1).
bool Issuer::isAccessToken(const core::Json& answer) const
{
    bool isTold = false;
    for (const char* name : {"token_type", "typ", "token_use"}) {
        const ToldKind kind = toldKind(answer, name);
        if (kind == ToldKind::Other) {
            return false;
        }
        isTold = isTold || kind == ToldKind::AccessToken;
    }
    if (!m_settings.accessPointer.empty()) {
        const core::Json* claim = at(answer, m_settings.accessPointer);
        return claim != nullptr && isOrHolds(*claim, m_settings.accessValue);
    }
    // A client has refresh tokens and access tokens, an audience has the latter only.
    return isTold || !m_settings.audiences.empty();
}

Caller Issuer::callerOf(VerifiedToken verified) const
{
    auto claims = std::move(verified.claims);
    Caller caller;
    caller.kind = Caller::Kind::User;
    caller.issuer = m_settings.url;
    caller.subject = std::move(verified.subject);
    caller.expiresAt = verified.expiresAt + m_settings.leeway;
    caller.scopes = m_settings.grants;
    addScopes(*claims, caller.scopes);
    if (!m_settings.adminPointer.empty()) {
        const core::Json* claim = at(*claims, m_settings.adminPointer);
        if (claim != nullptr && isOrHolds(*claim, m_settings.adminValue)
            && !contains(caller.scopes, std::string(scope::kAdmin))) {
            caller.scopes.emplace_back(scope::kAdmin);
        }
    }
    if (!m_settings.projectsPointer.empty()) {
        const core::Json* claim = at(*claims, m_settings.projectsPointer);
        caller.projects = claim != nullptr ? textsOf(*claim) : std::vector<std::string>();
    }
    caller.claims = std::move(claims);
    return caller;
}

} // namespace vivavoce::broker::auth
