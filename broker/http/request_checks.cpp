#include "broker/http/request_checks.h"

#include "broker/http/problem_response.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>

namespace vivavoce::broker::http {
namespace {

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

std::optional<Fault> checkContentType(const net::HttpRequest& request)
{
    const auto field = request.headers.find("Content-Type");
    const Fault fault{FaultCode::UnsupportedMediaType, "Content-Type has to be application/json", std::nullopt};
    if (!field || request.headers.count("Content-Type") != 1) {
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
    const auto isTrusted = [&](std::string_view address) {
        return std::find(trustedProxies.begin(), trustedProxies.end(), address) != trustedProxies.end();
    };
    std::string_view chain = request.headers.find("X-Forwarded-For").value_or("");
    if (!isTrusted(request.peer.address) || request.headers.count("X-Forwarded-For") != 1) {
        return request.peer.address;
    }
    // From the right: what stands further left anybody may have written.
    while (!chain.empty()) {
        const std::size_t comma = chain.rfind(',');
        const std::string_view last = trimmed(comma == std::string_view::npos ? chain : chain.substr(comma + 1));
        chain = comma == std::string_view::npos ? std::string_view() : chain.substr(0, comma);
        boost::system::error_code error;
        const auto address = boost::asio::ip::make_address(std::string(last), error);
        if (error) {
            break;
        }
        if (!isTrusted(last)) {
            return address.to_string();
        }
    }
    return request.peer.address;
}

std::optional<net::HttpResponse> refuseInsecure(
    const net::HttpRequest& request, const std::vector<std::string>& trustedProxies)
{
    const bool isProxy =
        std::find(trustedProxies.begin(), trustedProxies.end(), request.peer.address) != trustedProxies.end();
    if (isProxy ? request.headers.find("X-Forwarded-Proto").value_or("") == "https"
                && request.headers.count("X-Forwarded-Proto") == 1
                : request.peer.isTls || request.peer.isLoopback) {
        return std::nullopt;
    }
    auto response = problemResponse({FaultCode::HttpsRequired, "ask again by https", std::nullopt});
    const auto host = request.headers.find("Host");
    if (request.method == "GET" && host) {
        response.status = 308;
        response.headers.set("Location", "https://" + std::string(*host) + request.path);
    }
    return response;
}

} // namespace vivavoce::broker::http
