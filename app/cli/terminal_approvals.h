#pragma once

#include "app/cli/options.h"
#include "core/ports/tool_approvals.h"

#include <QByteArray>
#include <QSocketNotifier>

#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>

namespace vivavoce::cli {

/// Answers for the person at the terminal: by asking them, one question after another, or as they have said beforehand. What was typed before a
/// question is no answer to it, and whoever closes standard input says no to the rest. Windows has no such question: there "ask" is "never".
/// Threads: the main thread. Lifetime: within that of the approvals, whose last follower it is.
class TerminalApprovals {
public:
    using Told = std::function<void(const core::ApprovalRequest&, core::Milliseconds expiresIn)>;
    struct Dependencies {
        core::ToolApprovals& approvals;
        const core::Clock& clock;
        ApproveMode mode = ApproveMode::Never;
        /// Each one that waits is told once, before it is answered.
        Told told;
        /// Where answers come from, and where questions go.
        int input = 0;
        std::FILE* output = stderr;
    };

    explicit TerminalApprovals(Dependencies dependencies);

    /// Ask where standard input is a terminal, otherwise never.
    [[nodiscard]] static ApproveMode defaultMode();

private:
    void changed();
    void ask(const core::ApprovalRequest& request);
    void read();
    void answer(const QByteArray& line);
    void stopAsking();

    Dependencies m_deps;
    std::set<std::string> m_told;
    /// The call that the question on the screen is about.
    std::string m_asked;
    bool m_isOnceOnly = false;
    QByteArray m_typed;
    std::unique_ptr<QSocketNotifier> m_reader;
};

} // namespace vivavoce::cli
