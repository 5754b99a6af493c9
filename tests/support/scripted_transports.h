#pragma once

#include "core/ports/transport.h"
#include "tests/support/scripted_session.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// Connections to a scripted provider without a network. What each side says comes to the other a little later, in order.
/// Threads: the executor's own. Lifetime: what it was made with outlives it, and it its transports.
class ScriptedTransports final : public core::TransportFactory {
public:
    /// Whether that credential opens the door.
    using Admits = std::function<bool(std::string_view)>;

    /// How a provider is heard over a connection.
    struct Mouth {
        std::function<void(std::string)> text;
        std::function<void(std::string)> binary;
        std::function<void(core::TransportClose)> hangUp;
    };
    /// What a provider does with a message.
    using Ear = std::function<void(std::string_view)>;
    using Provider = std::function<Ear(Mouth)>;

    ScriptedTransports(
        core::Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log, Admits admits);
    /// To another provider: called for each connection.
    ScriptedTransports(core::Executor& executor, Provider provider, Admits admits)
        : m_executor(executor), m_provider(std::move(provider)), m_admits(std::move(admits))
    {
    }

    [[nodiscard]] std::unique_ptr<core::Transport> create() override;

    /// The network takes all that is open away.
    void drop();
    [[nodiscard]] int open() const;
    int refused = 0;

private:
    class Wire;
    struct Line;

    core::Executor& m_executor;
    Provider m_provider;
    Admits m_admits;
    std::vector<std::weak_ptr<Line>> m_lines;
};

} // namespace vivavoce::tests
