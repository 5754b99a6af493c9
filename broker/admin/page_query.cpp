#include "broker/admin/page_query.h"

#include "core/base/json.h"
#include "net/http_message.h"

#include <nlohmann/json.hpp>

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

bool isHexDigit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool isPercentEncoded(std::string_view text)
{
    for (std::size_t at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        if (at + 2 >= text.size() || !isHexDigit(text[at + 1]) || !isHexDigit(text[at + 2])) {
            return false;
        }
    }
    return true;
}

bool isUtf8(const std::string& text)
{
    // What is none is written as something else.
    const auto again = core::parseJson(core::writeJson(core::Json(text)));
    return again && *again == core::Json(text);
}

/// For people: what is no name of ours is not repeated.
std::string shownName(std::string_view name)
{
    constexpr std::size_t kLongest = 32;
    const bool isPlain = !name.empty() && name.size() <= kLongest
        && std::all_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    return isPlain ? std::string(name) : std::string("a parameter");
}

/// What is wrong with one of them; empty: nothing.
std::string encodingFaultOf(std::string_view part)
{
    const std::size_t equals = std::min(part.find('='), part.size());
    const std::string name = shownName(part.substr(0, equals));
    if (!isPercentEncoded(part)) {
        return name + ": % has to be followed by two hexadecimal digits; one that is meant is written %25";
    }
    const std::string_view written = part.substr(std::min(equals + 1, part.size()));
    const std::string value = net::queryParameter("v=" + std::string(written), "v");
    if (value.empty() && !written.empty()) {
        return name + " has a character that has to be percent-encoded";
    }
    return isUtf8(value) ? std::string() : name + " is not UTF-8";
}

} // namespace

std::optional<Fault> encodingFault(std::string_view query)
{
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        std::string detail = encodingFaultOf(query.substr(0, end));
        if (!detail.empty()) {
            return Fault{FaultCode::InvalidEncoding, std::move(detail), std::nullopt};
        }
        query.remove_prefix(std::min(end + 1, query.size()));
    }
    return std::nullopt;
}

core::Expected<PageQuery, Fault> PageQuery::read(
    std::string_view query, std::initializer_list<std::string_view> names, std::size_t most)
{
    if (auto fault = encodingFault(query)) {
        return core::Unexpected<Fault>(std::move(*fault));
    }
    PageQuery page;
    page.m_query = query;
    std::vector<std::string_view> seen;
    for (std::string_view rest = query; !rest.empty();) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        const std::string_view name = part.substr(0, part.find('='));
        const bool isOurs = name == kLimit || std::find(names.begin(), names.end(), name) != names.end();
        const bool isTwice = std::find(seen.begin(), seen.end(), name) != seen.end();
        if (!isOurs || isTwice) {
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
