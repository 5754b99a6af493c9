#pragma once

#include "broker/config_problems.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// `[[providers.compatible]]` of the TOML file. Secrets are wiped where they are read.
void readCompatible(std::string_view key, toml::node& node, Config& config, Problems& problems);

/// What can stand in one of its tables.
[[nodiscard]] std::vector<std::string> compatibleKeys();

/// Takes what the environment says of their keys over what the file said.
void readProviderKeys(const Environment& environment, const std::string& folder, Config& config, Problems& problems);

/// What no single value can show: what is needed, names and models that are there once.
void checkProviders(const Config& config, Problems& problems);

/// As TOML that readCompatible understands, without the keys.
void printProviders(const Config& config, toml::table& providers);

} // namespace vivavoce::broker
