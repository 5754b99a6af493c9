#include "broker/alerts/webhook_channel.h"

#include "broker/webhook_signature.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <utility>

namespace vivavoce::broker::alerts {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;

} // namespace

net::Awaitable<AlertChannel::Sent> WebhookChannel::send(Alert alert)
{
    net::ClientRequest request;
    request.method = "POST";
    request.url = m_settings.address->reveal();
    request.timeout = m_settings.timeout;
    request.maxBodyBytes = kMaxAnswerBytes;
    request.trust.extraCaFile = m_settings.caFile;
    request.headers.add("Content-Type", "application/json");
    request.body = core::writeJson(jsonOf(alert));
    const auto now = std::chrono::floor<std::chrono::seconds>(m_parts.clock.wallNow()).time_since_epoch();
    const std::string timestamp = std::to_string(now.count());
    request.headers.add("webhook-id", alert.id);
    request.headers.add("webhook-timestamp", timestamp);
    request.headers.add("webhook-signature", webhookSignature(*m_settings.secret, alert.id, timestamp, request.body));
    const auto response = co_await m_parts.fetch(std::move(request));
    co_return sentIf(response);
}

AlertChannel::Sent sentIf(const core::Expected<net::ClientResponse, core::Error>& response)
{
    const auto answered = [](std::string status) -> AlertChannel::Sent {
        if (status.starts_with('2')) {
            return {};
        }
        core::Error error{core::ErrorCode::ProviderFailed, "it answered " + status, std::nullopt, {}};
        error.foreignCode = std::move(status);
        return core::Unexpected<core::Error>(std::move(error));
    };
    if (response) {
        return answered(std::to_string(response->status));
    }
    // Its body was longer than anybody reads here.
    if (!response.error().foreignCode.empty()) {
        return answered(response.error().foreignCode);
    }
    // Its detail may name the host, which is a secret with some.
    switch (response.error().code) {
    case core::ErrorCode::Timeout:
        return core::fail(response.error().code, "it did not answer in time");
    case core::ErrorCode::ProviderUnreachable:
        return core::fail(response.error().code, "it could not be reached, or broke off");
    default:
        return core::fail(response.error().code, "it said nothing that makes sense");
    }
}

} // namespace vivavoce::broker::alerts
