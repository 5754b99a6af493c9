#pragma once

#include "agent/realtime/event_fault.h"
#include "core/base/json.h"

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

/// Closed shapes of what a client may send, built from small rules. OpenAI's server refuses unknown fields, so these do too.
/// All rules are pure and immutable once made. [any thread]
namespace vivavoce::agent::realtime {

/// Looks at a value found at `path`; answers what is wrong with it, or nothing.
using Rule = std::function<std::optional<EventFault>(const core::Json& value, const std::string& path)>;

enum class Presence { Optional, Required };

struct Field {
    std::string name;
    Rule rule;
    Presence presence = Presence::Optional;
};

[[nodiscard]] Rule text(std::size_t maxBytes);
[[nodiscard]] Rule nonEmptyText(std::size_t maxBytes);
[[nodiscard]] Rule boolean();
[[nodiscard]] Rule numberIn(double lowest, double highest);
[[nodiscard]] Rule integerIn(long long lowest, long long highest);
[[nodiscard]] Rule oneOf(std::initializer_list<const char*> values);
[[nodiscard]] Rule nullOr(Rule rule);
/// The first rule whose kind of value it is decides: strings go to `ifText`, all else to `otherwise`.
[[nodiscard]] Rule textOr(Rule ifText, Rule otherwise);
[[nodiscard]] Rule listOf(Rule element, std::size_t maxElements);
/// A closed object: `unknown_parameter` for a name not listed, `missing_required_parameter` for one that is required.
[[nodiscard]] Rule object(std::vector<Field> fields);
/// An object that is only checked for being one.
[[nodiscard]] Rule anyObject();
[[nodiscard]] Rule anything();
/// A closed object whose allowed fields hang on its `type`.
[[nodiscard]] Rule byType(std::vector<std::pair<std::string, Rule>> variants);

} // namespace vivavoce::agent::realtime
