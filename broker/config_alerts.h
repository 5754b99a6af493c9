#pragma once

#include "broker/config_problems.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

namespace vivavoce::broker {

/// [alerts] and [[alerts.channels]] of the TOML file, and what the environment says of the channels' secrets. These are wiped where they are
/// read.
[[nodiscard]] Written readAlertKey(std::string_view key, toml::node& node, Config& config);
void readAlertChannels(std::string_view key, toml::node& node, Config& config, Problems& problems);
/// Of a channel "ops": ALERTS_OPS_SECRET (a webhook's), ALERTS_OPS_URL (Slack's), ALERTS_OPS_PASSWORD (mail's), each with _FILE behind it, or
/// systemd's credential alerts_ops_secret and so on.
void readAlertVariables(const Environment& environment, const std::string& folder, Config& config, Problems& problems);

/// What can stand in a table of [[alerts.channels]].
[[nodiscard]] std::vector<std::string> alertChannelKeys();

/// What has to go together.
void checkAlerts(const Config& config, Problems& problems);
void printAlerts(const Config& config, toml::table& table);

} // namespace vivavoce::broker
