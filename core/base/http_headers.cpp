#include "core/base/http_headers.h"

#include <algorithm>

namespace vivavoce::core {
namespace {

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

} // namespace

bool equalsIgnoreCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

void HttpHeaders::set(std::string_view name, std::string value)
{
    std::erase_if(m_fields, [&](const Field& field) { return equalsIgnoreCase(field.name, name); });
    m_fields.push_back({std::string(name), std::move(value)});
}

std::optional<std::string_view> HttpHeaders::find(std::string_view name) const
{
    for (const Field& field : m_fields) {
        if (equalsIgnoreCase(field.name, name)) {
            return field.value;
        }
    }
    return std::nullopt;
}

std::size_t HttpHeaders::count(std::string_view name) const
{
    return static_cast<std::size_t>(std::count_if(
        m_fields.begin(), m_fields.end(), [&](const Field& field) { return equalsIgnoreCase(field.name, name); }));
}

} // namespace vivavoce::core
