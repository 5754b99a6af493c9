#pragma once

#include "core/base/expected.h"

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace vivavoce::core {

using Json = nlohmann::json;

/// Why a text is not acceptable JSON.
enum class JsonFault { Syntax, TooDeep, DuplicateKey };

struct JsonError {
    JsonFault fault = JsonFault::Syntax;
    /// One line, without any of the text itself (it may hold a secret).
    std::string detail;
};

/// Deepest nesting of arrays and objects that parseJson accepts.
inline constexpr int kJsonMaxDepth = 64;

/// The one way from foreign bytes to Json: RFC 8259 in full, UTF-8 checked, depth at most 64, duplicate keys refused,
/// nothing but white space after the value. Include <nlohmann/json.hpp> to use the result. [any thread]
[[nodiscard]] Expected<Json, JsonError> parseJson(std::string_view text);

/// Compact text. Strings that are not valid UTF-8 get U+FFFD in place of the bad bytes, so it never throws.
[[nodiscard]] std::string writeJson(const Json& value);

} // namespace vivavoce::core
