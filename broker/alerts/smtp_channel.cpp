#include "broker/alerts/smtp_channel.h"

#include "core/base/base64.h"
#include "core/base/rfc3339.h"
#include "net/pending_value.h"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <span>
#include <utility>

namespace vivavoce::broker::alerts {
namespace {

constexpr std::size_t kLineLetters = 76;
/// So that an encoded word has at most 75 letters (RFC 2047 §2).
constexpr std::size_t kWordBytes = 42;
/// For the sender to say that its time is over.
constexpr core::Milliseconds kLonger{1'000};

std::string base64Of(std::string_view text)
{
    const void* const bytes = text.data();
    return core::encodeBase64(std::span(static_cast<const std::uint8_t*>(bytes), text.size()));
}

/// In pieces that end where a letter of UTF-8 does.
std::string subjectOf(std::string_view text)
{
    std::string subject;
    while (!text.empty()) {
        std::size_t size = std::min(text.size(), kWordBytes);
        while (size > 1 && size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
            --size;
        }
        subject += (subject.empty() ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?") + base64Of(text.substr(0, size)) + "?=";
        text.remove_prefix(size);
    }
    return subject;
}

/// "Mon, 30 Nov 2026 09:00:00 +0000", whatever the language here.
std::string dateOf(core::WallTime time)
{
    constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000",
        kDays.at(std::chrono::weekday(day).c_encoding()), static_cast<unsigned>(date.day()),
        kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
        static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
        static_cast<int>(clock.seconds().count()));
    return text.data();
}

} // namespace

net::Awaitable<AlertChannel::Sent> SmtpChannel::send(Alert alert)
{
    const auto executor = co_await boost::asio::this_coro::executor;
    const auto pending = std::make_shared<net::PendingValue<Sent>>(executor, m_settings.timeout + kLonger);
    const net::Pending::Waiter waiter(*pending);
    Mail mail;
    mail.url = (m_settings.security == MailSecurity::Tls ? "smtps://" : "smtp://") + m_settings.server;
    mail.needsTls = m_settings.security != MailSecurity::None;
    mail.caFile = m_settings.caFile;
    mail.user = m_settings.user;
    mail.password = m_settings.secret;
    mail.from = m_settings.from;
    mail.to = m_settings.to;
    mail.message = mailOf(alert, m_settings);
    mail.timeout = m_settings.timeout;
    m_sender.send(std::move(mail), [pending](Sent sent) { static_cast<void>(pending->complete(std::move(sent))); });
    co_await pending->wait();
    auto sent = pending->take();
    if (!sent) {
        co_return core::fail(core::ErrorCode::Timeout, "the mail server took too long");
    }
    co_return std::move(*sent);
}

std::string mailOf(const Alert& alert, const ChannelSettings& settings)
{
    std::string to;
    for (const std::string& one : settings.to) {
        to += (to.empty() ? "" : ",\r\n ") + one;
    }
    std::string text = alert.title + "\r\n\r\n";
    for (const auto& [name, value] : linesOf(alert)) {
        text.append(name).append(": ").append(value).append("\r\n");
    }
    text += "\r\n" + std::string(textOf(alert.kind)) + ", " + std::string(textOf(alert.severity)) + "\r\n"
        + alert.broker + ", " + core::formatRfc3339(alert.at) + "\r\n" + alert.id + "\r\n";
    const std::string domain = settings.from.substr(settings.from.find('@') + 1);
    std::string mail = "Date: " + dateOf(alert.at) + "\r\nFrom: Vivavoce <" + settings.from + ">\r\nTo: " + to
        + "\r\nSubject: " + subjectOf(alert.title) + "\r\nMessage-ID: <" + alert.id + "@" + domain
        + ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
          "Content-Transfer-Encoding: base64\r\n\r\n";
    const std::string body = base64Of(text);
    for (std::size_t at = 0; at < body.size(); at += kLineLetters) {
        mail += body.substr(at, kLineLetters) + "\r\n";
    }
    return mail;
}

} // namespace vivavoce::broker::alerts
