#pragma once

#include "broker/fault.h"
#include "core/base/clock.h"
#include "core/base/json.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::auth {

/// What a caller may do. Each route names one (docs/protocol.md).
namespace scope {
inline constexpr std::string_view kMint = "voice:mint";
inline constexpr std::string_view kSession = "voice:session";
inline constexpr std::string_view kAdmin = "voice:admin";
} // namespace scope

/// Who is calling, once that is certain.
struct Caller {
    enum class Kind {
        /// The app that started this broker.
        Embedded,
        /// A program of the operator's.
        Service,
        /// Somebody whom an issuer vouches for.
        User,
    };

    Kind kind = Kind::User;
    /// Empty for callers that we know ourselves.
    std::string issuer;
    std::string subject;
    std::vector<std::string> scopes;
    /// The projects that the credential names.
    std::vector<std::string> projects;
    /// What the issuer says about them; empty for others.
    std::shared_ptr<const core::Json> claims;
    /// From then on the credential is refused; nothing: it has no end.
    std::optional<core::WallTime> expiresAt;

    /// Different for different callers, whatever their names are made of: a user is issuer and subject together, never an address.
    [[nodiscard]] std::string key() const;
    [[nodiscard]] bool may(std::string_view scope) const;
};

/// Whether that is what Caller::key() gives for somebody whom an issuer vouches for, or a service account.
[[nodiscard]] bool isCallerKey(std::string_view text);

/// Why somebody is not let in: what they are told, and what only the operator is.
struct Refusal {
    Fault fault;
    /// For log and audit: one of a few fixed words, never a part of the token.
    std::string_view reason;
};

} // namespace vivavoce::broker::auth
