#include "broker/tokens/token_hasher.h"

#include "core/base/base64.h"
#include "core/base/secret.h"

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

auth::HmacKey keyOf(std::array<std::uint8_t, 32> bytes)
{
    const void* const data = bytes.data();
    auth::HmacKey key(std::string_view(static_cast<const char*>(data), bytes.size()));
    core::Secret::wipe(bytes.data(), bytes.size());
    return key;
}

/// One of its own, so that what tokens are known by is no signature of theirs.
auth::HmacKey keyOf(const core::Secret& secret)
{
    return keyOf(auth::HmacKey(secret.reveal()).digest("vivavoce token hashes"));
}

auth::HmacKey randomKey()
{
    std::array<std::uint8_t, 32> bytes{};
    fillRandom(bytes);
    return keyOf(bytes);
}

} // namespace

TokenHasher::TokenHasher() : m_key(randomKey()) {}

TokenHasher::TokenHasher(const core::Secret& secret) : m_key(keyOf(secret)) {}

TokenHasher::TokenHasher(const TokenHasher& present, const core::Secret& former) : m_key(present.m_key)
{
    if (!former.empty()) {
        m_formerKey = keyOf(former);
    }
}

TokenHash TokenHasher::hash(std::string_view token) const
{
    return m_key.digest(token);
}

TokenHashes TokenHasher::hashes(std::string_view token) const
{
    TokenHashes all{hash(token)};
    if (m_formerKey) {
        all.push_back(m_formerKey->digest(token));
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
