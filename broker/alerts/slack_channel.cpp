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
        return "\xE2\x84\xB9\xEF\xB8\x8F";
    case Severity::Warning:
        return "\xE2\x9A\xA0\xEF\xB8\x8F";
    case Severity::Critical:
        return "\xF0\x9F\x9A\xA8";
    }
    return "\xE2\x9A\xA0\xEF\xB8\x8F";
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

/// Slack's three characters as it wants them, in one line.
std::string escaped(std::string_view text)
{
    std::string safe;
    for (const char c : cut(text)) {
        if (c == '&') {
            safe += "&amp;";
        } else if (c == '<') {
            safe += "&lt;";
        } else if (c == '>') {
            safe += "&gt;";
        } else {
            safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
        }
    }
    return safe;
}

bool isPartOfWord(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.'
        || (static_cast<unsigned char>(c) & 0x80) != 0;
}

/// The same for those who take it for Markdown: no mention, link or image comes of it. What means nothing there, such as an address of mail,
/// stays as it is, so that whoever copies it finds it again.
std::string escapedForMarkdown(std::string_view text)
{
    std::string safe;
    const std::string plain = escaped(text);
    for (std::size_t i = 0; i < plain.size(); ++i) {
        const std::string_view rest = std::string_view(plain).substr(i);
        safe += plain[i];
        const bool isMention = plain[i] == '@' && (i == 0 || !isPartOfWord(plain[i - 1]));
        if (isMention || rest.starts_with("](") || rest.starts_with("://")) {
            safe += kWordJoiner;
        }
    }
    return safe;
}

/// Text that Slack shows as it is, with nothing in it that means anything.
core::Json plainText(std::string text)
{
    return {{"type", "plain_text"}, {"text", std::move(text)}, {"emoji", false}};
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
    std::string text = std::string(markOf(alert.severity)) + " " + escaped(alert.title);
    for (const auto& [name, value] : linesOf(alert)) {
        const std::string line = "\n" + escaped(name) + ": " + escaped(value);
        if (text.size() + line.size() <= kLongestText) {
            text += line;
        }
    }
    const std::string foot =
        std::string(textOf(alert.kind)) + " · " + escaped(alert.broker) + " · " + core::formatRfc3339(alert.at);
    core::Json section{{"type", "section"}, {"text", plainText(std::move(text))}};
    core::Json context{{"type", "context"}, {"elements", core::Json::array({plainText(foot)})}};
    // Slack takes the blocks, and this for its notifications; others, such as Mattermost, have nothing else, and take it for Markdown.
    return {{"text", escapedForMarkdown(alert.title)},
        {"blocks", core::Json::array({std::move(section), std::move(context)})}};
}

} // namespace vivavoce::broker::alerts
