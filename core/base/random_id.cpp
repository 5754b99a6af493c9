#include "core/base/random_id.h"

#include "core/base/base64.h"

#include <array>
#include <cstdint>
#include <random>

namespace vivavoce::core {

std::string randomId()
{
    // On every platform that we build for, random_device draws from the system's cryptographic source.
    // Kept: some ask the processor what it can do each time they are made, which a virtual machine takes long to answer.
    static thread_local std::random_device source;
    std::array<std::uint8_t, 16> bytes{};
    for (std::size_t i = 0; i < bytes.size(); i += 4) {
        const std::uint32_t word = source();
        for (std::size_t k = 0; k < 4; ++k) {
            bytes[i + k] = static_cast<std::uint8_t>(word >> (8 * k));
        }
    }
    return encodeBase64Url(bytes);
}

} // namespace vivavoce::core
