#pragma once

#include "broker/config_values.h"

#include <toml++/toml.h>

namespace vivavoce::broker {

/// Who may call: `[[issuers]]` and `[[service_accounts]]` of the TOML file, and what the environment says of one issuer.
/// Secrets are wiped where they are read.
[[nodiscard]] Written readIssuers(std::string_view key, toml::node& node, Config& config);
[[nodiscard]] Written readServiceAccounts(std::string_view key, toml::node& node, Config& config);
[[nodiscard]] Written readIssuerVariables(const Environment& environment, Config& config);

/// What no single value can show: audiences, unique names, addresses.
[[nodiscard]] Written checkCallers(const Config& config);

/// As TOML that readIssuers and readServiceAccounts understand, without the secrets.
void printCallers(const Config& config, toml::table& table);

} // namespace vivavoce::broker
