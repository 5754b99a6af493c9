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

} // namespace

TokenHash SuccessorSeal::keyOf(std::string_view spent) const
{
    std::string purpose("successor of ");
    purpose += spent;
    const TokenHash key = m_hasher.hash(purpose);
    core::wipeString(purpose);
    return key;
}

std::string SuccessorSeal::seal(std::string_view spent, const core::Secret& successor) const
{
    TokenHash key = keyOf(spent);
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
    core::Secret::wipe(key.data(), key.size());
    return core::encodeBase64Url(out);
}

std::optional<core::Secret> SuccessorSeal::open(std::string_view spent, std::string_view sealed) const
{
    auto bytes = core::decodeBase64Url(sealed);
    if (!bytes || bytes->size() <= kNonce + kTag) {
        return std::nullopt;
    }
    TokenHash key = keyOf(spent);
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
    core::Secret::wipe(key.data(), key.size());
    std::optional<core::Secret> token;
    if (isGenuine) {
        token.emplace(plain);
    }
    core::wipeString(plain);
    return token;
}

} // namespace vivavoce::broker
