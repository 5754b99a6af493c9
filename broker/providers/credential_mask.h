#pragma once

#include "core/base/secret.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// A credential that is shown to a provider, hidden in what it says: overwritten with as many asterisks.
/// Found as it is, and with any of its characters escaped as JSON has it; not in another encoding, nor where it is split over two messages.
/// Immutable. [any thread]
class CredentialMask {
public:
    /// Shorter ones may be words that are said for other reasons: nobody looks for them.
    static constexpr std::size_t kShortest = 16;

    /// Keeps a copy. Never null.
    [[nodiscard]] static std::shared_ptr<const CredentialMask> of(std::string_view credential);

    explicit CredentialMask(core::Secret credential);
    CredentialMask(const CredentialMask&) = delete;
    CredentialMask& operator=(const CredentialMask&) = delete;
    [[nodiscard]] bool isOf(std::string_view credential) const { return m_credential.equals(credential); }
    /// In a message. Whether it was there.
    [[nodiscard]] bool hide(std::string& text) const;
    /// The same of a close frame's reason, which may have been cut in its middle.
    [[nodiscard]] bool hideInReason(std::string& reason) const;

private:
    const core::Secret m_credential;
    /// Nothing: too short to be looked for.
    std::optional<std::boyer_moore_horspool_searcher<const char*>> m_searcher;
};

} // namespace vivavoce::broker
