#pragma once

#include "core/base/error.h"
#include "core/base/secret.h"
#include "net/http_client.h"

#include <string>
#include <string_view>

namespace vivavoce::broker {

/// What an answer means that is no token: by its status, for what providers say beside it has no common form. A 429 is a RateLimited.
[[nodiscard]] core::Error errorOfAnswer(const net::ClientResponse& response);

/// Whether it can go into a header of the client's, whose lines it would end otherwise, and does not hold the key that it was minted with; else
/// what is wrong with it.
[[nodiscard]] core::Expected<void, core::Error> checkMinted(const core::Secret& token, std::string_view key);

/// Who has no list of models, or finds that we ask too often, is there and says nothing of our key.
[[nodiscard]] core::Expected<void, core::Error> answerOfProbe(unsigned status, core::Error error);

} // namespace vivavoce::broker
