#include "broker/admin/page_query.h"

#include "net/http_message.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace vivavoce::broker::admin {
namespace {

constexpr std::string_view kLimit = "limit";

core::Unexpected<Fault> bad(std::string detail)
{
    return core::Unexpected<Fault>(Fault{FaultCode::BadRequest, std::move(detail), std::nullopt});
}

std::string listOf(std::initializer_list<std::string_view> names)
{
    std::string list(kLimit);
    for (const std::string_view name : names) {
        list += ", ";
        list += name;
    }
    return list;
}

} // namespace

core::Expected<PageQuery, Fault> PageQuery::read(
    std::string_view query, std::initializer_list<std::string_view> names, std::size_t most)
{
    PageQuery page;
    page.m_query = query;
    std::vector<std::string_view> seen;
    for (std::string_view rest = query; !rest.empty();) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::size_t equals = std::min(part.find('='), part.size());
        const std::string_view name = part.substr(0, equals);
        const bool isOurs = name == kLimit || std::find(names.begin(), names.end(), name) != names.end();
        const bool isTwice = std::find(seen.begin(), seen.end(), name) != seen.end();
        const bool isEmpty = equals + 1 >= part.size();
        if (!isOurs || isTwice || (!isEmpty && net::queryParameter(query, name).empty())) {
            return bad("there may be " + listOf(names) + ", each once");
        }
        seen.push_back(name);
    }
    if (const auto limit = page.text(kLimit)) {
        const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), page.m_limit);
        if (error != std::errc() || end != limit->data() + limit->size() || page.m_limit < 1 || page.m_limit > most) {
            return bad("limit has to be a number from 1 to " + std::to_string(most));
        }
    }
    return page;
}

std::optional<std::string> PageQuery::text(std::string_view name) const
{
    std::string value = net::queryParameter(m_query, name);
    return value.empty() ? std::nullopt : std::optional(std::move(value));
}

} // namespace vivavoce::broker::admin
