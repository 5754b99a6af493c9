#include "broker/tokens/token_hasher.h"

#include "core/base/base64.h"
#include "core/base/secret.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>

namespace vivavoce::broker {
namespace {

template <std::size_t Size>
void fillRandom(std::array<std::uint8_t, Size>& bytes)
{
    // Without random bytes every id could be guessed: there is nothing sensible to go on with.
    if (RAND_bytes(bytes.data(), static_cast<int>(Size)) != 1) {
        std::abort();
    }
}

} // namespace

TokenHasher::TokenHasher()
{
    fillRandom(m_key);
}

TokenHasher::~TokenHasher()
{
    core::Secret::wipe(m_key.data(), m_key.size());
}

TokenHash TokenHasher::hash(std::string_view token) const
{
    TokenHash result{};
    unsigned int size = 0;
    const void* const bytes = token.data();
    const auto* const done = HMAC(EVP_sha256(), m_key.data(), static_cast<int>(m_key.size()),
        static_cast<const unsigned char*>(bytes), token.size(), result.data(), &size);
    if (done == nullptr || size != result.size()) {
        std::abort();
    }
    return result;
}

std::string makeSessionId(std::int64_t unixSeconds)
{
    std::array<std::uint8_t, 16> random{};
    fillRandom(random);
    return "voice_" + std::to_string(unixSeconds) + "_" + core::encodeBase64Url(random);
}

} // namespace vivavoce::broker
