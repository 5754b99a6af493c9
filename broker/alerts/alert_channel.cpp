#include "broker/alerts/alert_channel.h"

#include "broker/alerts/slack_channel.h"
#include "broker/alerts/smtp_channel.h"
#include "broker/alerts/webhook_channel.h"

#include <algorithm>

namespace vivavoce::broker::alerts {

bool ChannelSettings::wants(AlertKind alert) const
{
    return kinds.empty() || std::find(kinds.begin(), kinds.end(), alert) != kinds.end();
}

bool ChannelSettings::isSame(const ChannelSettings& other) const
{
    const bool haveSameSecret =
        secret != nullptr && other.secret != nullptr ? secret->equals(other.secret->reveal()) : secret == other.secret;
    return haveSameSecret && name == other.name && kind == other.kind && kinds == other.kinds && url == other.url
        && caFile == other.caFile && timeout == other.timeout && server == other.server && security == other.security
        && user == other.user && from == other.from && to == other.to;
}

std::string_view textOf(ChannelSettings::Kind kind)
{
    switch (kind) {
    case ChannelSettings::Kind::Webhook:
        return "webhook";
    case ChannelSettings::Kind::Slack:
        return "slack";
    case ChannelSettings::Kind::Smtp:
        return "smtp";
    }
    return "webhook";
}

std::shared_ptr<AlertChannel> makeChannel(const ChannelSettings& settings, const ChannelParts& parts)
{
    switch (settings.kind) {
    case ChannelSettings::Kind::Slack:
        return std::make_shared<SlackChannel>(settings, parts.fetch);
    case ChannelSettings::Kind::Smtp:
        return std::make_shared<SmtpChannel>(settings);
    case ChannelSettings::Kind::Webhook:
        break;
    }
    return std::make_shared<WebhookChannel>(settings, parts);
}

} // namespace vivavoce::broker::alerts
