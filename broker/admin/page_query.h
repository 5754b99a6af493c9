#pragma once

#include "broker/fault.h"
#include "core/base/expected.h"

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::admin {

/// InvalidEncoding, with the name: something in the query is no percent-encoding, or no UTF-8. Nothing: it can be read. Pure.
[[nodiscard]] std::optional<Fault> encodingFault(std::string_view query);

/// What a list is asked with: names that it knows, each at most once. Pure.
class PageQuery {
public:
    /// `limit` is always known, and at most `most`. BadRequest, InvalidEncoding.
    [[nodiscard]] static core::Expected<PageQuery, Fault> read(
        std::string_view query, std::initializer_list<std::string_view> names, std::size_t most = 1'000);

    /// Nothing where it is empty or not there.
    [[nodiscard]] std::optional<std::string> text(std::string_view name) const;
    /// 100 unless it is said.
    [[nodiscard]] std::size_t limit() const { return m_limit; }

private:
    std::string m_query;
    std::size_t m_limit = 100;
};

} // namespace vivavoce::broker::admin
