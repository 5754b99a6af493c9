#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <string>
#include <string_view>

namespace vivavoce::broker::auth {

/// What an issuer says of itself (OpenID Connect Discovery 1.0 §3, RFC 8414 §2), as far as we use it.
struct IssuerMetadata {
    std::string keysUrl;
    /// RFC 7662; empty where it has none.
    std::string introspectionUrl;
};

/// Where the metadata are (Discovery §4.1): the path is appended to the issuer.
[[nodiscard]] std::string metadataUrl(std::string_view issuer);

/// Pure. ProviderMalformed: not the right JSON, another issuer than `issuer` (letter for letter, Discovery §4.3), or a URL that is
/// neither https nor on this computer.
[[nodiscard]] core::Expected<IssuerMetadata, core::Error> readIssuerMetadata(
    std::string_view issuer, std::string_view document);

} // namespace vivavoce::broker::auth
