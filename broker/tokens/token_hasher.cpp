#include "broker/tokens/token_hasher.h"

#include "core/base/base64.h"
#include "core/base/secret.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <cstdlib>

namespace vivavoce::broker {
namespace {

constexpr std::string_view kSessionPrefix = "voice_";
/// Of seconds since 1970, for long enough.
constexpr std::size_t kMostDigits = 12;
/// 128 bits, base64url.
constexpr std::size_t kRandomLetters = 22;

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

TokenHasher::TokenHasher(const core::Secret& secret)
{
    constexpr std::string_view kPurpose = "vivavoce token hashes";
    unsigned int size = 0;
    const void* const bytes = kPurpose.data();
    const auto* const done = HMAC(EVP_sha256(), secret.reveal().data(), static_cast<int>(secret.size()),
        static_cast<const unsigned char*>(bytes), kPurpose.size(), m_key.data(), &size);
    if (done == nullptr || size != m_key.size()) {
        std::abort();
    }
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

std::string hexOf(const TokenHash& hash)
{
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    text.reserve(2 * hash.size());
    for (const std::uint8_t byte : hash) {
        text += kDigits[byte >> 4U];
        text += kDigits[byte & 0xFU];
    }
    return text;
}

std::string randomId()
{
    std::array<std::uint8_t, 16> random{};
    fillRandom(random);
    return core::encodeBase64Url(random);
}

std::string makeSessionId(std::int64_t unixSeconds)
{
    return std::string(kSessionPrefix) + std::to_string(unixSeconds) + "_" + randomId();
}

bool isSessionId(std::string_view text)
{
    if (!text.starts_with(kSessionPrefix)) {
        return false;
    }
    text.remove_prefix(kSessionPrefix.size());
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    const auto isOfBase64 = [&](char c) {
        return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
    };
    const std::size_t digits = std::min(text.find('_'), text.size());
    const std::string_view random = text.substr(std::min(digits + 1, text.size()));
    return digits > 0 && digits <= kMostDigits && random.size() == kRandomLetters
        && std::all_of(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(digits), isDigit)
        && std::all_of(random.begin(), random.end(), isOfBase64);
}

} // namespace vivavoce::broker
