#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// Header fields in order. Names compare without regard to ASCII case (RFC 9110 §5.1).
class HttpHeaders {
public:
    struct Field {
        std::string name;
        std::string value;
    };

    HttpHeaders() = default;
    HttpHeaders(std::initializer_list<Field> fields) : m_fields(fields) {}

    void add(std::string name, std::string value) { m_fields.push_back({std::move(name), std::move(value)}); }
    /// Replaces every field of that name.
    void set(std::string_view name, std::string value);
    /// The first value of that name.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const;
    [[nodiscard]] const std::vector<Field>& fields() const { return m_fields; }

private:
    std::vector<Field> m_fields;
};

/// ASCII case-insensitive equality.
[[nodiscard]] bool equalsIgnoreCase(std::string_view a, std::string_view b);

} // namespace vivavoce::core
