#include "ui/conversation/conversation_view_model.h"

#include <QClipboard>
#include <QGuiApplication>

#include <algorithm>
#include <cmath>
#include <utility>

namespace vivavoce::ui {
namespace {

using core::Activity;
using core::Phase;

constexpr std::chrono::milliseconds kLevelInterval{33};
constexpr std::chrono::milliseconds kSecond{1'000};
/// For reading a line that goes away by itself.
constexpr std::chrono::seconds kNoteShown{10};
/// Nobody says anything in less: devices that are opened anew take as long.
constexpr core::Milliseconds kShortestSpeech{300};
/// Below it a room is quiet; speech peaks between −30 and −6.
constexpr double kQuietDbfs = -48;
constexpr double kLoudDbfs = -6;

qreal levelOf(double dbfs)
{
    return std::clamp((dbfs - kQuietDbfs) / (kLoudDbfs - kQuietDbfs), 0.0, 1.0);
}

/// The agent of this computer knows no projects.
std::string projectFor(const core::Settings& settings)
{
    return settings.profile == core::Profile::Broker ? core::projectOf(settings) : std::string();
}

/// Rounded up: "0 s" is never shown while there is something to wait for.
int secondsOf(core::Milliseconds time)
{
    return static_cast<int>((std::max(time, core::Milliseconds{0}).count() + 999) / 1000);
}

} // namespace

ConversationViewModel::ConversationViewModel(Dependencies dependencies, QObject* parent)
    : QObject(parent),
      m_deps(dependencies),
      m_recorder(dependencies.clock),
      m_approval(dependencies.approvals, dependencies.clock)
{
    m_levelTimer.setInterval(kLevelInterval);
    m_secondTimer.setInterval(kSecond);
    connect(&m_levelTimer, &QTimer::timeout, this, [this] { readLevels(); });
    connect(&m_secondTimer, &QTimer::timeout, this, [this] {
        Q_EMIT timeChanged();
        const bool isNoteOver = m_lostSpeech.count() > 0 && m_deps.clock.now() - m_lostAt >= kNoteShown;
        if (isNoteOver) {
            m_lostSpeech = {};
            m_wasSpeaking = false;
            runTimers();
        }
        if (m_phase == Phase::Waiting || isNoteOver) {
            Q_EMIT stateChanged();
        }
    });
    m_deps.settings.follow([this](const core::Settings& settings) {
        followAgent(settings);
        applyMute();
        Q_EMIT stateChanged();
    });
    followAgent(m_deps.settings.current());
    m_deps.conversation.add(*this);
    connect(&m_approval, &ApprovalViewModel::changed, this, [this] {
        m_tools.setWaiting(m_approval.waiting());
        Q_EMIT stateChanged();
    });
    m_tools.setWaiting(m_approval.waiting());
    applyMute();
}

ConversationViewModel::~ConversationViewModel()
{
    m_deps.conversation.remove(*this);
}

void ConversationViewModel::start()
{
    if (isRunning()) {
        return;
    }
    if (m_phase == Phase::Closing) {
        // It cannot be started before the last one has said its goodbye.
        m_areWordsKept = false;
        m_isStartWanted = true;
        Q_EMIT tokenChanged();
        Q_EMIT stateChanged();
        return;
    }
    setError(std::nullopt);
    m_nextProblem.reset();
    m_wasLive = false;
    m_isDeaf = false;
    m_noLoudspeaker.reset();
    m_lasted = {};
    m_lostSpeech = {};
    m_wasSpeaking = false;
    m_token.forget();
    beginTurn();
    m_sessionUsage.clear();
    m_tools.clear();
    // Whoever begins anew has seen what the last one left behind.
    m_timers.dismiss();
    applyMute();
    Q_EMIT tokenChanged();
    m_deps.conversation.start();
}

void ConversationViewModel::stop()
{
    if (m_isStartWanted) {
        m_isStartWanted = false;
        m_wordsToSay.clear();
        Q_EMIT stateChanged();
        return;
    }
    m_deps.conversation.stop();
}

void ConversationViewModel::say(const QString& text)
{
    const QString words = text.trimmed();
    if (words.isEmpty()) {
        return;
    }
    start();
    if (m_isStartWanted) {
        m_wordsToSay.push_back(words.toStdString());
    } else {
        beginTurn();
        m_deps.conversation.say(words.toStdString());
    }
}

void ConversationViewModel::interrupt()
{
    m_deps.conversation.interrupt();
}

void ConversationViewModel::dismissError()
{
    setError(std::exchange(m_nextProblem, std::nullopt));
    if (m_phase == Phase::Ended) {
        m_phase = Phase::Idle;
    }
    Q_EMIT stateChanged();
}

void ConversationViewModel::accountReady()
{
    if (!isRunning() && m_error && m_error->code == core::ErrorCode::NotAuthorised) {
        dismissError();
    }
}

void ConversationViewModel::exportTranscript()
{
    if (m_transcript.count() > 0) {
        Q_EMIT exportWanted();
    }
}

void ConversationViewModel::setRecording(bool isRecording)
{
    if (std::exchange(m_isRecording, isRecording) != isRecording) {
        Q_EMIT stateChanged();
    }
}

void ConversationViewModel::showProblem(const core::Error& error)
{
    if (m_error && m_error->code == error.code) {
        return;
    }
    if (m_error) {
        const bool isWorse =
            m_error->code == core::ErrorCode::RecordingFailed && error.code == core::ErrorCode::HistoryFailed;
        m_nextProblem = isWorse ? m_error : error;
        if (!isWorse) {
            return;
        }
    }
    // A conversation that has ended has not failed for that.
    if (m_phase == Phase::Ended) {
        m_phase = Phase::Idle;
    }
    setError(error);
    Q_EMIT stateChanged();
}

void ConversationViewModel::copyErrorCode() const
{
    QGuiApplication::clipboard()->setText(errorCode());
}

Voice ConversationViewModel::voice() const
{
    switch (m_phase) {
    case Phase::Idle:
        return Voice::Idle;
    case Phase::Closing:
        return m_isStartWanted ? Voice::Connecting : Voice::Idle;
    case Phase::Ended:
        return m_error ? Voice::Failed : Voice::Idle;
    case Phase::Waiting:
        return Voice::Reconnecting;
    case Phase::FetchingToken:
    case Phase::Connecting:
    case Phase::Starting:
    case Phase::Configuring:
        return m_wasLive ? Voice::Reconnecting : Voice::Connecting;
    case Phase::Live:
        break;
    }
    switch (m_activity) {
    case Activity::Listening:
        return m_isDeaf || isSilenced() ? Voice::Muted : Voice::Listening;
    case Activity::HearingUser:
        return Voice::Hearing;
    case Activity::Thinking:
        return Voice::Thinking;
    case Activity::RunningTool:
        return Voice::Tool;
    case Activity::Speaking:
        return Voice::Speaking;
    case Activity::Stalled:
        return Voice::Reconnecting;
    }
    return Voice::Listening;
}

QString ConversationViewModel::stateText() const
{
    switch (voice()) {
    case Voice::Idle:
        return tr("Press space or the button to talk");
    case Voice::Connecting:
        return tr("Connecting…");
    case Voice::Reconnecting: {
        if (m_phase == Phase::Live) {
            // There is no network in between.
            return startedOn().first == core::Profile::ThisComputer ? tr("Waiting for the agent…")
                                                                    : tr("Waiting for the network…");
        }
        const int seconds = secondsOf(std::chrono::duration_cast<core::Milliseconds>(m_retryAt - m_deps.clock.now()));
        return m_phase == Phase::Waiting && seconds > 0 ? tr("Back in %1 s…").arg(seconds) : tr("Connecting…");
    }
    case Voice::Listening:
        return tr("Listening");
    case Voice::Hearing:
        return tr("Hearing you");
    case Voice::Thinking:
        return tr("Thinking");
    case Voice::Tool: {
        const QString tool = m_tools.runningName();
        return tool.isEmpty() ? tr("Thinking") : tool;
    }
    case Voice::Speaking:
        return m_isDeaf || m_isMuted || isPushToTalk() ? tr("Speaking") : tr("Speaking: talk to interrupt");
    case Voice::Muted:
        if (!m_isDeaf) {
            return tr("Muted");
        }
        return m_noLoudspeaker ? tr("No microphone and no loudspeaker") : tr("No microphone");
    case Voice::Failed:
        return errorSentence();
    }
    return {};
}

QString ConversationViewModel::hint() const
{
    const bool isMissed = m_lostSpeech >= kShortestSpeech || (m_wasSpeaking && m_lostSpeech.count() > 0);
    const bool hasNote = isMissed && m_deps.clock.now() - m_lostAt < kNoteShown;
    if ((isLive() || m_phase == Phase::Ended) && hasNote && !isHintToInterrupt()) {
        return tr("You were not heard for %1 s").arg(secondsOf(m_lostSpeech));
    }
    switch (voice()) {
    case Voice::Speaking:
        if (isHintToInterrupt()) {
            return tr("Press Esc or here to interrupt");
        }
        return isPushToTalk() ? tr("Hold space or the button to interrupt") : QString();
    case Voice::Muted:
        if (m_isDeaf) {
            return m_noLoudspeaker ? tr("You can type and read meanwhile") : tr("You can type meanwhile");
        }
        return isPushToTalk() ? tr("Hold space or the button to talk") : tr("Nothing leaves your microphone");
    case Voice::Reconnecting:
        if (m_phase == Phase::Live) {
            return tr("What you say is kept");
        }
        return m_wasLive ? tr("The conversation goes on where it was") : QString();
    case Voice::Tool:
        return m_approval.isAsking() ? tr("The agent waits for your answer")
                                     : tr("The agent uses a tool: Esc stops it");
    default:
        return {};
    }
}

bool ConversationViewModel::isHintToInterrupt() const
{
    return voice() == Voice::Speaking && (m_isDeaf || (m_isMuted && !isPushToTalk()));
}

bool ConversationViewModel::isRunning() const
{
    return m_isStartWanted || (m_phase != Phase::Idle && m_phase != Phase::Ended && m_phase != Phase::Closing);
}

void ConversationViewModel::setMuted(bool isMuted)
{
    if (m_isMuted != isMuted) {
        m_isMuted = isMuted;
        applyMute();
        Q_EMIT stateChanged();
    }
}

bool ConversationViewModel::isPushToTalk() const
{
    return m_deps.settings.current().talkMode == core::TalkMode::PushToTalk;
}

bool ConversationViewModel::isSilenced() const
{
    // Who pushes to talk has no button to unmute with: the key alone counts.
    return isPushToTalk() ? !m_isTalkHeld : m_isMuted;
}

void ConversationViewModel::setTalkHeld(bool isHeld)
{
    if (m_isTalkHeld == isHeld) {
        return;
    }
    m_isTalkHeld = isHeld;
    applyMute();
    m_deps.conversation.holdTalk(isHeld);
    // Who presses to talk over the agent wants it to be quiet at once.
    if (isHeld && isPushToTalk() && m_activity == Activity::Speaking && isLive()) {
        interrupt();
    }
    Q_EMIT stateChanged();
}

QString ConversationViewModel::sessionTime() const
{
    core::Milliseconds time = m_lasted;
    if (m_wasLive && m_phase != Phase::Idle && m_phase != Phase::Ended) {
        time = std::chrono::duration_cast<core::Milliseconds>(m_deps.clock.now() - m_startedAt);
    }
    const auto seconds = time.count() / 1000;
    return QStringLiteral("%1:%2").arg(seconds / 60).arg(seconds % 60, 2, 10, QLatin1Char('0'));
}

bool ConversationViewModel::isErrorInWords() const
{
    return m_isDeaf && m_error && m_error->code == core::ErrorCode::SoundNoMicrophone;
}

ErrorText ConversationViewModel::errorWords() const
{
    if (!m_error) {
        return {};
    }
    return m_isErrorHere ? errorTextHere(*m_error) : errorText(*m_error);
}

QString ConversationViewModel::errorSentence() const
{
    return errorWords().sentence;
}

QString ConversationViewModel::errorActionLabel() const
{
    return errorWords().actionLabel;
}

ErrorAction ConversationViewModel::errorAction() const
{
    return errorWords().action;
}

QString ConversationViewModel::errorCode() const
{
    return m_error ? errorCodeText(*m_error) : QString();
}

int ConversationViewModel::secondsToRenewal() const
{
    return secondsOf(m_token.untilRenewal(m_deps.clock.now()));
}

int ConversationViewModel::tokenLifetime() const
{
    return secondsOf(m_token.lifetime());
}

void ConversationViewModel::conversationTold(const core::SessionNotice& notice)
{
    m_recorder.told(notice);
    std::visit([this](const auto& what) { tellOf(what); }, notice);
    const auto* const token = std::get_if<core::session_notice::TokenChanged>(&notice);
    m_isTokenMissed =
        token != nullptr && (token->news == core::TokenNews::Failed || token->news == core::TokenNews::Revoked);
}

void ConversationViewModel::tellOf(const core::session_notice::PhaseChanged& changed)
{
    m_phase = changed.phase;
    if (!m_startedOn && m_phase != Phase::Idle && m_phase != Phase::Ended) {
        m_startedOn = m_agent;
        m_modelNote.forgetDifferences();
    }
    if (m_phase == Phase::Live && !m_wasLive) {
        m_wasLive = true;
        m_startedAt = m_deps.clock.now();
    } else if (m_phase == Phase::Waiting) {
        m_retryAt = m_deps.clock.now() + changed.retryIn;
        m_transcript.closeOpenEntries();
        // It comes back by itself, and the words under the string say when: nothing for the user to do.
        setError(std::nullopt);
    }
    runTimers();
    Q_EMIT stateChanged();
    Q_EMIT timeChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::ActivityChanged& changed)
{
    m_activity = changed.activity;
    // Whoever goes on after a pause, before there was an answer, is in the same turn.
    if (m_activity == Activity::HearingUser && m_isTurnAnswered) {
        beginTurn();
    }
    Q_EMIT stateChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::TranscriptChanged& changed)
{
    m_transcript.upsert(changed.entry, changed.nextItemId);
}

void ConversationViewModel::tellOf(const core::session_notice::TranscriptRemoved& removed)
{
    m_transcript.remove(removed.itemId);
}

void ConversationViewModel::tellOf(const core::session_notice::TokenChanged& changed)
{
    if (changed.news == core::TokenNews::Expired || changed.news == core::TokenNews::Revoked) {
        m_token.lost();
        Q_EMIT tokenChanged();
        Q_EMIT timeChanged();
        return;
    }
    if (changed.news == core::TokenNews::Failed) {
        return;
    }
    if (m_error && m_error == m_tokenProblem) {
        errorSolved();
    }
    m_token.acquired(m_deps.clock.now(), changed.lifetime, changed.renewIn);
    m_model = changed.model;
    m_isRelayed = changed.isRelayed;
    m_areWordsKept = changed.areTranscriptsKept;
    const bool isFree = startedOn().first == core::Profile::ThisComputer;
    m_provider = isFree ? std::string() : changed.provider;
    m_turnUsage.setModel(m_model, isFree);
    m_sessionUsage.setModel(m_model, isFree);
    // Nobody shuts down our own agent, whatever its model is called.
    m_modelNote.met(isFree ? std::string() : m_model, changed.provider, m_deps.clock.wallNow());
    // Whoever renews a token may not be whom the next conversation is held with.
    if (!isFree && startedOn() == m_agent) {
        Q_EMIT servedBy(QString::fromStdString(changed.provider), QString::fromStdString(changed.profile));
    }
    Q_EMIT tokenChanged();
    Q_EMIT timeChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::ToolCalled& called)
{
    answerBegins();
    m_tools.called(called.call);
    Q_EMIT stateChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::ToolDone& done)
{
    m_tools.done(done.call, done.output.has_value());
    Q_EMIT stateChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::ReplyUsage& used)
{
    const core::UsageTally tally = core::UsageTally::of(used.usage);
    // A reply that was spoken into ends in the turn that cut it off.
    if (used.responseId.empty() || used.responseId != m_replyBeforeTurn) {
        m_isTurnAnswered = true;
        m_turnUsage.add(tally);
    }
    m_sessionUsage.add(tally);
}

void ConversationViewModel::tellOf(const core::session_notice::TranscriptionUsage& used)
{
    const core::TranscriptionTally tally = core::TranscriptionTally::of(used.usage);
    m_turnUsage.addTranscription(used.model, tally);
    m_sessionUsage.addTranscription(used.model, tally);
}

void ConversationViewModel::tellOf(const core::session_notice::ReplyStarted& started)
{
    m_replyId = started.responseId;
    answerBegins();
}

void ConversationViewModel::answerBegins()
{
    m_isTurnAnswered = true;
    if (isLive() && m_error && m_error->code == core::ErrorCode::ProviderSilent) {
        errorSolved();
    }
}

void ConversationViewModel::beginTurn()
{
    m_isTurnAnswered = false;
    m_replyBeforeTurn = m_replyId;
    m_turnUsage.clear();
}

void ConversationViewModel::tellOf(const core::session_notice::AudioLost& lost)
{
    m_lostSpeech += lost.amount;
    m_wasSpeaking = m_wasSpeaking || m_activity == Activity::HearingUser;
    m_lostAt = m_deps.clock.now();
    Q_EMIT stateChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::ProblemSolved& solved)
{
    m_isDeaf = m_isDeaf && solved.code != core::ErrorCode::SoundNoMicrophone;
    if (solved.code == core::ErrorCode::SoundNoLoudspeaker) {
        m_noLoudspeaker.reset();
    }
    if (m_error && m_error->code == solved.code) {
        errorSolved();
    }
    Q_EMIT stateChanged();
}

void ConversationViewModel::tellOf(const core::session_notice::Problem& problem)
{
    m_isDeaf = m_isDeaf || problem.error.code == core::ErrorCode::SoundNoMicrophone;
    const bool isLoudspeaker = problem.error.code == core::ErrorCode::SoundNoLoudspeaker;
    if (isLoudspeaker) {
        m_noLoudspeaker = problem.error;
    }
    if (m_isTokenMissed) {
        m_tokenProblem = problem.error;
    }
    Q_EMIT stateChanged();
    // The words tell of both devices at once.
    if (m_phase != Phase::Waiting && !(isLoudspeaker && isErrorInWords())) {
        setError(problem.error);
    }
}

void ConversationViewModel::tellOf(const core::session_notice::Ended& ended)
{
    if (m_wasLive) {
        m_lasted = std::chrono::duration_cast<core::Milliseconds>(m_deps.clock.now() - m_startedAt);
    }
    m_phase = Phase::Ended;
    m_token.forget();
    // Nobody has said yet what becomes of the words of the next one.
    m_areWordsKept = false;
    m_activity = Activity::Listening;
    const bool isStartWanted = std::exchange(m_isStartWanted, false);
    m_isTalkHeld = m_isTalkHeld && isStartWanted;
    m_transcript.closeOpenEntries();
    setError(isStartWanted ? std::nullopt : ended.error);
    m_startedOn.reset();
    m_project = projectFor(m_deps.settings.current());
    runTimers();
    Q_EMIT stateChanged();
    Q_EMIT timeChanged();
    Q_EMIT tokenChanged();
    if (isStartWanted) {
        start();
        for (std::string& words : std::exchange(m_wordsToSay, {})) {
            m_deps.conversation.say(std::move(words));
        }
    }
}

void ConversationViewModel::applyMute()
{
    m_deps.voice.setMuted(isSilenced());
}

void ConversationViewModel::runTimers()
{
    if (isRunning() || m_lostSpeech.count() > 0) {
        m_secondTimer.start();
    } else {
        m_secondTimer.stop();
    }
    if (isLive() == m_levelTimer.isActive()) {
        return;
    }
    if (isLive()) {
        m_levelTimer.start();
    } else {
        m_levelTimer.stop();
        m_userLevel = 0;
        m_agentLevel = 0;
        Q_EMIT levelsChanged();
    }
}

void ConversationViewModel::readLevels()
{
    const core::VoiceLevels levels = m_deps.voice.takeLevels();
    // What does not leave the microphone moves nothing, whoever speaks.
    const qreal user = m_isDeaf || isSilenced() ? 0 : levelOf(levels.captureDbfs);
    const qreal agent = levelOf(levels.playbackDbfs);
    if (user != m_userLevel || agent != m_agentLevel) {
        m_userLevel = user;
        m_agentLevel = agent;
        Q_EMIT levelsChanged();
    }
}

void ConversationViewModel::followAgent(const core::Settings& settings)
{
    const auto before = std::exchange(m_agent, {settings.profile, settings.brokerUrl});
    // Another broker's address means nothing while the agent of this computer is talked to.
    const bool isSame =
        before.first == m_agent.first && (m_agent.first != core::Profile::Broker || before.second == m_agent.second);
    std::string project = projectFor(settings);
    const bool isForAnother = !m_startedOn && project != m_project;
    if (isForAnother) {
        m_project = std::move(project);
        Q_EMIT tokenChanged();
    }
    // Nor has a broker anything against another project yet.
    const bool isSolved = isForAnother && errorAction() == ErrorAction::ShowProject;
    if ((!isSame || isSolved) && !isRunning() && m_phase != Phase::Closing) {
        dismissError();
    }
}

void ConversationViewModel::errorSolved()
{
    setError(m_isDeaf ? std::nullopt : m_noLoudspeaker);
}

void ConversationViewModel::setError(std::optional<core::Error> error)
{
    if (m_error != error) {
        m_isErrorHere = startedOn().first == core::Profile::ThisComputer;
        m_error = std::move(error);
        Q_EMIT errorChanged();
    }
}

} // namespace vivavoce::ui
