#pragma once

#include <tl/expected.hpp>

namespace vivavoce::core {

/// A value or a typed error. The library is a back-port of C++23's std::expected; when the oldest compiler has that,
/// this file becomes two aliases to it.
template <typename T, typename E>
using Expected = tl::expected<T, E>;

template <typename E>
using Unexpected = tl::unexpected<E>;

} // namespace vivavoce::core
