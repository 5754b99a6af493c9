#pragma once

#include "broker/config_problems.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

namespace vivavoce::broker {

/// The tables [policy], [[policies]] and [projects].
[[nodiscard]] Written readPolicyKey(std::string_view name, std::string_view key, toml::node& node, Policy& policy);
void readPolicies(std::string_view key, toml::node& node, Config& config, Problems& problems);
[[nodiscard]] Written readProjectKey(
    std::string_view name, std::string_view key, toml::node& node, ProjectSettings& projects);
/// The ones that can also be a warning.
void readWebhookUrl(std::string_view key, toml::node& node, Config& config, Problems& problems);
void readWebhookUrlFile(std::string_view key, toml::node& node, Config& config, Problems& problems);
void readWebhookSecretFile(std::string_view key, toml::node& node, Config& config, Problems& problems);

/// What can stand in a table of [[policies]].
[[nodiscard]] std::vector<std::string> policyKeys();

/// What has to go together.
void checkProjects(const Config& config, Problems& problems);
void printProjects(const Config& config, toml::table& table);

} // namespace vivavoce::broker
