#pragma once

#include "app/cli/command_tools.h"
#include "app/cli/json_lines.h"
#include "app/cli/options.h"
#include "app/cli/recorded_voice_io.h"
#include "app/cli/reply_recording.h"
#include "app/cli/split_voice_io.h"
#include "app/cli/talk_report.h"
#include "app/cli/terminal_approvals.h"
#include "app/cli/turn_watch.h"
#include "app/embedded/embedded_services.h"
#include "app/platform/loopback_redirect.h"
#include "app/platform/private_files.h"
#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_websocket_transport.h"
#include "app/platform/sqlite_usage_book.h"
#include "app/platform/system_browser.h"
#include "audio/audio_engine.h"
#include "audio/dsp/wav_file.h"
#include "core/history/transcript_recorder.h"
#include "core/session/allowance_watch.h"
#include "core/session/session_runner.h"
#include "core/session/usage_reporter.h"
#include "core/sign_in/sign_in.h"
#include "core/token/broker_token_source.h"
#include "core/token/caching_token_source.h"
#include "core/token/deferred_token_source.h"
#include "core/tools/built_in_tools.h"
#include "core/tools/mcp_servers.h"
#include "core/tools/tool_box.h"
#include "core/usage/usage_keeper.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::cli {

/// One conversation from files, or through the devices: puts the parts together, watches for its end, tells what happened.
/// Threads: the main thread. Lifetime: `finished` is called exactly once, with the exit code.
class TalkCommand final : private core::SessionObserver {
public:
    TalkCommand(TalkOptions options, std::function<void(int exitCode)> finished);
    ~TalkCommand() override;

    void start();
    /// The user has had enough: the conversation ends as if it were through.
    void interrupt();

private:
    void sessionTold(const core::SessionNotice& notice) override;
    void replyTook(const core::ReplyLatency& latency) override;

    [[nodiscard]] core::Expected<void, core::Error> prepare();
    [[nodiscard]] core::VoiceIo& voice();
    void gatherTools();
    /// Tells of those that are new to it; whether none is still on its way.
    bool lookAtServers();
    void beginTalking(std::shared_ptr<core::CredentialSource> credential);
    void startServers();
    void signIn();
    void signInChanged(const core::SignInStatus& status);
    /// `credential` is for a broker that was named.
    void begin(std::shared_ptr<core::CredentialSource> credential);
    void converse();
    [[nodiscard]] core::Allowance allowance() const;
    void useBroker(const std::string& url, std::shared_ptr<core::CredentialSource> credential);
    [[nodiscard]] core::Expected<void, core::Error> checkDevices() const;
    [[nodiscard]] bool endsAConversation(core::ErrorCode code) const;
    /// The conversation goes on, or that was the reply's last chance.
    void goneWrong(const core::Error& error);
    void replyEnded(const core::session_notice::ReplyEnded& ended);
    /// Ends it as a user would, but for the error.
    void tooLate(const core::Error& error);
    void watch();
    void sayNextText();
    void end(std::optional<core::Error> error);
    [[nodiscard]] core::Expected<void, core::Error> writeTranscript(const core::Transcript& said);
    /// Once the broker knows what this came to, and the issuer that its user has gone; or both could have.
    void finish(int exitCode);

    TalkOptions m_options;
    std::function<void(int)> m_finished;
    core::SystemClock m_clock;
    platform::QtExecutor m_executor;
    EventWriter m_events;
    TalkReport m_report;
    core::TranscriptRecorder m_transcript;
    platform::PrivateFiles m_textFiles;
    TurnWatch m_turns;
    std::size_t m_nextText = 0;
    int m_repliesAtLastText = 0;
    std::optional<core::Error> m_endedBecause;
    std::optional<core::Error> m_lastProblem;
    bool m_isOver = false;
    /// The broker is shown nothing.
    bool m_isWithoutCredential = false;
    bool m_wasInputEndSeen = false;

    CommandTools m_commands;
    platform::SystemBrowser m_browser;
    core::BuiltInTools m_builtIn;
    core::McpServers m_mcp;
    std::map<std::string, core::McpServer::Stage> m_toldServers;
    std::unique_ptr<core::ToolBox> m_tools;
    std::unique_ptr<TerminalApprovals> m_approvals;
    std::optional<ReplyRecording> m_out;
    platform::QtHttpClient m_http;
    platform::QtWebSocketFactory m_transports;
    platform::LoopbackRedirect m_redirect;
    std::shared_ptr<core::SignIn> m_signIn;
    std::unique_ptr<embedded::EmbeddedServices> m_servers;
    std::unique_ptr<RecordedVoiceIo> m_files;
    std::unique_ptr<audio::AudioEngine> m_devices;
    std::shared_ptr<audio::DeviceWatch> m_deviceWatch;
    std::unique_ptr<SplitVoiceIo> m_split;
    std::unique_ptr<core::DeferredTokenSource> m_broker;
    std::unique_ptr<core::CachingTokenSource> m_tokens;
    std::unique_ptr<core::SessionRunner> m_session;
    std::unique_ptr<core::AllowanceWatch> m_allowance;
    /// With a broker that is not ours alone.
    std::unique_ptr<core::UsageReporter> m_usage;
    platform::SqliteUsageBook m_book{platform::SqliteUsageBook::defaultFolder()};
    /// Where the conversation is to be counted.
    std::unique_ptr<core::UsageKeeper> m_keeper;
    std::optional<core::MonotonicTime> m_endBy;
    core::MonotonicTime m_finishBy{};
    std::unique_ptr<core::Timer> m_watchTimer;
    std::unique_ptr<core::Timer> m_deadline;
};

} // namespace vivavoce::cli
