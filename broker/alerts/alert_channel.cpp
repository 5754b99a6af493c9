#include "broker/alerts/alert_channel.h"

#include "broker/alerts/slack_channel.h"
#include "broker/alerts/smtp_channel.h"
#include "broker/alerts/webhook_channel.h"

#include <algorithm>
#include <charconv>

namespace vivavoce::broker::alerts {
namespace {

bool haveSame(const std::shared_ptr<const core::Secret>& one, const std::shared_ptr<const core::Secret>& other)
{
    return one != nullptr && other != nullptr ? one->equals(other->reveal()) : one == other;
}

/// 0: that is no status.
int statusOf(std::string_view text)
{
    constexpr int kHighest = 999;
    int status = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
    const bool isWhole = error == std::errc() && end == text.data() + text.size();
    return isWhole && status > 0 && status <= kHighest ? status : 0;
}

const char* reasonOf(core::ErrorCode code)
{
    using core::ErrorCode;
    switch (code) {
    case ErrorCode::ProviderUnreachable:
        return "channel.unreachable";
    case ErrorCode::Timeout:
        return "channel.timeout";
    case ErrorCode::ProviderMalformed:
    case ErrorCode::ProviderMessageTooBig:
        return "channel.malformed";
    case ErrorCode::NotAuthorised:
        return "channel.login_refused";
    case ErrorCode::RateLimited:
        return "channel.busy";
    case ErrorCode::Cancelled:
        return "channel.stopped";
    default:
        return "channel.failed";
    }
}

} // namespace

ChannelFault channelFaultOf(const core::Error& error)
{
    const int status = statusOf(error.foreignCode);
    return {status != 0 ? "channel.answered" : reasonOf(error.code), status};
}

std::string writeChannelFault(const ChannelFault& fault)
{
    return fault.status == 0 ? fault.reason : fault.reason + ' ' + std::to_string(fault.status);
}

ChannelFault readChannelFault(const std::string& text)
{
    const std::size_t space = text.find(' ');
    return space == std::string::npos
        ? ChannelFault{text, 0}
        : ChannelFault{text.substr(0, space), statusOf(std::string_view(text).substr(space + 1))};
}

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
