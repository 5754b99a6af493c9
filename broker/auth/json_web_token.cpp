#include "broker/auth/json_web_token.h"

#include "core/base/http_headers.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>

namespace vivavoce::broker::auth {
namespace {

using core::Json;

constexpr std::size_t kLongestToken = 8 * 1024;
constexpr std::size_t kLongestKid = 128;
/// A subject is kept with every session.
constexpr std::size_t kLongestSubject = 255;
/// Seconds since 1970 up to the year 9999, the last that dates have.
constexpr double kLatestTime = 253402300799.0;
constexpr double kLatestCountable = 9e9;

core::Unexpected<JwtFault> fail(JwtFault fault)
{
    return core::Unexpected<JwtFault>(fault);
}

std::optional<Json> jsonOf(std::string_view encoded)
{
    const auto bytes = core::decodeBase64Url(encoded);
    if (!bytes) {
        return std::nullopt;
    }
    const void* const data = bytes->data();
    auto parsed = core::parseJson({static_cast<const char*>(data), bytes->size()});
    return parsed && parsed->is_object() ? std::optional(std::move(*parsed)) : std::nullopt;
}

/// A string claim; empty where it is absent, nothing where it is something else.
std::optional<std::string> text(const Json& object, const char* name)
{
    const auto found = object.find(name);
    if (found == object.end()) {
        return std::string();
    }
    return found->is_string() ? std::optional(found->get<std::string>()) : std::nullopt;
}

/// NumericDate (RFC 7519 §2): seconds, fractions allowed. Nothing where it is no such number.
std::optional<core::WallTime> timeOf(const Json& value)
{
    const double seconds = value.is_number() ? value.get<double>() : -1;
    if (!(seconds >= 0 && seconds <= kLatestTime)) {
        return std::nullopt;
    }
    // "Never" is later than a clock of nanoseconds can count: the year 2255 stands for it.
    return core::WallTime(
        std::chrono::seconds(static_cast<std::int64_t>(std::floor(std::min(seconds, kLatestCountable)))));
}

std::optional<JwtFault> headerFault(const Json& header)
{
    // What these ask for we do not do; ignoring `crit` would be a fault of its own (RFC 7515 §4.1.11).
    constexpr std::array kRefused{"crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c"};
    const bool isRefused =
        std::any_of(kRefused.begin(), kRefused.end(), [&](const char* name) { return header.contains(name); });
    return isRefused ? std::optional(JwtFault::UnsupportedHeader) : std::nullopt;
}

bool hasType(std::string_view type, TokenKind kind)
{
    // "application/" may be left out, and letter case does not matter (RFC 7515 §4.1.9).
    constexpr std::string_view kPrefix = "application/";
    if (core::equalsIgnoreCase(type.substr(0, kPrefix.size()), kPrefix)) {
        type.remove_prefix(kPrefix.size());
    }
    if (kind == TokenKind::AccessToken) {
        return core::equalsIgnoreCase(type, "at+jwt");
    }
    if (kind == TokenKind::SessionToken) {
        return core::equalsIgnoreCase(type, "voice-session+jwt");
    }
    return type.empty() || core::equalsIgnoreCase(type, "JWT");
}

bool contains(const std::vector<std::string>& list, const std::string& item)
{
    return std::find(list.begin(), list.end(), item) != list.end();
}

std::optional<JwtFault> audienceFault(const Json& claims, const ClaimRules& rules)
{
    std::vector<std::string> audiences;
    if (const auto found = claims.find("aud"); found != claims.end()) {
        const Json list = found->is_array() ? *found : Json::array({*found});
        for (const Json& audience : list) {
            if (!audience.is_string()) {
                return JwtFault::Malformed;
            }
            audiences.push_back(audience.get<std::string>());
        }
    }
    const auto party = text(claims, "azp");
    if (!party) {
        return JwtFault::Malformed;
    }
    const auto isAmong = [&](const std::vector<std::string>& list) {
        return [&](const std::string& audience) { return contains(list, audience); };
    };
    // Where parties stand in for audiences, an audience that is none of them is somebody else's (RFC 7519 §4.1.3). An ID token is for the
    // party that asked for it.
    const bool isMeantForUs = rules.audiences.empty()
        ? std::all_of(audiences.begin(), audiences.end(), isAmong(rules.authorizedParties))
        : std::any_of(audiences.begin(), audiences.end(), isAmong(rules.audiences));
    const bool isKnownParty = rules.authorizedParties.empty() || contains(rules.authorizedParties, *party);
    // Without either rule every token of the issuer would do, also those for other services.
    const bool hasRule = !rules.audiences.empty() || !rules.authorizedParties.empty();
    // An ID token for several has to say who asked for it (OpenID Connect Core §3.1.3.7).
    const bool isAmbiguous = rules.kind == TokenKind::IdToken && audiences.size() > 1 && party->empty();
    return isMeantForUs && isKnownParty && hasRule && !isAmbiguous ? std::nullopt
                                                                   : std::optional(JwtFault::WrongAudience);
}

/// What an issuer signs with the same keys and the same header as its ID tokens: logout tokens (OpenID Connect Back-Channel Logout §2.4) and
/// other events (RFC 8417), and what Keycloak calls refresh tokens.
bool isOtherThanIdToken(const Json& claims)
{
    constexpr std::array kOthers{"refresh", "offline", "logout"};
    const auto isOther = [&](const char* name) {
        const auto kind = text(claims, name);
        return !kind || std::any_of(kOthers.begin(), kOthers.end(), [&](const char* other) {
            return core::equalsIgnoreCase(*kind, other);
        });
    };
    return claims.contains("events") || isOther("typ") || isOther("token_use");
}

core::Expected<core::WallTime, JwtFault> lifeOf(const Json& claims, const ClaimRules& rules, core::WallTime now)
{
    const auto expiry = claims.find("exp");
    if (expiry == claims.end()) {
        return fail(JwtFault::MissingClaim);
    }
    const auto expiresAt = timeOf(*expiry);
    if (!expiresAt) {
        return fail(JwtFault::Malformed);
    }
    if (now >= *expiresAt + rules.leeway) {
        return fail(JwtFault::Expired);
    }
    for (const char* name : {"nbf", "iat"}) {
        const auto found = claims.find(name);
        if (found == claims.end()) {
            continue;
        }
        const auto from = timeOf(*found);
        if (!from) {
            return fail(JwtFault::Malformed);
        }
        if (now + rules.leeway < *from) {
            return fail(JwtFault::NotYetValid);
        }
    }
    return *expiresAt;
}

} // namespace

std::string_view jwtFaultText(JwtFault fault)
{
    switch (fault) {
    case JwtFault::Malformed:
        return "malformed";
    case JwtFault::UnsupportedAlgorithm:
        return "unsupported_algorithm";
    case JwtFault::UnsupportedHeader:
        return "unsupported_header";
    case JwtFault::UnknownKey:
        return "unknown_key";
    case JwtFault::BadSignature:
        return "bad_signature";
    case JwtFault::WrongType:
        return "wrong_type";
    case JwtFault::WrongIssuer:
        return "wrong_issuer";
    case JwtFault::WrongAudience:
        return "wrong_audience";
    case JwtFault::MissingClaim:
        return "missing_claim";
    case JwtFault::Expired:
        return "expired";
    case JwtFault::NotYetValid:
        return "not_yet_valid";
    }
    return "malformed";
}

core::Expected<UnverifiedToken, JwtFault> readToken(std::string_view token)
{
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (token.size() > kLongestToken || second == std::string_view::npos
        || token.find('.', second + 1) != std::string_view::npos) {
        return fail(JwtFault::Malformed);
    }
    const auto header = jsonOf(token.substr(0, first));
    auto signature = core::decodeBase64Url(token.substr(second + 1));
    if (!header || !signature) {
        return fail(JwtFault::Malformed);
    }
    const auto algorithmName = text(*header, "alg");
    const auto kid = text(*header, "kid");
    const auto type = text(*header, "typ");
    // A name that is empty is no name: it would stand for whichever key there is.
    const bool isNameless = kid && kid->empty() && header->contains("kid");
    if (!algorithmName || !kid || !type || kid->size() > kLongestKid || isNameless) {
        return fail(JwtFault::Malformed);
    }
    if (const auto fault = headerFault(*header)) {
        return fail(*fault);
    }
    const auto algorithm = joseAlgorithm(*algorithmName);
    if (!algorithm) {
        return fail(JwtFault::UnsupportedAlgorithm);
    }
    auto claims = jsonOf(token.substr(first + 1, second - first - 1));
    const auto issuer = claims ? text(*claims, "iss") : std::nullopt;
    if (!issuer) {
        return fail(JwtFault::Malformed);
    }
    UnverifiedToken read;
    read.algorithm = *algorithm;
    read.kid = *kid;
    read.type = *type;
    read.claimedIssuer = *issuer;
    read.signedPart = std::string(token.substr(0, second));
    read.signature = std::move(*signature);
    read.claims = std::make_shared<const Json>(std::move(*claims));
    return read;
}

core::Expected<VerifiedToken, JwtFault> verify(
    UnverifiedToken token, const JsonWebKeySet& keys, const ClaimRules& rules, core::WallTime now)
{
    const JsonWebKey* key = keys.find(token.kid, token.algorithm);
    if (key == nullptr) {
        return fail(JwtFault::UnknownKey);
    }
    if (!key->verifies(token.signedPart, token.signature)) {
        return fail(JwtFault::BadSignature);
    }
    if (!hasType(token.type, rules.kind)) {
        return fail(JwtFault::WrongType);
    }
    if (rules.kind == TokenKind::IdToken && isOtherThanIdToken(*token.claims)) {
        return fail(JwtFault::WrongType);
    }
    if (token.claimedIssuer != rules.issuer) {
        return fail(JwtFault::WrongIssuer);
    }
    return checkClaims(std::move(token.claims), rules, now);
}

core::Expected<VerifiedToken, JwtFault> checkClaims(
    std::shared_ptr<const Json> claims, const ClaimRules& rules, core::WallTime now)
{
    const auto subject = text(*claims, "sub");
    // Libraries that end texts at a NUL would take one user for another.
    const auto isControl = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
    if (!subject || subject->size() > kLongestSubject || std::any_of(subject->begin(), subject->end(), isControl)) {
        return fail(JwtFault::Malformed);
    }
    if (subject->empty()) {
        return fail(JwtFault::MissingClaim);
    }
    // Bound to a key (RFC 8705 §3.1, RFC 9449 §6.1) that nobody is asked to prove here: it is not for whoever bears it.
    if (claims->contains("cnf")) {
        return fail(JwtFault::WrongType);
    }
    if (const auto fault = audienceFault(*claims, rules)) {
        return fail(*fault);
    }
    const auto expiresAt = lifeOf(*claims, rules, now);
    if (!expiresAt) {
        return fail(expiresAt.error());
    }
    return VerifiedToken{rules.issuer, *subject, *expiresAt, std::move(claims)};
}

} // namespace vivavoce::broker::auth
