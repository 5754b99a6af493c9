#pragma once

#include <cstddef>

namespace vivavoce::core::internal {

/// Memory that is not swapped and not dumped, as far as the platform lets us; throws std::bad_alloc when there is none.
[[nodiscard]] char* allocateSecretPages(std::size_t size);
void freeSecretPages(char* pages, std::size_t size) noexcept;

} // namespace vivavoce::core::internal
