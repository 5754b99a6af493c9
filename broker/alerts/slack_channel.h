#pragma once

#include "broker/alerts/alert_channel.h"

namespace vivavoce::broker::alerts {

/// Posts an alert to an incoming webhook of Slack's, or of whatever speaks like it (Mattermost, Rocket.Chat, Discord's /slack). The
/// address is the secret.
class SlackChannel final : public AlertChannel {
public:
    SlackChannel(ChannelSettings settings, Fetch fetch) : m_settings(std::move(settings)), m_fetch(std::move(fetch)) {}

    [[nodiscard]] net::Awaitable<Sent> send(Alert alert) override;

private:
    const ChannelSettings m_settings;
    const Fetch m_fetch;
};

/// {"text", "blocks"}: the blocks hold plain text, the title alone is there for others too; nothing of an alert's own is a command, a link or a
/// mention. Pure.
[[nodiscard]] core::Json slackMessage(const Alert& alert);

} // namespace vivavoce::broker::alerts
