#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace vivavoce::core::openai {

/// How a peer writes: the shapes of the general availability, or those of the beta that some compatible servers still speak.
/// Both are always read in server events.
enum class Dialect { Ga, Beta };

/// JSON text of something that this code passes on without understanding it (foreign tools, JSON Schemas). Compact, keys sorted
/// where it was decoded. Text that is not JSON is encoded as null.
struct RawJson {
    std::string text;
    bool operator==(const RawJson&) const = default;
};

/// The JSON value null, where it means "off" and not "nothing said".
struct Null {
    bool operator==(const Null&) const = default;
};

/// A field of which absent (leave as it is), null (switch off) and a value are three different things.
template <typename T>
class Nullable {
public:
    Nullable() = default;
    // Implicit, as with std::optional: a value, or null, stands for itself.
    Nullable(Null) : m_state(Null{}) {} // NOLINT(google-explicit-constructor)
    Nullable(T value) : m_state(std::move(value)) {} // NOLINT(google-explicit-constructor)

    [[nodiscard]] bool isAbsent() const { return std::holds_alternative<std::monostate>(m_state); }
    [[nodiscard]] bool isNull() const { return std::holds_alternative<Null>(m_state); }
    [[nodiscard]] bool hasValue() const { return std::holds_alternative<T>(m_state); }
    /// Nothing unless hasValue().
    [[nodiscard]] const T* value() const { return std::get_if<T>(&m_state); }
    [[nodiscard]] T* value() { return std::get_if<T>(&m_state); }

    bool operator==(const Nullable&) const = default;

private:
    std::variant<std::monostate, Null, T> m_state;
};

} // namespace vivavoce::core::openai
