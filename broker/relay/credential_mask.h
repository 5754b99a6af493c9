#pragma once

#include "core/base/secret.h"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// Credentials that are shown to a provider, hidden in what it says: each is overwritten with as many asterisks.
/// Found as it is, and with any of its characters escaped as JSON has it; not in another encoding, nor where it is split over two messages.
/// Threads: [any thread], once nothing more is added.
class CredentialMask {
public:
    /// Shorter ones may be words that are said for other reasons: nobody looks for them.
    static constexpr std::size_t kShortest = 16;

    /// Lifetime: the bytes outlive what is hidden.
    void add(std::string_view credential);
    void add(core::Secret credential);
    /// In a message. Whether there was one.
    [[nodiscard]] bool hide(std::string& text) const;
    /// The same of a close frame's reason, which may have been cut in the middle of one.
    [[nodiscard]] bool hideInReason(std::string& reason) const;

private:
    struct Needle {
        explicit Needle(std::string_view what) : text(what), searcher(what.data(), what.data() + what.size()) {}
        std::string_view text;
        std::boyer_moore_horspool_searcher<const char*> searcher;
    };

    std::vector<core::Secret> m_owned;
    std::vector<Needle> m_needles;
};

} // namespace vivavoce::broker::relay
