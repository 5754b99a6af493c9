#pragma once

#include "core/base/secret.h"

#include <memory>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// The value of the field webhook-signature. Pure.
[[nodiscard]] std::string webhookSignature(
    const core::Secret& secret, const std::string& id, const std::string& timestamp, const std::string& body);

/// "whsec_" and base64 of 24 to 64 bytes, as Standard Webhooks writes secrets. Nothing for anything else.
[[nodiscard]] std::shared_ptr<const core::Secret> readWebhookSecret(std::string_view text);

} // namespace vivavoce::broker
