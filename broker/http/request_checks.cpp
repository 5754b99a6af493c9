#include "broker/http/request_checks.h"

#include "broker/http/problem_response.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <optional>

namespace vivavoce::broker::http {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kMaxBearerBytes = 8 * 1024;
constexpr std::size_t kMaxKeyBytes = 128;

bool isVisible(char c)
{
    return c > 0x20 && c < 0x7F;
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

/// An address, also one with a port behind it as some proxies write it; an IPv4 address that is mapped into IPv6 as itself.
std::optional<ip::address> addressOf(std::string_view text)
{
    if (text.starts_with('[')) {
        text = text.substr(1, std::min(text.find(']'), text.size()) - 1);
    } else if (std::count(text.begin(), text.end(), ':') == 1) {
        text = text.substr(0, text.find(':'));
    }
    boost::system::error_code error;
    const ip::address address = ip::make_address(text, error);
    if (error) {
        return std::nullopt;
    }
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        return ip::make_address_v4(ip::v4_mapped, address.to_v6());
    }
    return address;
}

bool isAmong(const std::vector<std::string>& addresses, const std::optional<ip::address>& one)
{
    return one && std::any_of(addresses.begin(), addresses.end(), [&](const std::string& text) {
        return addressOf(text) == one;
    });
}

bool isAmong(const std::vector<std::string>& addresses, std::string_view one)
{
    return !addresses.empty() && isAmong(addresses, addressOf(one));
}

/// All values of a list field, in order, as one list.
std::string joinedValues(const core::HttpHeaders& headers, std::string_view name)
{
    std::string joined;
    for (const auto& field : headers.fields()) {
        if (core::equalsIgnoreCase(field.name, name)) {
            joined += joined.empty() ? "" : ",";
            joined += field.value;
        }
    }
    return joined;
}

} // namespace

core::Expected<std::string_view, Fault> bearerOf(const net::HttpRequest& request)
{
    constexpr std::string_view scheme = "Bearer ";
    const auto field = request.headers.find("Authorization");
    if (!field) {
        return core::Unexpected<Fault>(
            Fault{FaultCode::Unauthenticated, "Authorization: Bearer is missing", std::nullopt});
    }
    const bool isBearer =
        field->size() > scheme.size() && core::equalsIgnoreCase(field->substr(0, scheme.size()), scheme);
    const std::string_view token = isBearer ? trimmed(field->substr(scheme.size())) : std::string_view();
    if (token.empty() || token.size() > kMaxBearerBytes || request.headers.count("Authorization") != 1
        || !std::all_of(token.begin(), token.end(), isVisible)) {
        return core::Unexpected<Fault>(
            Fault{FaultCode::InvalidToken, "Authorization is not one bearer token", std::nullopt});
    }
    return token;
}

core::Expected<StreamBearer, Fault> streamBearerOf(const net::HttpRequest& request)
{
    constexpr std::array<std::string_view, 2> kWithToken{"bearer.", "openai-insecure-api-key."};
    StreamBearer result;
    bool areSeveral = false;
    const std::optional<std::string_view> offered = request.headers.find("Sec-WebSocket-Protocol");
    std::string_view rest = offered.value_or(std::string_view());
    while (!rest.empty()) {
        const std::size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view one = trimmed(rest.substr(0, comma));
        rest.remove_prefix(std::min(comma + 1, rest.size()));
        const auto* const scheme = std::find_if(
            kWithToken.begin(), kWithToken.end(), [&](std::string_view prefix) { return one.starts_with(prefix); });
        if (scheme != kWithToken.end()) {
            areSeveral = areSeveral || !result.token.empty();
            result.token = one.substr(scheme->size());
        } else if (result.subprotocol.empty()) {
            result.subprotocol = one;
        }
    }
    if (result.token.empty() || request.headers.find("Authorization")) {
        const auto bearer = bearerOf(request);
        if (!bearer) {
            return core::Unexpected<Fault>(bearer.error());
        }
        result.token = *bearer;
    } else if (areSeveral || result.token.size() > kMaxBearerBytes
        || request.headers.count("Sec-WebSocket-Protocol") != 1) {
        return core::Unexpected<Fault>(
            Fault{FaultCode::InvalidToken, "the subprotocol with the token is malformed", std::nullopt});
    }
    return result;
}

std::optional<Fault> checkContentType(const net::HttpRequest& request)
{
    const auto field = request.headers.find("Content-Type");
    const Fault fault{FaultCode::UnsupportedMediaType, "Content-Type has to be application/json", std::nullopt};
    if (request.headers.count("Content-Type") > 1) {
        return Fault{FaultCode::BadRequest, "Content-Type is there twice", std::nullopt};
    }
    const std::string encodings = joinedValues(request.headers, "Content-Encoding");
    if (!encodings.empty() && !core::equalsIgnoreCase(trimmed(encodings), "identity")) {
        return Fault{FaultCode::UnsupportedMediaType, "the body has to come without a Content-Encoding", std::nullopt};
    }
    if (!field) {
        return fault;
    }
    const std::size_t semicolon = field->find(';');
    if (!core::equalsIgnoreCase(trimmed(field->substr(0, semicolon)), "application/json")) {
        return fault;
    }
    if (semicolon == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view parameter = trimmed(field->substr(semicolon + 1));
    if (core::equalsIgnoreCase(parameter, "charset=utf-8") || core::equalsIgnoreCase(parameter, "charset=\"utf-8\"")) {
        return std::nullopt;
    }
    return fault;
}

core::Expected<std::string, Fault> idempotencyKeyOf(const net::HttpRequest& request)
{
    const auto field = request.headers.find("Idempotency-Key");
    if (!field) {
        return std::string();
    }
    if (field->empty() || field->size() > kMaxKeyBytes || request.headers.count("Idempotency-Key") != 1
        || !std::all_of(field->begin(), field->end(), isVisible)) {
        return core::Unexpected<Fault>(
            Fault{FaultCode::InvalidIdempotencyKey, "it is 1 to 128 visible ASCII characters", std::nullopt});
    }
    return std::string(*field);
}

std::string clientAddress(const net::HttpRequest& request, const std::vector<std::string>& trustedProxies)
{
    if (!isAmong(trustedProxies, request.peer.address)) {
        return request.peer.address;
    }
    // Some proxies add a line of their own to the one that came: several lines are one list (RFC 9110 §5.3).
    const std::string joined = joinedValues(request.headers, "X-Forwarded-For");
    std::string_view chain = joined;
    // From the right: what stands further left anybody may have written.
    while (!chain.empty()) {
        const std::size_t comma = chain.rfind(',');
        const std::string_view last = trimmed(comma == std::string_view::npos ? chain : chain.substr(comma + 1));
        chain = comma == std::string_view::npos ? std::string_view() : chain.substr(0, comma);
        const auto address = addressOf(last);
        if (!address) {
            break;
        }
        if (!isAmong(trustedProxies, address)) {
            return address->to_string();
        }
    }
    return request.peer.address;
}

bool cameByHttps(const net::HttpRequest& request, const std::vector<std::string>& trustedProxies)
{
    if (!isAmong(trustedProxies, request.peer.address)) {
        return request.peer.isTls;
    }
    return request.headers.find("X-Forwarded-Proto").value_or("") == "https"
        && request.headers.count("X-Forwarded-Proto") == 1;
}

std::optional<net::HttpResponse> refuseInsecure(
    const net::HttpRequest& request, const std::vector<std::string>& trustedProxies, std::string_view publicUrl)
{
    const bool isOnThisComputer = request.peer.isLoopback && !isAmong(trustedProxies, request.peer.address);
    if (isOnThisComputer || cameByHttps(request, trustedProxies)) {
        return std::nullopt;
    }
    auto response = problemResponse({FaultCode::HttpsRequired, "ask again by https", std::nullopt});
    const auto host = request.headers.find("Host");
    if (request.method == "GET" && host) {
        // Where we know our own name, nobody else's word goes into an answer that a cache may keep.
        const bool isKnown = publicUrl.starts_with("https://");
        response.status = 308;
        response.headers.set("Location",
            (isKnown ? std::string(publicUrl) : "https://" + std::string(*host)) + request.path
                + (request.query.empty() ? std::string() : "?" + request.query));
    }
    return response;
}

} // namespace vivavoce::broker::http
