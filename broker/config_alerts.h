#pragma once

#include "broker/config_values.h"

#include <toml++/toml.h>

namespace vivavoce::broker {

/// [alerts] of the TOML file, but for its channels (config_alert_channels.h).
[[nodiscard]] Written readAlertKey(std::string_view key, toml::node& node, Config& config);
/// With the channels.
void printAlerts(const Config& config, toml::table& table);

} // namespace vivavoce::broker
