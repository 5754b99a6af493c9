#include "broker/tokens/successor_seal.h"

#include "core/base/base64.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <memory>
#include <vector>

namespace vivavoce::broker {
namespace {

constexpr std::size_t kNonce = 12;
constexpr std::size_t kTag = 16;

using Context = std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)>;

Context makeContext()
{
    return {EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free};
}

/// OpenSSL fails here only for want of memory or random bytes; going on would hand out something that is not sealed.
void require(bool isDone)
{
    if (!isDone) {
        std::abort();
    }
}

const unsigned char* bytesOf(std::string_view text)
{
    const void* const bytes = text.data();
    return static_cast<const unsigned char*>(bytes);
}

void wipe(TokenHashes& keys)
{
    for (TokenHash& key : keys) {
        core::Secret::wipe(key.data(), key.size());
    }
}

} // namespace

TokenHashes SuccessorSeal::keysOf(std::string_view spent) const
{
    std::string purpose("successor of ");
    purpose += spent;
    TokenHashes keys = m_hasher.hashes(purpose);
    core::wipeString(purpose);
    return keys;
}

std::string SuccessorSeal::seal(std::string_view spent, const core::Secret& successor) const
{
    TokenHashes keys = keysOf(spent);
    const TokenHash& key = keys.front();
    std::vector<std::uint8_t> out(kNonce + successor.size() + kTag);
    require(RAND_bytes(out.data(), static_cast<int>(kNonce)) == 1);
    const Context context = makeContext();
    require(context != nullptr);
    int size = 0;
    require(EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), out.data()) == 1);
    require(EVP_EncryptUpdate(context.get(), out.data() + kNonce, &size, bytesOf(successor.reveal()),
                static_cast<int>(successor.size()))
        == 1);
    require(EVP_EncryptFinal_ex(context.get(), out.data() + kNonce + size, &size) == 1);
    require(EVP_CIPHER_CTX_ctrl(
                context.get(), EVP_CTRL_GCM_GET_TAG, static_cast<int>(kTag), out.data() + kNonce + successor.size())
        == 1);
    wipe(keys);
    return core::encodeBase64Url(out);
}

std::optional<core::Secret> SuccessorSeal::open(std::string_view spent, std::string_view sealed) const
{
    TokenHashes keys = keysOf(spent);
    std::optional<core::Secret> token;
    for (const TokenHash& key : keys) {
        if (!token) {
            token = openWith(key, sealed);
        }
    }
    wipe(keys);
    return token;
}

std::optional<core::Secret> SuccessorSeal::openWith(const TokenHash& key, std::string_view sealed)
{
    auto bytes = core::decodeBase64Url(sealed);
    if (!bytes || bytes->size() <= kNonce + kTag) {
        return std::nullopt;
    }
    const std::size_t length = bytes->size() - kNonce - kTag;
    std::string plain(length, '\0');
    void* const target = plain.data();
    const Context context = makeContext();
    require(context != nullptr);
    int size = 0;
    require(EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.data(), bytes->data()) == 1);
    require(EVP_DecryptUpdate(context.get(), static_cast<unsigned char*>(target), &size, bytes->data() + kNonce,
                static_cast<int>(length))
        == 1);
    require(EVP_CIPHER_CTX_ctrl(
                context.get(), EVP_CTRL_GCM_SET_TAG, static_cast<int>(kTag), bytes->data() + kNonce + length)
        == 1);
    std::array<unsigned char, kTag> rest{};
    const bool isGenuine = EVP_DecryptFinal_ex(context.get(), rest.data(), &size) == 1;
    std::optional<core::Secret> token;
    if (isGenuine) {
        token.emplace(plain);
    }
    core::wipeString(plain);
    return token;
}

} // namespace vivavoce::broker
