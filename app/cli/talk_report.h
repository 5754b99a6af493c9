#pragma once

#include "app/cli/json_lines.h"
#include "core/base/clock.h"
#include "core/ports/account.h"
#include "core/ports/tool_approvals.h"
#include "core/session/latency_meter.h"
#include "core/session/session_effect.h"
#include "core/tools/built_in_tools.h"
#include "core/tools/mcp_server.h"

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace vivavoce::cli {

/// Turns what a session says of itself into events, and sums up (docs/protocol.md lists them).
class TalkReport {
public:
    struct Dependencies {
        EventWriter& events;
        const core::Clock& clock;
        /// Our own agent answers, whatever its model is called: it costs nothing, and nobody shuts it down.
        bool isOwnAgent = false;
        /// That was asked for; empty: none.
        std::string voice{};
    };
    explicit TalkReport(Dependencies dependencies) : m_deps(std::move(dependencies)), m_events(m_deps.events) {}

    void tell(const core::SessionNotice& notice);
    void tell(const core::ReplyLatency& latency);
    /// What somebody who signs in has to do next, and who it was.
    void tell(const core::SignInStatus& status);
    void tell(const core::Error& error, bool isFatal);
    /// A function waits for a person's word, for so long.
    void tell(const core::ApprovalRequest& request, core::Milliseconds expiresIn);
    void tell(const core::TimerDue& timer);
    /// It can be asked, or never will be.
    void tell(const core::McpServer& server);
    /// A line about functions that are left out or not checked in full.
    void remark(const std::string& text);
    struct Ending {
        int exitCode = 0;
        int turns = 0;
        core::Milliseconds spoken{0};
        core::Milliseconds heard{0};
        std::string outFile;
        std::string transcriptFile;
    };
    void sumUp(const Ending& ending);

private:
    void tellOf(const core::session_notice::PhaseChanged& changed);
    void tellOf(const core::session_notice::ActivityChanged& changed);
    void tellOf(const core::session_notice::TranscriptChanged& changed);
    void tellOf(const core::session_notice::TranscriptRemoved& removed);
    void tellOf(const core::session_notice::TokenChanged& changed);
    void tellOf(const core::session_notice::ToolCalled& called);
    void tellOf(const core::session_notice::ToolDone& done);
    void tellOf(const core::session_notice::ReplyUsage& usage);
    void tellOf(const core::session_notice::TranscriptionUsage& usage);
    void tellOf(const core::session_notice::AudioLost& lost);
    void tellOf(const core::session_notice::Problem& problem) { tell(problem.error, false); }
    void tellOf(const core::session_notice::SettingDiffers& differs);
    void tellOf(const core::session_notice::ProblemSolved&) {}
    void tellOf(const core::session_notice::SpeechStopped&) {}
    void tellOf(const core::session_notice::ReplyStarted&) {}
    void tellOf(const core::session_notice::ReplyEnded&) {}
    void tellOf(const core::session_notice::Ended&) {}

    /// What there is to know of a model, or of a transcriber, before one relies on it. Once for each.
    void tellOfModel(const std::string& model);
    void tellOfVoice();

    Dependencies m_deps;
    EventWriter& m_events;
    std::string m_provider;
    /// Which kind of server that is.
    std::string m_profile;
    std::set<std::string> m_toldModels;
    bool m_isVoiceTold = false;
    bool m_isKeepingTold = false;
    std::int64_t m_inputTokens = 0;
    std::int64_t m_outputTokens = 0;
    core::Milliseconds m_lostAudio{0};
    int m_reconnects = 0;
    int m_toolCalls = 0;
    std::optional<core::Milliseconds> m_firstLatency;
    /// The agent's entry that was shown last.
    std::string m_lastSaidId;
};

} // namespace vivavoce::cli
