#pragma once

#include <cstddef>

namespace vivavoce::core::internal {

/// Pages of its own that are not swapped and not dumped, as far as the platform lets us; throws std::bad_alloc when there are none.
[[nodiscard]] char* allocateSecretPages(std::size_t size);
/// They have been overwritten; some are kept for the next secret.
void freeSecretPages(char* pages, std::size_t size) noexcept;

} // namespace vivavoce::core::internal
