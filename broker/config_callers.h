#pragma once

#include "broker/config_problems.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

namespace vivavoce::broker {

/// Who may call: `[[issuers]]` and `[[service_accounts]]` of the TOML file, and what the environment says of one issuer.
/// Secrets are wiped where they are read.
void readIssuers(std::string_view key, toml::node& node, Config& config, Problems& problems);
void readServiceAccounts(std::string_view key, toml::node& node, Config& config, Problems& problems);
void readIssuerVariables(const Environment& environment, Config& config, Problems& problems);

/// What can stand in a table of `[[issuers]]` and of `[[service_accounts]]`.
[[nodiscard]] std::vector<std::string> issuerKeys();
[[nodiscard]] std::vector<std::string> serviceAccountKeys();

/// What no single value can show: audiences, unique names, addresses.
void checkCallers(const Config& config, Problems& problems);

/// As TOML that readIssuers and readServiceAccounts understand, without the secrets.
void printCallers(const Config& config, toml::table& table);

} // namespace vivavoce::broker
