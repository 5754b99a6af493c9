#include "broker/alerts/alert_channel.h"

#include "broker/alerts/slack_channel.h"
#include "broker/alerts/smtp_channel.h"
#include "broker/alerts/webhook_channel.h"

#include <algorithm>

namespace vivavoce::broker::alerts {
namespace {

bool haveSame(const std::shared_ptr<const core::Secret>& one, const std::shared_ptr<const core::Secret>& other)
{
    return one != nullptr && other != nullptr ? one->equals(other->reveal()) : one == other;
}

} // namespace

bool ChannelSettings::wants(AlertKind alert) const
{
    return kinds.empty() || std::find(kinds.begin(), kinds.end(), alert) != kinds.end();
}

bool ChannelSettings::isSame(const ChannelSettings& other) const
{
    return haveSame(address, other.address) && haveSame(secret, other.secret) && name == other.name
        && kind == other.kind && kinds == other.kinds && caFile == other.caFile && timeout == other.timeout
        && server == other.server && security == other.security && user == other.user && from == other.from
        && to == other.to;
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
