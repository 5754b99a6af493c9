#pragma once

#include "broker/alerts/alert_channel.h"

namespace vivavoce::broker::alerts {

/// Posts an alert as JSON, signed as Standard Webhooks has it: `webhook-id` (the same for each attempt), `webhook-timestamp`,
/// `webhook-signature` ("v1," and base64 of HMAC-SHA256 over id.timestamp.body). Any 2xx takes it.
class WebhookChannel final : public AlertChannel {
public:
    WebhookChannel(ChannelSettings settings, ChannelParts parts)
        : m_settings(std::move(settings)), m_parts(std::move(parts))
    {
    }

    [[nodiscard]] net::Awaitable<Sent> send(Alert alert) override;

private:
    const ChannelSettings m_settings;
    const ChannelParts m_parts;
};

/// What an answer means to whoever sent something: nothing but its status is looked at.
[[nodiscard]] AlertChannel::Sent sentIf(const core::Expected<net::ClientResponse, core::Error>& response);

} // namespace vivavoce::broker::alerts
