#pragma once

#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// What the file that `init` makes says of one key.
struct InitKey {
    std::string_view key;
    /// One line or more, without the number sign.
    std::string_view sentence;
    /// In TOML, for a key that has no value where nobody gives it one.
    std::string_view example = {};
    /// Values that the file gives it; empty: none, and what holds without it stands there as a comment.
    std::string_view local = {};
    std::string_view production = {};
    /// A table of a list makes no sense without it.
    bool isNeeded = false;
};

/// In the order of the file: keys before the first table, then table by table, then tables of lists ("issuers[].url").
[[nodiscard]] const std::vector<InitKey>& initKeys();

} // namespace vivavoce::broker
