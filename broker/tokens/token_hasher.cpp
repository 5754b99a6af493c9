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

TokenHash hmac(std::string_view key, std::string_view text)
{
    TokenHash result{};
    unsigned int size = 0;
    const void* const bytes = text.data();
    const auto* const done = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
        static_cast<const unsigned char*>(bytes), text.size(), result.data(), &size);
    if (done == nullptr || size != result.size()) {
        std::abort();
    }
    return result;
}

TokenHash hmac(const std::array<std::uint8_t, 32>& key, std::string_view text)
{
    const void* const bytes = key.data();
    return hmac(std::string_view(static_cast<const char*>(bytes), key.size()), text);
}

std::array<std::uint8_t, 32> keyOf(const core::Secret& secret)
{
    return hmac(secret.reveal(), "vivavoce token hashes");
}

} // namespace

TokenHasher::TokenHasher()
{
    fillRandom(m_key);
}

TokenHasher::TokenHasher(const core::Secret& secret) : m_key(keyOf(secret)) {}

TokenHasher::TokenHasher(const TokenHasher& present, const core::Secret& former) : m_key(present.m_key)
{
    if (!former.empty()) {
        m_formerKey = keyOf(former);
    }
}

TokenHasher::~TokenHasher()
{
    core::Secret::wipe(m_key.data(), m_key.size());
    if (m_formerKey) {
        core::Secret::wipe(m_formerKey->data(), m_formerKey->size());
    }
}

TokenHash TokenHasher::hash(std::string_view token) const
{
    return hmac(m_key, token);
}

TokenHashes TokenHasher::hashes(std::string_view token) const
{
    TokenHashes all{hash(token)};
    if (m_formerKey) {
        all.push_back(hmac(*m_formerKey, token));
    }
    return all;
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
