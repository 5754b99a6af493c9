#pragma once

#include <string_view>

namespace vivavoce::net {

/// Whether a raw header block (request line and fields, up to and including the empty line) may be parsed at all.
/// Beast joins folded lines and takes any number of Hosts; a block that two parsers could read in two ways is refused here
/// (RFC 9112 §3.2, §5.2, §6.1: request smuggling). Pure.
[[nodiscard]] bool isCleanHeaderBlock(std::string_view block);

} // namespace vivavoce::net
