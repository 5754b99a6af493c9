#pragma once

#include "core/base/clock.h"
#include "core/history/transcript_recorder.h"
#include "core/ports/conversation.h"
#include "core/ports/voice_controls.h"
#include "core/settings/live_settings.h"
#include "core/token/token_age.h"
#include "ui/conversation/approval_view_model.h"
#include "ui/conversation/model_note_view_model.h"
#include "ui/conversation/timer_view_model.h"
#include "ui/conversation/tool_model.h"
#include "ui/conversation/transcript_model.h"
#include "ui/conversation/usage_view_model.h"
#include "ui/style/error_text.h"

#include <QTimer>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::ui {

/// One conversation as people see it and act on it.
/// Invariant: levels are asked for only while a conversation runs.
class ConversationViewModel final : public QObject, private core::ConversationListener {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    Q_PROPERTY(vivavoce::ui::Voice voice READ voice NOTIFY stateChanged)
    Q_PROPERTY(QString stateText READ stateText NOTIFY stateChanged)
    /// A second, softer line: what to do next. Empty: nothing.
    Q_PROPERTY(QString hint READ hint NOTIFY stateChanged)
    /// The hint itself stops the reply when it is pressed.
    Q_PROPERTY(bool isHintToInterrupt READ isHintToInterrupt NOTIFY stateChanged)
    Q_PROPERTY(bool isRunning READ isRunning NOTIFY stateChanged)
    Q_PROPERTY(bool isLive READ isLive NOTIFY stateChanged)
    Q_PROPERTY(bool isMuted READ isMuted WRITE setMuted NOTIFY stateChanged)
    /// There is no microphone: nothing can be muted.
    Q_PROPERTY(bool isDeaf READ isDeaf NOTIFY stateChanged)
    Q_PROPERTY(bool isPushToTalk READ isPushToTalk NOTIFY stateChanged)
    Q_PROPERTY(bool isTalkHeld READ isTalkHeld WRITE setTalkHeld NOTIFY stateChanged)
    /// What is said and heard is being recorded.
    Q_PROPERTY(bool isRecording READ isRecording NOTIFY stateChanged)
    Q_PROPERTY(qreal userLevel READ userLevel NOTIFY levelsChanged)
    Q_PROPERTY(qreal agentLevel READ agentLevel NOTIFY levelsChanged)
    Q_PROPERTY(QString sessionTime READ sessionTime NOTIFY timeChanged)
    Q_PROPERTY(bool hasError READ hasError NOTIFY errorChanged)
    /// The words for the state tell the error already.
    Q_PROPERTY(bool isErrorInWords READ isErrorInWords NOTIFY errorChanged)
    Q_PROPERTY(QString errorSentence READ errorSentence NOTIFY errorChanged)
    Q_PROPERTY(QString errorActionLabel READ errorActionLabel NOTIFY errorChanged)
    Q_PROPERTY(vivavoce::ui::ErrorAction errorAction READ errorAction NOTIFY errorChanged)
    Q_PROPERTY(QString errorCode READ errorCode NOTIFY errorChanged)
    /// In a message, in characters as the field counts them.
    Q_PROPERTY(int longestMessage READ longestMessage CONSTANT)
    Q_PROPERTY(vivavoce::ui::TranscriptModel* transcript READ transcript CONSTANT)
    Q_PROPERTY(vivavoce::ui::ToolModel* tools READ tools CONSTANT)
    Q_PROPERTY(vivavoce::ui::ApprovalViewModel* approval READ approval CONSTANT)
    Q_PROPERTY(vivavoce::ui::TimerViewModel* timers READ timers CONSTANT)
    Q_PROPERTY(vivavoce::ui::ModelNoteViewModel* modelNote READ modelNote CONSTANT)
    Q_PROPERTY(vivavoce::ui::UsageViewModel* turnUsage READ turnUsage CONSTANT)
    Q_PROPERTY(vivavoce::ui::UsageViewModel* sessionUsage READ sessionUsage CONSTANT)
    Q_PROPERTY(bool hasToken READ hasToken NOTIFY tokenChanged)
    Q_PROPERTY(int secondsToRenewal READ secondsToRenewal NOTIFY timeChanged)
    Q_PROPERTY(int tokenLifetime READ tokenLifetime NOTIFY tokenChanged)
    Q_PROPERTY(int tokenRenewals READ tokenRenewals NOTIFY tokenChanged)
    Q_PROPERTY(QString modelName READ modelName NOTIFY tokenChanged)
    /// As the broker calls it.
    Q_PROPERTY(QString providerName READ providerName NOTIFY tokenChanged)
    Q_PROPERTY(bool isRelayed READ isRelayed NOTIFY tokenChanged)
    /// What it is for, with the broker; empty: no project was named.
    Q_PROPERTY(QString projectName READ projectName NOTIFY tokenChanged)
    /// What is said is kept by the project that the session is for.
    Q_PROPERTY(bool areWordsKept READ areWordsKept NOTIFY tokenChanged)

public:
    struct Dependencies {
        core::Conversation& conversation;
        core::VoiceControls& voice;
        const core::Clock& clock;
        core::LiveSettings& settings;
        /// Null: nothing is asked for.
        core::ToolApprovals* approvals = nullptr;
    };

    explicit ConversationViewModel(Dependencies dependencies, QObject* parent = nullptr);
    ~ConversationViewModel() override;

    /// A new conversation, with usage, tools and error of its own; the transcript goes on. Nothing where one runs; while
    /// one is closing, it starts at that one's end.
    Q_INVOKABLE void start();
    /// Ends the conversation, or takes back a start that still waits. Nothing where none runs.
    Q_INVOKABLE void stop();
    /// Sends a typed message, and starts a conversation for it where none runs. Blank text is not sent.
    Q_INVOKABLE void say(const QString& text);
    /// Stops the reply that is being spoken, and the tools that run for it.
    Q_INVOKABLE void interrupt();
    /// The error has been read: away with it, and after a failed conversation back to idle.
    Q_INVOKABLE void dismissError();
    /// Somebody has signed in: that nobody was known is over.
    void accountReady();
    /// Asks for a file for what was said, once somebody has said something.
    Q_INVOKABLE void exportTranscript();
    /// Something around the conversation does not work; it goes on. What is told already is not replaced, but for a recording that has failed where
    /// nothing is kept at all any more; the other one is told once somebody has read the first.
    void showProblem(const core::Error& error);
    /// All of the page, as far as it was heard.
    [[nodiscard]] core::Transcript said() const { return m_recorder.transcript(); }
    /// To the clipboard, for a report.
    Q_INVOKABLE void copyErrorCode() const;

    [[nodiscard]] Voice voice() const;
    [[nodiscard]] QString stateText() const;
    [[nodiscard]] QString hint() const;
    [[nodiscard]] bool isHintToInterrupt() const;
    [[nodiscard]] bool isRunning() const;
    [[nodiscard]] bool isLive() const { return m_phase == core::Phase::Live; }
    [[nodiscard]] bool isMuted() const { return m_isMuted; }
    void setMuted(bool isMuted);
    [[nodiscard]] bool isDeaf() const { return m_isDeaf && isRunning(); }
    [[nodiscard]] bool isPushToTalk() const;
    [[nodiscard]] bool isTalkHeld() const { return m_isTalkHeld; }
    void setTalkHeld(bool isHeld);
    [[nodiscard]] bool isRecording() const { return m_isRecording && isRunning(); }
    void setRecording(bool isRecording);
    [[nodiscard]] qreal userLevel() const { return m_userLevel; }
    [[nodiscard]] qreal agentLevel() const { return m_agentLevel; }
    [[nodiscard]] bool isMetering() const { return m_levelTimer.isActive(); }
    [[nodiscard]] QString sessionTime() const;
    [[nodiscard]] bool hasError() const { return m_error.has_value(); }
    [[nodiscard]] bool isErrorInWords() const;
    [[nodiscard]] QString errorSentence() const;
    [[nodiscard]] QString errorActionLabel() const;
    [[nodiscard]] ErrorAction errorAction() const;
    [[nodiscard]] QString errorCode() const;
    [[nodiscard]] static int longestMessage() { return 4'000; }
    [[nodiscard]] TranscriptModel* transcript() { return &m_transcript; }
    [[nodiscard]] ToolModel* tools() { return &m_tools; }
    [[nodiscard]] ApprovalViewModel* approval() { return &m_approval; }
    [[nodiscard]] TimerViewModel* timers() { return &m_timers; }
    [[nodiscard]] ModelNoteViewModel* modelNote() { return &m_modelNote; }
    [[nodiscard]] UsageViewModel* turnUsage() { return &m_turnUsage; }
    [[nodiscard]] UsageViewModel* sessionUsage() { return &m_sessionUsage; }
    [[nodiscard]] bool hasToken() const { return m_token.isKnown(); }
    [[nodiscard]] int secondsToRenewal() const;
    [[nodiscard]] int tokenLifetime() const;
    [[nodiscard]] int tokenRenewals() const { return m_token.renewals(); }
    [[nodiscard]] QString modelName() const { return QString::fromStdString(m_model); }
    [[nodiscard]] QString providerName() const { return QString::fromStdString(m_provider); }
    /// The sound goes through the broker.
    [[nodiscard]] bool isRelayed() const { return m_isRelayed; }
    [[nodiscard]] QString projectName() const { return QString::fromStdString(m_project); }
    [[nodiscard]] bool areWordsKept() const { return m_areWordsKept; }

Q_SIGNALS:
    void stateChanged();
    void levelsChanged();
    void timeChanged();
    void errorChanged();
    void tokenChanged();
    /// A broker has that provider answer, a server of that kind.
    void servedBy(const QString& provider, const QString& profile);
    void exportWanted();

private:
    /// Which one, and the address of the broker's.
    using Agent = std::pair<core::Profile, std::string>;

    void conversationTold(const core::SessionNotice& notice) override;
    void tellOf(const core::session_notice::PhaseChanged& changed);
    void tellOf(const core::session_notice::ActivityChanged& changed);
    void tellOf(const core::session_notice::TranscriptChanged& changed);
    void tellOf(const core::session_notice::TranscriptRemoved& removed);
    void tellOf(const core::session_notice::TokenChanged& changed);
    void tellOf(const core::session_notice::ToolCalled& called);
    void tellOf(const core::session_notice::ToolDone& done);
    void tellOf(const core::session_notice::ReplyUsage& used);
    void tellOf(const core::session_notice::TranscriptionUsage& used);
    void tellOf(const core::session_notice::ReplyStarted& started);
    void tellOf(const core::session_notice::AudioLost& lost);
    void tellOf(const core::session_notice::Problem& problem);
    void tellOf(const core::session_notice::SettingDiffers& differs) { m_modelNote.differs(differs); }
    void tellOf(const core::session_notice::ProblemSolved& solved);
    void tellOf(const core::session_notice::Ended& ended);
    template <typename Other>
    void tellOf(const Other&)
    {
    }

    /// The user wants nothing of the microphone to leave now.
    [[nodiscard]] bool isSilenced() const;
    void applyMute();
    void runTimers();
    void readLevels();
    void setError(std::optional<core::Error> error);
    /// Of what is shown; empty: nothing is.
    [[nodiscard]] ErrorText errorWords() const;
    /// What is shown is over; what else there is to tell takes its place.
    void errorSolved();
    /// The agent answers what was said.
    void answerBegins();
    /// The user has begun to say something else: it is counted anew.
    void beginTurn();
    /// Where none runs: where the next one will be.
    [[nodiscard]] const Agent& startedOn() const { return m_startedOn ? *m_startedOn : m_agent; }
    /// What went wrong elsewhere, or for another project, says nothing about what is talked to from now on.
    void followAgent(const core::Settings& settings);

    Dependencies m_deps;
    core::Phase m_phase = core::Phase::Idle;
    /// Where the running conversation is; the settings say where the next one will be.
    std::optional<Agent> m_startedOn;
    /// Where the next conversation will be, as last heard of.
    Agent m_agent;
    /// Of the running conversation, or else of the next one.
    std::string m_project;
    core::Activity m_activity = core::Activity::Listening;
    core::MonotonicTime m_retryAt;
    core::MonotonicTime m_startedAt;
    core::Milliseconds m_lasted{0};
    bool m_wasLive = false;
    /// Asked for while the last conversation was closing: it starts when that one has ended.
    bool m_isStartWanted = false;
    std::vector<std::string> m_wordsToSay;
    bool m_isMuted = false;
    bool m_isTalkHeld = false;
    /// Of the user's speech, and not told for long yet.
    core::Milliseconds m_lostSpeech{0};
    core::MonotonicTime m_lostAt;
    /// Somebody was heard when it was lost.
    bool m_wasSpeaking = false;
    /// There is no microphone.
    bool m_isDeaf = false;
    bool m_isRecording = false;
    /// There is no loudspeaker, and this is how that was told.
    std::optional<core::Error> m_noLoudspeaker;
    qreal m_userLevel = 0;
    qreal m_agentLevel = 0;
    std::optional<core::Error> m_error;
    /// It is of a conversation with the agent of this computer.
    bool m_isErrorHere = false;
    std::optional<core::Error> m_nextProblem;
    core::TokenAge m_token;
    /// The last notice was that there is no token; the problem right behind it is why.
    bool m_isTokenMissed = false;
    std::optional<core::Error> m_tokenProblem;
    std::string m_model;
    /// Empty: the agent of this computer.
    std::string m_provider;
    bool m_isRelayed = false;
    bool m_areWordsKept = false;
    TranscriptModel m_transcript;
    core::TranscriptRecorder m_recorder;
    ToolModel m_tools;
    ApprovalViewModel m_approval;
    TimerViewModel m_timers;
    ModelNoteViewModel m_modelNote;
    UsageViewModel m_turnUsage;
    bool m_isTurnAnswered = false;
    /// The last reply that began, and the one that the user's turn began after.
    std::string m_replyId;
    std::string m_replyBeforeTurn;
    UsageViewModel m_sessionUsage;
    QTimer m_levelTimer;
    QTimer m_secondTimer;
};

} // namespace vivavoce::ui
