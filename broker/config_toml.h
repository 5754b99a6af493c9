#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"
#include "broker/config_values.h"

#include <toml++/toml.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::broker {

/// What a file made by `vivavoce-broker init` holds where an operator has to fill something in.
inline constexpr std::string_view kPlaceholder = "CHANGE-ME";

/// What a table holds as it stands in the file, so that problems are told from top to bottom.
[[nodiscard]] std::vector<std::pair<std::string, toml::node*>> inFileOrder(toml::table& table);

/// Remembers where a key is, and answers whether its value is worth reading: one with a placeholder in it is a problem already.
[[nodiscard]] bool enterKey(const std::string& key, const toml::node& node, Problems& problems);

/// A key that is none of the file's: with the one that is meant, where one is near.
void tellUnknownKey(
    const std::string& key, const toml::node& node, const std::vector<std::string>& known, Problems& problems);

/// The tables of a list of tables with the beginnings of their keys ("issuers[0]."). Anything else is a problem, and none.
[[nodiscard]] std::vector<std::pair<std::string, toml::table*>> tablesOf(
    std::string_view key, toml::node& node, Problems& problems);

/// A text that is not empty and has 2048 bytes at most; up to a hundred of them.
[[nodiscard]] Written readText(std::string_view key, toml::node& node, std::string& into);
[[nodiscard]] Written readTexts(std::string_view key, toml::node& node, std::vector<std::string>& into);
[[nodiscard]] toml::array listOf(const std::vector<std::string>& texts);
[[nodiscard]] std::vector<std::string> prefixed(const std::string& prefix, std::vector<std::string> names);

/// A secret that stands in the file, where it is wiped. Nothing: that was told under `key`.
[[nodiscard]] std::optional<core::Secret> readSecretText(const std::string& key, toml::node& node, Problems& problems);
/// The same of a file that it names.
[[nodiscard]] std::optional<core::Secret> readSecretPath(const std::string& key, toml::node& node, Problems& problems);

/// What printConfig prints, as a table.
[[nodiscard]] toml::table tableOf(const Config& config);

/// A whole number within the range, as whatever is made of one.
template <typename T>
[[nodiscard]] Written readWhole(std::string_view key, toml::node& node, Range range, T& into)
{
    const auto value = node.value_exact<std::int64_t>();
    if (!value) {
        return badConfig(key, "has to be a whole number");
    }
    auto checked = checkRange(key, *value, range);
    if (checked) {
        into = T(*value);
    }
    return checked;
}

} // namespace vivavoce::broker
