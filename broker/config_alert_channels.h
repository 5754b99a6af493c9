#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// [[alerts.channels]] of the TOML file, and what the environment says of the channels' secrets. These are wiped where they are read.
void readAlertChannels(std::string_view key, toml::node& node, Config& config, Problems& problems);
/// Of a channel "ops": ALERTS_OPS_URL (a webhook's and Slack's), ALERTS_OPS_SECRET (a webhook's), ALERTS_OPS_PASSWORD (mail's), each with
/// _FILE behind it, or systemd's credential alerts_ops_url and so on.
void readAlertVariables(const Environment& environment, const std::string& folder, Config& config, Problems& problems);

/// What can stand in a table of [[alerts.channels]].
[[nodiscard]] std::vector<std::string> alertChannelKeys();

/// What has to go together.
void checkAlertChannels(const Config& config, Problems& problems);
/// As the file has them, without secrets.
[[nodiscard]] toml::array alertChannelsOf(const Config& config);
/// "ops.example:8443" of an address: where it leads, without what opens the door there.
[[nodiscard]] std::string urlHost(std::string_view url);

} // namespace vivavoce::broker
