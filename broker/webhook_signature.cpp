#include "broker/webhook_signature.h"

#include "core/base/base64.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace vivavoce::broker {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::size_t kShortestSecret = 24;
constexpr std::size_t kLongestSecret = 64;

} // namespace

std::string webhookSignature(
    const core::Secret& secret, const std::string& id, const std::string& timestamp, const std::string& body)
{
    const std::string content = id + "." + timestamp + "." + body;
    std::array<std::uint8_t, 32> bytes{};
    unsigned int size = 0;
    const void* const text = content.data();
    const auto* const done = HMAC(EVP_sha256(), secret.reveal().data(), static_cast<int>(secret.size()),
        static_cast<const unsigned char*>(text), content.size(), bytes.data(), &size);
    if (done == nullptr || size != bytes.size()) {
        std::abort();
    }
    return "v1," + core::encodeBase64(bytes);
}

std::shared_ptr<const core::Secret> readWebhookSecret(std::string_view text)
{
    if (!text.starts_with(kSecretPrefix)) {
        return nullptr;
    }
    auto bytes = core::decodeBase64(text.substr(kSecretPrefix.size()));
    if (!bytes || bytes->size() < kShortestSecret || bytes->size() > kLongestSecret) {
        return nullptr;
    }
    const void* const raw = bytes->data();
    auto secret = std::make_shared<const core::Secret>(std::string_view(static_cast<const char*>(raw), bytes->size()));
    core::Secret::wipe(bytes->data(), bytes->size());
    return secret;
}

} // namespace vivavoce::broker
