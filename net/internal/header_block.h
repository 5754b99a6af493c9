#pragma once

#include "core/base/http_headers.h"

#include <cstddef>
#include <string_view>

namespace vivavoce::net {

/// Finds the end of a header block while its bytes arrive, and stops at the first byte that cannot be in one: a bare CR
/// or LF, a NUL or another control character. Each byte is looked at once. Pure.
class HeaderScanner {
public:
    enum class State { Incomplete, Complete, Broken };

    /// `received` is everything of this block so far; between calls it may only grow.
    [[nodiscard]] State scan(std::string_view received);
    /// Length of the block with its empty line, once Complete.
    [[nodiscard]] std::size_t size() const { return m_scanned; }

private:
    std::size_t m_scanned = 0;
};

/// Whether a raw header block (request line and fields, up to and including the empty line) may be parsed at all.
/// Beast joins folded lines, takes any number of Hosts and reads past a Transfer-Encoding that it does not know; a block
/// that two parsers could read in two ways is refused here (RFC 9112 §3, §5, §6: request smuggling). Pure.
[[nodiscard]] bool isCleanHeaderBlock(std::string_view block);

/// Whether fields of ours can be sent: names are tokens, values hold no control characters (they could end the field
/// and begin another one). Pure.
[[nodiscard]] bool areSendable(const core::HttpHeaders& headers);

/// tchar+ of RFC 9110 §5.6.2.
[[nodiscard]] bool isToken(std::string_view text);

} // namespace vivavoce::net
