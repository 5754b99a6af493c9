#include "core/base/secret.h"

#include "core/base/internal/secret_pages.h"

#include <cstring>
#include <utility>

namespace vivavoce::core {

Secret::Secret(std::string_view bytes)
{
    if (bytes.empty()) {
        return;
    }
    m_bytes = internal::allocateSecretPages(bytes.size());
    m_size = bytes.size();
    std::memcpy(m_bytes, bytes.data(), bytes.size());
}

Secret::~Secret()
{
    release();
}

Secret::Secret(Secret&& other) noexcept
    : m_bytes(std::exchange(other.m_bytes, nullptr)), m_size(std::exchange(other.m_size, 0))
{
}

Secret& Secret::operator=(Secret&& other) noexcept
{
    if (this != &other) {
        release();
        m_bytes = std::exchange(other.m_bytes, nullptr);
        m_size = std::exchange(other.m_size, 0);
    }
    return *this;
}

bool Secret::equals(std::string_view other) const noexcept
{
    if (other.size() != m_size) {
        return false;
    }
    unsigned difference = 0;
    for (std::size_t i = 0; i < m_size; ++i) {
        difference |= static_cast<unsigned char>(m_bytes[i] ^ other[i]);
    }
    return difference == 0;
}

void Secret::wipe(void* bytes, std::size_t size) noexcept
{
    auto* p = static_cast<volatile unsigned char*>(bytes);
    for (std::size_t i = 0; i < size; ++i) {
        p[i] = 0;
    }
}

void Secret::release() noexcept
{
    if (m_bytes != nullptr) {
        wipe(m_bytes, m_size);
        internal::freeSecretPages(m_bytes, m_size);
        m_bytes = nullptr;
        m_size = 0;
    }
}

} // namespace vivavoce::core
