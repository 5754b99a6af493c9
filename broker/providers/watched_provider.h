#pragma once

#include "broker/log.h"
#include "broker/metrics.h"
#include "broker/providers/provider.h"

#include <cstdint>
#include <mutex>

namespace vivavoce::broker {

/// A provider whose answers are counted, and of which it is known how it does also while nobody wants a token: then it is probed, as
/// long as somebody wants to know.
/// Threads: [any thread]; no lock is held while the provider is asked. Lifetime: what it is made of outlives it.
class WatchedProvider final : public Provider {
public:
    struct Settings {
        /// Between two probes, and from a mint to the next probe.
        core::Milliseconds quiet{30'000};
        /// For how long whoever asked how it does counts as wanting to know.
        core::Milliseconds interest{90'000};
    };
    struct Dependencies {
        Provider& provider;
        Metrics& metrics;
        const core::Clock& clock;
        Log& log;
    };

    WatchedProvider(Settings settings, Dependencies dependencies) : m_settings(settings), m_deps(dependencies) {}

    [[nodiscard]] const std::string& name() const override { return m_deps.provider.name(); }
    [[nodiscard]] const std::string& defaultModel() const override { return m_deps.provider.defaultModel(); }
    [[nodiscard]] bool serves(const std::string& model) const override { return m_deps.provider.serves(model); }
    [[nodiscard]] std::vector<std::string> models() const override { return m_deps.provider.models(); }
    [[nodiscard]] core::broker::ConnectInfo connect(const std::string& model) const override
    {
        return m_deps.provider.connect(model);
    }
    [[nodiscard]] bool pins() const override { return m_deps.provider.pins(); }
    [[nodiscard]] std::shared_ptr<const CredentialMask> mask() const override { return m_deps.provider.mask(); }
    [[nodiscard]] std::optional<core::Milliseconds> handshakePatience() const override
    {
        return m_deps.provider.handshakePatience();
    }
    [[nodiscard]] net::Awaitable<core::Expected<MintedToken, core::Error>> mint(const MintOrder& order) override;
    [[nodiscard]] net::Awaitable<core::Expected<net::WebSocketRequest, core::Error>> opening(
        const MintOrder& order) override
    {
        return m_deps.provider.opening(order);
    }
    [[nodiscard]] net::Awaitable<core::Expected<void, core::Error>> probe() override { return m_deps.provider.probe(); }

    /// How it answered last; nothing until it was asked. Asks nobody now, but sees to it that the next answer is a fresh one.
    [[nodiscard]] std::optional<bool> isFine();
    /// The same, without wanting to know it in future.
    [[nodiscard]] std::optional<bool> lastKnown() const
    {
        const std::lock_guard lock(m_mutex);
        return m_isFine;
    }
    /// Probes it where that is due. To be called about every second.
    [[nodiscard]] net::Awaitable<> probeIfDue();

private:
    /// How many mints there were, where it is to be probed now; then nobody else does.
    [[nodiscard]] std::optional<std::uint64_t> takeTurn();

    const Settings m_settings;
    const Dependencies m_deps;
    mutable std::mutex m_mutex;
    std::optional<bool> m_isFine;
    /// What went wrong is nothing that a probe looks at: only a mint shows that it is over.
    bool m_takesAMint = false;
    std::uint64_t m_mints = 0;
    std::optional<core::MonotonicTime> m_wantedAt;
    std::optional<core::MonotonicTime> m_askedAt;
};

} // namespace vivavoce::broker
