#include "tests/broker/mint_check.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <map>
#include <string>

namespace vivavoce::tests {
namespace {

using core::Json;

net::HttpResponse refusal(unsigned status, const char* code, const std::string& param)
{
    const Json error{{"type", "invalid_request_error"}, {"code", code}, {"param", param}, {"message", "refused"}};
    return net::HttpResponse::json(status, Json({{"error", error}}).dump());
}

using Check = bool (*)(const Json&);
using Fields = std::map<std::string, Check>;

bool isText(const Json& value)
{
    return value.is_string();
}

bool isObject(const Json& value)
{
    return value.is_object();
}

bool isLife(const Json& value)
{
    return value.is_number_integer() && value >= 10 && value <= 7200;
}

/// The objects of the request by their place, and what may be in them.
const std::map<std::string, Fields>& shape()
{
    static const std::map<std::string, Fields> all{
        {"", {{"expires_after", isObject}, {"session", isObject}}},
        {"/expires_after", {{"anchor", [](const Json& value) { return value == "created_at"; }}, {"seconds", isLife}}},
        {"/session",
            {{"type", [](const Json& value) { return value == "realtime"; }}, {"model", isText},
                {"instructions", isText}, {"audio", isObject}}},
        {"/session/audio", {{"output", isObject}}},
        {"/session/audio/output", {{"voice", isText}}},
    };
    return all;
}

} // namespace

std::optional<net::HttpResponse> refusalOfMint(const net::HttpRequest& request)
{
    const auto authorization = request.headers.find("Authorization");
    if (!authorization || !authorization->starts_with("Bearer ") || authorization->size() < 8) {
        return refusal(401, "invalid_api_key", "");
    }
    if (request.headers.find("Content-Type") != "application/json") {
        return refusal(400, "unsupported_content_type", "");
    }
    const auto body = core::parseJson(request.body);
    if (!body || !body->is_object()) {
        return refusal(400, "invalid_json", "");
    }
    for (const auto& [place, fields] : shape()) {
        const Json::json_pointer pointer(place);
        if (!body->contains(pointer)) {
            continue;
        }
        for (const auto& [name, value] : body->at(pointer).items()) {
            const auto known = fields.find(name);
            if (known == fields.end() || !known->second(value)) {
                return refusal(400, known == fields.end() ? "unknown_parameter" : "invalid_value",
                    std::string(place).append("/").append(name));
            }
        }
    }
    if (body->contains("session") && !body->at("session").contains("type")) {
        return refusal(400, "missing_required_parameter", "/session/type");
    }
    return std::nullopt;
}

} // namespace vivavoce::tests
