#include "broker/auth/caller.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

namespace vivavoce::broker::auth {

std::string Caller::key() const
{
    // Both lengths are fixed by the first: no two callers can run into one.
    return std::to_string(static_cast<int>(kind)) + ":" + std::to_string(issuer.size()) + ":" + issuer + ":" + subject;
}

bool isCallerKey(std::string_view text)
{
    const std::size_t kindEnd = text.find(':');
    const std::size_t lengthEnd = kindEnd == std::string_view::npos ? kindEnd : text.find(':', kindEnd + 1);
    if (lengthEnd == std::string_view::npos) {
        return false;
    }
    const auto numberOf = [](std::string_view digits) -> std::optional<std::size_t> {
        std::size_t number = 0;
        const char* const end = digits.data() + digits.size();
        const auto [stop, fault] = std::from_chars(digits.data(), end, number);
        return fault == std::errc() && stop == end ? std::optional(number) : std::nullopt;
    };
    const auto kind = numberOf(text.substr(0, kindEnd));
    const auto length = numberOf(text.substr(kindEnd + 1, lengthEnd - kindEnd - 1));
    const std::string_view rest = text.substr(lengthEnd + 1);
    return kind && *kind <= static_cast<std::size_t>(Caller::Kind::User) && length && *length < rest.size()
        && rest[*length] == ':' && *length + 1 < rest.size();
}

bool Caller::may(std::string_view scope) const
{
    return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

} // namespace vivavoce::broker::auth
