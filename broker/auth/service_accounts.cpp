#include "broker/auth/service_accounts.h"

#include "broker/auth/issuer.h"
#include "core/base/base64.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <stdexcept>

namespace vivavoce::broker::auth {
namespace {

constexpr std::string_view kPrefix = "vvs_";
constexpr std::string_view kHashPrefix = "sha256:";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kLongestName = 64;

KeyHash hashOf(std::string_view key)
{
    KeyHash hash{};
    const void* const bytes = key.data();
    SHA256(static_cast<const unsigned char*>(bytes), key.size(), hash.data());
    return hash;
}

int digitOf(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

} // namespace

bool isServiceName(std::string_view name)
{
    return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

NewServiceKey makeServiceKey(std::string_view name)
{
    core::Bytes random(kSecretBytes);
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) {
        throw std::runtime_error("the system gives no random numbers");
    }
    std::string text = std::string(kPrefix) + std::string(name) + "_" + core::encodeBase64Url(random);
    core::Secret::wipe(random.data(), random.size());
    NewServiceKey made{core::Secret(text), hashOf(text)};
    core::wipeString(text);
    return made;
}

std::string writeKeyHash(const KeyHash& hash)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text(kHashPrefix);
    for (const std::uint8_t byte : hash) {
        text += {digits[byte >> 4U], digits[byte & 0xFU]};
    }
    return text;
}

std::optional<KeyHash> readKeyHash(std::string_view text)
{
    KeyHash hash{};
    if (!text.starts_with(kHashPrefix) || text.size() != kHashPrefix.size() + 2 * hash.size()) {
        return std::nullopt;
    }
    text.remove_prefix(kHashPrefix.size());
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const int high = digitOf(text[2 * i]);
        const int low = digitOf(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        hash.at(i) = static_cast<std::uint8_t>(high * 16 + low);
    }
    return hash;
}

bool ServiceAccounts::isKey(std::string_view token)
{
    return token.starts_with(kPrefix);
}

core::Expected<Caller, Refusal> ServiceAccounts::authenticate(std::string_view token) const
{
    const KeyHash hash = hashOf(token);
    const ServiceAccount* found = nullptr;
    for (const ServiceAccount& account : m_accounts) {
        // All of them, always: the time tells nothing about which one it was.
        if (CRYPTO_memcmp(account.keyHash.data(), hash.data(), hash.size()) == 0) {
            found = &account;
        }
    }
    if (found == nullptr) {
        return core::Unexpected<Refusal>(Refusal{refusalOf(JwtFault::BadSignature).fault, "unknown_service_key"});
    }
    Caller caller;
    caller.kind = Caller::Kind::Service;
    caller.subject = found->name;
    caller.scopes = found->scopes;
    caller.projects = found->projects;
    return caller;
}

} // namespace vivavoce::broker::auth
