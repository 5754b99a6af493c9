#pragma once

#include "broker/alerts/alert_channel.h"
#include "broker/alerts/internal/mail_sender.h"

namespace vivavoce::broker::alerts {

/// Mails an alert, by TLS unless the server is on this computer.
class SmtpChannel final : public AlertChannel {
public:
    explicit SmtpChannel(ChannelSettings settings) : m_settings(std::move(settings)) {}

    [[nodiscard]] net::Awaitable<Sent> send(Alert alert) override;

private:
    const ChannelSettings m_settings;
    MailSender m_sender;
};

/// The message as RFC 5322 has it, in UTF-8 and base64, with the alert's id as its own: nothing of an alert begins a header. Pure.
[[nodiscard]] std::string mailOf(const Alert& alert, const ChannelSettings& settings);

} // namespace vivavoce::broker::alerts
