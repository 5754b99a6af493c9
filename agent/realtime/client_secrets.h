#pragma once

#include "core/protocol/openai/session_config.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::agent::realtime {

/// Ephemeral credentials ("ek_…") and the session settings that were minted with them. A secret may open several sessions until
/// it expires; expiry gates connecting only, as with OpenAI.
/// Invariant: only keyed hashes of the values are kept, at most kMaxLive of them; expired ones are forgotten when another is
/// minted, and minting is refused while kMaxLive live.
/// Threads: [any thread].
class ClientSecrets {
public:
    static constexpr std::size_t kMaxLive = 4'096;
    /// Longest request to mint one, which bounds the settings that are kept.
    static constexpr std::size_t kMaxRequestBytes = 64 * 1024;

    struct Minted {
        std::string value;
        /// Unix seconds.
        std::int64_t expiresAt = 0;
    };

    /// `now` answers Unix seconds.
    explicit ClientSecrets(std::function<std::int64_t()> now);
    ~ClientSecrets();

    /// Nothing: too many are alive.
    [[nodiscard]] std::optional<Minted> mint(std::int64_t lifeSeconds, core::openai::Session session);
    /// The settings of a live secret; nothing for any other value.
    [[nodiscard]] std::optional<core::openai::Session> sessionOf(std::string_view value) const;
    [[nodiscard]] std::size_t live() const;

private:
    using Hash = std::array<unsigned char, 32>;
    struct Entry {
        std::int64_t expiresAt = 0;
        core::openai::Session session;
    };
    [[nodiscard]] Hash hash(std::string_view value) const;

    const std::function<std::int64_t()> m_now;
    std::array<unsigned char, 32> m_key{};
    mutable std::mutex m_mutex;
    std::map<Hash, Entry> m_entries;
};

} // namespace vivavoce::agent::realtime
