#pragma once

#include "broker/alerts/alert.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::alerts {

/// How a message is encrypted on its way to a mail server.
enum class MailSecurity { StartTls, Tls, None };

/// One of `[[alerts.channels]]`.
struct ChannelSettings {
    enum class Kind { Webhook, Slack, Smtp };
    /// a to z, 0 to 9 and dashes.
    std::string name;
    Kind kind = Kind::Webhook;
    /// What it is for; empty: everything.
    std::vector<AlertKind> kinds;
    /// Webhook and Slack: where to. With many receivers whoever knows it may write there.
    std::shared_ptr<const core::Secret> address;
    /// Webhook: it signs, raw bytes. Mail: the password, nothing where the server wants none.
    std::shared_ptr<const core::Secret> secret;
    /// Authorities to trust beside the system's.
    std::string caFile;
    static constexpr core::Milliseconds kLongestTimeout{60'000};
    core::Milliseconds timeout{10'000};
    // Of mail alone.
    std::string server;
    MailSecurity security = MailSecurity::StartTls;
    std::string user;
    std::string from;
    std::vector<std::string> to;

    [[nodiscard]] bool wants(AlertKind alert) const;
    [[nodiscard]] bool isSame(const ChannelSettings& other) const;
};
/// "webhook", "slack", "smtp".
[[nodiscard]] std::string_view textOf(ChannelSettings::Kind kind);

/// What an operator wants to be told of, and how.
struct AlertSettings {
    /// Percent of a budget, from the lowest to the highest.
    std::vector<int> thresholds{50, 80, 100};
    /// Of answers that are faults of ours; 0: any.
    int errorPercent = 5;
    std::chrono::minutes errorWindow{5};
    /// For how long something has to be down, or up again, before that is told.
    std::chrono::seconds settle{30};
    std::chrono::days kept{90};
    std::vector<ChannelSettings> channels;
};

} // namespace vivavoce::broker::alerts
