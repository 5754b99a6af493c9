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

    ScriptedTransports(
        core::Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log, Admits admits)
        : m_executor(executor), m_options(options), m_log(log), m_admits(std::move(admits))
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
    ScriptedProviderOptions m_options;
    ScriptedProviderLog& m_log;
    Admits m_admits;
    std::vector<std::weak_ptr<Line>> m_lines;
};

} // namespace vivavoce::tests
