#include "broker/auth/hmac_key.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <cstdlib>
#include <string>

namespace vivavoce::broker::auth {
namespace {

const unsigned char* bytesOf(std::string_view text)
{
    const void* const bytes = text.data();
    return static_cast<const unsigned char*>(bytes);
}

struct FreeContext {
    void operator()(EVP_MAC_CTX* context) const { EVP_MAC_CTX_free(context); }
};

} // namespace

HmacKey::HmacKey(std::string_view key)
{
    const std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> algorithm(
        EVP_MAC_fetch(nullptr, "HMAC", nullptr), &EVP_MAC_free);
    m_ready = std::shared_ptr<EVP_MAC_CTX>(EVP_MAC_CTX_new(algorithm.get()), FreeContext());
    std::string digest = "SHA256";
    const std::array parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), 0), OSSL_PARAM_construct_end()};
    // Without it no token could be told from another: there is nothing sensible to go on with.
    if (!m_ready || EVP_MAC_init(m_ready.get(), bytesOf(key), key.size(), parameters.data()) != 1) {
        std::abort();
    }
}

HmacKey::Digest HmacKey::digest(std::string_view message) const
{
    const std::unique_ptr<EVP_MAC_CTX, FreeContext> context(EVP_MAC_CTX_dup(m_ready.get()));
    Digest digest{};
    std::size_t size = 0;
    if (!context || EVP_MAC_update(context.get(), bytesOf(message), message.size()) != 1
        || EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) != 1 || size != digest.size()) {
        std::abort();
    }
    return digest;
}

} // namespace vivavoce::broker::auth
