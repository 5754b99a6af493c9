#include "broker/limits/internal/caller_pseudonyms.h"

#include "core/base/base64.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <memory>
#include <span>

namespace vivavoce::broker {
namespace {

constexpr int kNonceBytes = 12;
constexpr int kTagBytes = 16;
constexpr std::size_t kPseudonymBytes = 16;

struct CipherFree {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, CipherFree>;

const std::uint8_t* bytesOf(std::string_view text)
{
    const void* const bytes = text.data();
    return static_cast<const std::uint8_t*>(bytes);
}

std::array<std::uint8_t, 32> hmac(std::span<const std::uint8_t> key, std::string_view text)
{
    std::array<std::uint8_t, 32> result{};
    unsigned int size = 0;
    const auto* const done =
        HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytesOf(text), text.size(), result.data(), &size);
    // Without it every caller would have the same name.
    if (done == nullptr || size != result.size()) {
        std::abort();
    }
    return result;
}

} // namespace

CallerPseudonyms::CallerPseudonyms(const core::Secret& key)
{
    const std::span<const std::uint8_t> bytes(bytesOf(key.reveal()), key.size());
    m_nameKey = hmac(bytes, "vivavoce limits: names");
    m_sealKey = hmac(bytes, "vivavoce limits: seal");
}

CallerPseudonyms::~CallerPseudonyms()
{
    core::Secret::wipe(m_nameKey.data(), m_nameKey.size());
    core::Secret::wipe(m_sealKey.data(), m_sealKey.size());
}

std::string CallerPseudonyms::of(std::string_view purpose, std::string_view name) const
{
    std::string text(purpose);
    text += '\0';
    text += name;
    const auto hash = hmac(m_nameKey, text);
    return core::encodeBase64Url(std::span(hash).first(kPseudonymBytes));
}

std::string CallerPseudonyms::seal(std::string_view name) const
{
    core::Bytes sealed(kNonceBytes + name.size() + kTagBytes);
    std::uint8_t* const text = sealed.data() + kNonceBytes;
    const Cipher cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool isDone = RAND_bytes(sealed.data(), kNonceBytes) == 1 && cipher
        && EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, m_sealKey.data(), sealed.data()) == 1
        && EVP_EncryptUpdate(cipher.get(), text, &size, bytesOf(name), static_cast<int>(name.size())) == 1
        && EVP_EncryptFinal_ex(cipher.get(), text + size, &size) == 1
        && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, text + name.size()) == 1;
    if (!isDone) {
        std::abort();
    }
    return core::encodeBase64Url(sealed);
}

std::optional<std::string> CallerPseudonyms::unseal(std::string_view sealed) const
{
    auto bytes = core::decodeBase64Url(sealed);
    if (!bytes || bytes->size() < kNonceBytes + kTagBytes) {
        return std::nullopt;
    }
    const std::size_t length = bytes->size() - kNonceBytes - kTagBytes;
    std::uint8_t* const text = bytes->data() + kNonceBytes;
    core::Bytes name(length + 1);
    const Cipher cipher(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool isDone = cipher
        && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, m_sealKey.data(), bytes->data()) == 1
        && EVP_DecryptUpdate(cipher.get(), name.data(), &size, text, static_cast<int>(length)) == 1
        && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, text + length) == 1
        && EVP_DecryptFinal_ex(cipher.get(), name.data() + size, &size) == 1;
    if (!isDone) {
        return std::nullopt;
    }
    return std::string(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(length));
}

} // namespace vivavoce::broker
