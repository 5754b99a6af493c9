#include "broker/alerts/slack_channel.h"

#include "broker/alerts/webhook_channel.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::alerts {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
/// Slack refuses a section with more than 3,000.
constexpr std::size_t kLongestText = 2'000;
constexpr std::size_t kLongestValue = 200;

const char* markOf(Severity severity)
{
    switch (severity) {
    case Severity::Info:
        return ":information_source:";
    case Severity::Warning:
        return ":warning:";
    case Severity::Critical:
        return ":rotating_light:";
    }
    return ":warning:";
}

/// What is set between two characters that would mean something together.
constexpr std::string_view kWordJoiner = "\xE2\x81\xA0";

/// At most so many bytes, and no part of a letter of UTF-8.
std::string_view cut(std::string_view text)
{
    std::size_t size = std::min(text.size(), kLongestValue);
    while (size > 0 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
        --size;
    }
    return text.substr(0, size);
}

/// Slack's three characters, and those that would set it in bold, italics or code; what understands Markdown, such as Mattermost, makes mentions,
/// links and images of others.
std::string plain(std::string_view text)
{
    std::string safe;
    const std::string_view shown = cut(text);
    for (std::size_t i = 0; i < shown.size(); ++i) {
        const char c = shown[i];
        if (c == '&') {
            safe += "&amp;";
        } else if (c == '<') {
            safe += "&lt;";
        } else if (c == '>') {
            safe += "&gt;";
        } else if (c == '*' || c == '_' || c == '`' || c == '~') {
            // With a word joiner before it, it is itself.
            safe += kWordJoiner;
            safe += c;
        } else if (c == '@' || c == '[' || c == ']' || c == '(' || c == '!' || shown.substr(i, 3) == "://") {
            safe += c;
            safe += kWordJoiner;
        } else {
            safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return safe;
}

} // namespace

net::Awaitable<AlertChannel::Sent> SlackChannel::send(Alert alert)
{
    net::ClientRequest request;
    request.method = "POST";
    request.url = m_settings.address->reveal();
    request.timeout = m_settings.timeout;
    request.maxBodyBytes = kMaxAnswerBytes;
    request.trust.extraCaFile = m_settings.caFile;
    request.headers.add("Content-Type", "application/json");
    request.body = core::writeJson(slackMessage(alert));
    const auto response = co_await m_fetch(std::move(request));
    co_return sentIf(response);
}

core::Json slackMessage(const Alert& alert)
{
    std::string text = std::string(markOf(alert.severity)) + " *" + plain(alert.title) + "*";
    for (const auto& [name, value] : linesOf(alert)) {
        const std::string line = "\n" + plain(name) + ": " + plain(value);
        if (text.size() + line.size() <= kLongestText) {
            text += line;
        }
    }
    const std::string foot =
        std::string(textOf(alert.kind)) + " · " + plain(alert.broker) + " · " + core::formatRfc3339(alert.at);
    core::Json section{{"type", "section"}, {"text", {{"type", "mrkdwn"}, {"text", text}}}};
    core::Json context{{"type", "context"}, {"elements", core::Json::array({{{"type", "mrkdwn"}, {"text", foot}}})}};
    return {{"text", plain(alert.title)}, {"blocks", core::Json::array({std::move(section), std::move(context)})}};
}

} // namespace vivavoce::broker::alerts
