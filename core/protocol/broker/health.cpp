#include "core/protocol/broker/health.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::broker {
namespace {

Unexpected<Error> bad(std::string_view field)
{
    return fail(ErrorCode::BrokerMalformed, std::string(field) + " is missing or of a wrong type");
}

bool readCount(const Json& object, const char* name, std::int64_t& to)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number_integer()) {
        return false;
    }
    to = found->get<std::int64_t>();
    return true;
}

bool readNumber(const Json& object, const char* name, double& to)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number()) {
        return false;
    }
    to = found->get<double>();
    return true;
}

const Json* objectAt(const Json& parent, const char* name)
{
    const auto found = parent.find(name);
    return found == parent.end() || !found->is_object() ? nullptr : &*found;
}

Expected<HealthDetail, Error> readDetail(const Json& object)
{
    HealthDetail detail;
    const Json* services = objectAt(object, "services");
    const Json* metrics = objectAt(object, "metrics");
    const Json* resources = objectAt(object, "resources");
    if (services == nullptr || metrics == nullptr || resources == nullptr) {
        return bad(services == nullptr ? "services" : metrics == nullptr ? "metrics" : "resources");
    }
    for (const auto& [name, service] : services->items()) {
        const auto status = service.is_object() ? service.find("status") : service.end();
        if (!service.is_object() || status == service.end() || !status->is_string()) {
            return bad("services");
        }
        detail.services[name] = status->get<std::string>();
    }
    HealthMetrics& m = detail.metrics;
    if (!readCount(*metrics, "totalRequests", m.totalRequests)
        || !readCount(*metrics, "activeSessions", m.activeSessions)
        || !readCount(*metrics, "totalRefreshes", m.totalRefreshes) || !readNumber(*metrics, "errorRate", m.errorRate)
        || !readNumber(*metrics, "averageResponseTime", m.averageResponseTime)) {
        return bad("metrics");
    }
    HealthResources& r = detail.resources;
    if (!readCount(*resources, "uptimeSeconds", r.uptimeSeconds)
        || !readCount(*resources, "connections", r.connections)) {
        return bad("resources");
    }
    if (std::int64_t bytes = 0; readCount(*resources, "memoryBytes", bytes)) {
        r.memoryBytes = bytes;
    }
    return detail;
}

} // namespace

std::string encode(const Health& health)
{
    Json object{{"status", health.status}};
    if (health.detail) {
        Json services = Json::object();
        for (const auto& [name, status] : health.detail->services) {
            services[name] = {{"status", status}};
        }
        const HealthMetrics& m = health.detail->metrics;
        const HealthResources& r = health.detail->resources;
        object["services"] = std::move(services);
        object["metrics"] = {{"totalRequests", m.totalRequests}, {"activeSessions", m.activeSessions},
            {"totalRefreshes", m.totalRefreshes}, {"errorRate", m.errorRate},
            {"averageResponseTime", m.averageResponseTime}};
        object["resources"] = {{"uptimeSeconds", r.uptimeSeconds}, {"connections", r.connections}};
        if (r.memoryBytes) {
            object["resources"]["memoryBytes"] = *r.memoryBytes;
        }
    }
    return writeJson(object);
}

Expected<Health, Error> decodeHealth(std::string_view text)
{
    const auto parsed = parseJson(text);
    if (!parsed || !parsed->is_object()) {
        return fail(ErrorCode::BrokerMalformed, "the body is not a JSON object");
    }
    const auto status = parsed->find("status");
    if (status == parsed->end() || !status->is_string()) {
        return bad("status");
    }
    Health health;
    health.status = status->get<std::string>();
    if (parsed->contains("metrics")) {
        auto detail = readDetail(*parsed);
        if (!detail) {
            return Unexpected<Error>(detail.error());
        }
        health.detail = std::move(*detail);
    }
    return health;
}

} // namespace vivavoce::core::broker
