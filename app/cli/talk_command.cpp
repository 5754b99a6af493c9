#include "app/cli/talk_command.h"

#include "app/cli/sound_devices.h"
#include "app/platform/interrupt_signal.h"
#include "app/platform/local_moment.h"
#include "app/platform/network_settings.h"
#include "app/platform/qt_line_process.h"
#include "app/platform/qt_settings_store.h"
#include "app/platform/qt_sha256.h"
#include "app/platform/small_file.h"
#include "core/base/environment_secret.h"
#include "core/base/random_id.h"
#include "core/base/visible_ascii.h"
#include "core/history/transcript_export.h"
#include "core/token/project_fault.h"
#include "core/usage/utc_day.h"

#include <QCoreApplication>

#include <cmath>
#include <cstdlib>

namespace vivavoce::cli {
namespace {

using core::Error;
using core::ErrorCode;

constexpr core::Milliseconds kWatchInterval{100};
/// For telling the broker what the conversation came to.
constexpr core::Milliseconds kTellingPatience{1'000};
constexpr core::Milliseconds kTellingInterval{10};
/// The tools have deadlines of their own; the session's is behind them.
constexpr core::Milliseconds kToolSlack{5'000};

/// The provider's own reasons why a reply is not complete.
bool isCutShort(const Error& problem)
{
    return problem.foreignCode == "max_output_tokens" || problem.foreignCode == "content_filter";
}

/// What was asked of the broker does not do.
bool isOfTheChoice(ErrorCode code)
{
    return code == ErrorCode::ProviderUnknown || code == ErrorCode::ChoiceRefused
        || code == ErrorCode::ChoiceNotAllowed;
}

/// That none was named, or that it is not one of the caller's.
bool isOfTheProject(const Error& error)
{
    return (error.code == ErrorCode::ChoiceNotAllowed || error.code == ErrorCode::NotAuthorised)
        && (error.foreignCode == core::project_fault::kNeeded || error.foreignCode == core::project_fault::kNotAllowed);
}

/// A file that is read into a variable brings its line end along.
core::Secret withoutLineEnd(core::Secret secret)
{
    std::string_view bytes = secret.reveal();
    while (bytes.ends_with('\n') || bytes.ends_with('\r')) {
        bytes.remove_suffix(1);
    }
    return bytes.size() == secret.size() ? std::move(secret) : core::Secret(bytes);
}

std::string withoutTrailingSlash(std::string url)
{
    while (!url.empty() && url.back() == '/') {
        url.pop_back();
    }
    return url;
}

} // namespace

TalkCommand::TalkCommand(TalkOptions options, std::function<void(int)> finished)
    : m_options(std::move(options)),
      m_finished(std::move(finished)),
      m_events(m_clock, m_options.format),
      m_report({m_events, m_clock, m_options.brokerUrl.empty(), m_options.voice}),
      m_transcript(m_clock),
      m_turns(m_options.turns),
      m_commands(m_executor),
      m_builtIn({m_clock, m_executor, m_browser, &platform::localMoment}),
      m_mcp({m_executor, [] { return std::make_unique<platform::QtLineProcess>(); }, VV_VERSION})
{
    m_events.setOver([this] { return platform::InterruptSignal::hasCome() || (m_endBy && m_clock.now() >= *m_endBy); });
}

TalkCommand::~TalkCommand() = default;

void TalkCommand::start()
{
    // Also where it is not used: what runs for us has no use for it either.
    auto credential = std::make_shared<const core::Secret>(
        withoutLineEnd(core::takeFromEnvironment(m_options.credentialVariable.c_str())));
    const bool isShown = !m_options.brokerUrl.empty() && !m_options.isSigningIn;
    if (isShown && !core::isVisibleAscii(credential->reveal())) {
        end(Error{ErrorCode::BadConfiguration,
            m_options.credentialVariable + " holds what is in no credential: a blank, a line end, or what is no ASCII",
            std::nullopt, {}});
        return;
    }
    m_isWithoutCredential = isShown && credential->empty();
    if (const auto ready = prepare(); !ready) {
        end(ready.error());
        return;
    }
    if (!m_options.brokerUrl.empty()) {
        core::NetworkChoice network;
        network.caFile = m_options.caFile;
        if (const auto used = platform::useNetwork(network); !used) {
            end(used.error());
            return;
        }
    }
    if (m_options.isSigningIn) {
        signIn();
    } else {
        begin(std::make_shared<core::LiteralCredential>(credential->empty() ? nullptr : std::move(credential)));
    }
}

void TalkCommand::signIn()
{
    m_signIn = std::make_shared<core::SignIn>(
        core::SignIn::Dependencies{m_http, m_clock, m_executor, m_browser, m_redirect, &platform::sha256});
    m_signIn->setBroker(withoutTrailingSlash(m_options.brokerUrl));
    m_signIn->follow([this](const core::SignInStatus& status) { signInChanged(status); });
    m_signIn->start(m_options.isWithoutBrowser ? core::Account::Way::Device : core::Account::Way::Browser);
}

void TalkCommand::signInChanged(const core::SignInStatus& status)
{
    using Stage = core::SignInStatus::Stage;
    if (m_isOver) {
        return;
    }
    m_report.tell(status);
    if (m_session != nullptr) {
        // Whoever asks for a token in vain tells of it.
        return;
    }
    if (status.stage == Stage::SignedIn) {
        m_executor.post([this] {
            if (!m_isOver) {
                begin(m_signIn);
            }
        });
    } else if (status.stage == Stage::Failed) {
        m_executor.post([this, error = status.error] { end(error); });
    }
}

void TalkCommand::begin(std::shared_ptr<core::CredentialSource> credential)
{
    m_deadline = m_executor.after(m_options.timeout, [this] {
        const Error late{ErrorCode::Timeout, "the conversation took longer than --timeout allows", std::nullopt, {}};
        // Who waited in vain for an answer is told why none came.
        tooLate(m_options.isLive() ? late : m_lastProblem.value_or(late));
    });
    m_endBy = m_clock.now() + m_options.timeout;
    for (const auto& server : m_mcp.all()) {
        server->start();
    }
    if (lookAtServers()) {
        beginTalking(std::move(credential));
        return;
    }
    // The agent is told of functions when the conversation begins: it waits for them.
    m_mcp.followServers([this, credential = std::move(credential)] {
        if (m_isOver || !lookAtServers() || m_session != nullptr) {
            return;
        }
        m_executor.post([this, credential] {
            if (!m_isOver && m_session == nullptr) {
                beginTalking(credential);
            }
        });
    });
}

bool TalkCommand::lookAtServers()
{
    using Stage = core::McpServer::Stage;
    bool isAnyComing = false;
    for (const auto& server : m_mcp.all()) {
        const Stage stage = server->stage();
        isAnyComing = isAnyComing || stage == Stage::Starting;
        const bool isNew = std::exchange(m_toldServers[server->name()], stage) != stage;
        if (isNew && (stage == Stage::Ready || stage == Stage::Failed)) {
            m_report.tell(*server);
        }
    }
    return !isAnyComing;
}

void TalkCommand::beginTalking(std::shared_ptr<core::CredentialSource> credential)
{
    converse();
    if (!m_allowance->begin()) {
        return;
    }
    if (m_options.brokerUrl.empty()) {
        startServers();
    } else {
        useBroker(withoutTrailingSlash(m_options.brokerUrl), std::move(credential));
    }
}

core::Expected<void, Error> TalkCommand::prepare()
{
    std::vector<std::int16_t> recording;
    if (!m_options.inFile.empty() && !m_options.isLive()) {
        auto read = dsp::readWav(m_options.inFile, core::kRealtimeRate);
        if (!read) {
            return core::Unexpected<Error>(read.error());
        }
        recording = std::move(*read);
    }
    if (!m_options.toolsFile.empty()) {
        if (auto loaded = m_commands.load(m_options.toolsFile); !loaded) {
            return loaded;
        }
    }
    if (!m_options.mcpFile.empty()) {
        const auto text = platform::readSmallFile(m_options.mcpFile);
        if (!text) {
            return core::Unexpected<Error>(text.error());
        }
        const auto servers = core::parseMcpConfig(*text);
        if (!servers) {
            return core::fail(servers.error().code, m_options.mcpFile + ": " + servers.error().detail);
        }
        m_mcp.use(*servers);
    }
    if (!m_options.outFile.empty() && !m_options.isAloud()) {
        auto writer = ReplyRecording::create(m_options.outFile);
        if (!writer) {
            return core::Unexpected<Error>(writer.error());
        }
        m_out.emplace(std::move(*writer));
    }
    if (!m_options.transcriptFile.empty()) {
        if (auto found = m_textFiles.check(m_options.transcriptFile); !found) {
            return found;
        }
    }
    m_files = std::make_unique<RecordedVoiceIo>(m_executor, m_clock, std::move(recording), m_options.pace,
        [this](std::span<const std::int16_t> samples, core::SampleRate rate) {
            return !m_out || m_out->write(samples, rate);
        });
    if (m_options.isLive() || m_options.isAloud()) {
        m_devices = std::make_unique<audio::AudioEngine>(m_executor, audio::backendOf(m_options.soundBackend));
        if (auto chosen = checkDevices(); !chosen) {
            return chosen;
        }
        m_devices->choose(m_options.devices);
        m_deviceWatch = audio::watchSystem(*m_devices);
        if (m_options.isLive() && !m_options.isAloud()) {
            m_split = std::make_unique<SplitVoiceIo>(*m_devices, *m_files);
        } else if (!m_options.isLive()) {
            m_split = std::make_unique<SplitVoiceIo>(*m_files, *m_devices);
        }
    }
    return {};
}

/// A device that was named and is not there is an error here; in a window the default serves and is seen to.
core::Expected<void, Error> TalkCommand::checkDevices() const
{
    const core::DeviceChoice& wanted = m_options.devices;
    if (wanted.captureId.empty() && wanted.playbackId.empty()) {
        return {};
    }
    const auto found = findSoundDevices(m_options.soundBackend);
    const auto isThere = [&](const std::string& id, core::SoundDirection direction) {
        return id.empty() || std::any_of(found.begin(), found.end(), [&](const core::SoundDevice& device) {
            return device.direction == direction && device.id == id;
        });
    };
    if (!isThere(wanted.captureId, core::SoundDirection::Capture)) {
        return core::fail(ErrorCode::SoundNoMicrophone,
            "there is no microphone \"" + wanted.captureId + "\"; vivavoce-cli devices lists them");
    }
    if (!isThere(wanted.playbackId, core::SoundDirection::Playback)) {
        return core::fail(ErrorCode::SoundNoLoudspeaker,
            "there is no loudspeaker \"" + wanted.playbackId + "\"; vivavoce-cli devices lists them");
    }
    return {};
}

core::VoiceIo& TalkCommand::voice()
{
    if (m_split != nullptr) {
        return *m_split;
    }
    return m_devices != nullptr ? static_cast<core::VoiceIo&>(*m_devices) : *m_files;
}

void TalkCommand::interrupt()
{
    if (m_session != nullptr) {
        m_session->stop();
    } else {
        end(std::nullopt);
    }
}

void TalkCommand::startServers()
{
    embedded::EmbeddedServices::Options options;
    options.programFolder = QCoreApplication::applicationDirPath();
    if (!m_options.chatUrl.empty()) {
        options.agentArguments << QStringLiteral("--chat-url") << QString::fromStdString(m_options.chatUrl);
    }
    if (!m_options.chatModel.empty()) {
        options.agentArguments << QStringLiteral("--chat-model") << QString::fromStdString(m_options.chatModel);
    }
    m_servers = std::make_unique<embedded::EmbeddedServices>(std::move(options));
    m_servers->start(
        [this](core::Expected<embedded::EmbeddedServices::Address, Error> address) {
            if (address) {
                useBroker(address->brokerUrl, std::make_shared<core::LiteralCredential>(address->credential));
            } else {
                // We stand in a call of the child that failed; ending lets go of it.
                m_executor.post([this, error = address.error()] { end(error); });
            }
        },
        [this](Error error) {
            if (m_session != nullptr) {
                m_session->abort(std::move(error));
            }
        });
}

void TalkCommand::useBroker(const std::string& url, std::shared_ptr<core::CredentialSource> credential)
{
    if (!m_options.brokerUrl.empty()) {
        m_usage = std::make_unique<core::UsageReporter>(core::UsageReporter::Dependencies{
            m_http, m_clock, m_executor, url, credential, m_options.transcriptionModel});
    }
    core::BrokerWishes wishes;
    wishes.provider = m_options.provider;
    wishes.model = m_options.model;
    wishes.project = m_options.project;
    if (!m_options.brokerUrl.empty()) {
        // Our own agent is asked for it in the session, and goes on with its own voice where it has no such one.
        wishes.voice = m_options.voice;
    }
    m_broker->become(std::make_unique<core::BrokerTokenSource>(core::BrokerTokenSource::Dependencies{
        m_http, m_clock, url, std::move(credential), std::move(wishes), core::randomId(), m_options.token}));
}

void TalkCommand::gatherTools()
{
    std::vector<core::ToolSource*> sources{&m_commands};
    if (m_options.hasBuiltInTools) {
        sources.push_back(&m_builtIn);
    }
    // Last: however many functions servers bring, they do not crowd out the others.
    sources.push_back(&m_mcp);
    m_builtIn.followTimers([this](const core::TimerDue& timer) { m_report.tell(timer); });
    m_tools = std::make_unique<core::ToolBox>(core::ToolBox::Dependencies{m_clock, m_executor, std::move(sources), {}});
    m_approvals = std::make_unique<TerminalApprovals>(
        TerminalApprovals::Dependencies{*m_tools, m_clock, m_options.approve.value_or(TerminalApprovals::defaultMode()),
            [this](const core::ApprovalRequest& request, core::Milliseconds left) { m_report.tell(request, left); }});
    for (const std::string& remark : m_tools->remarks()) {
        m_report.remark(remark);
    }
}

void TalkCommand::converse()
{
    m_broker = std::make_unique<core::DeferredTokenSource>();
    m_tokens = std::make_unique<core::CachingTokenSource>(*m_broker, m_clock, m_executor);
    core::SessionOptions options;
    options.instructions = m_options.instructions;
    options.voice = m_options.voice;
    options.transcriptionModel = m_options.transcriptionModel;
    gatherTools();
    options.tools = m_tools->begin();
    options.deadlines.tool = m_tools->longest() + kToolSlack;
    options.capturesWhileConnecting = m_options.isLive();
    options.maxAttempts = 1 + m_options.token.maxRetryAttempts;
    if (m_options.brokerUrl.empty()) {
        // Our servers have their own patience; the first token waits for both of them.
        options.deadlines.token += 2 * embedded::EmbeddedServices::Options().patience;
    }
    m_session = std::make_unique<core::SessionRunner>(core::SessionRunner::Dependencies{
        *m_tokens, m_transports, voice(), *m_tools, m_clock, m_executor, *this, std::move(options)});
    m_allowance = std::make_unique<core::AllowanceWatch>(core::AllowanceWatch::Dependencies{m_clock, m_executor,
        allowance(), [this](Error error) { m_session->abort(std::move(error)); },
        [this] { return core::spentInMonthOf(m_book, core::utcDay(m_clock.wallNow())); }});
    if (m_options.isCounted) {
        m_keeper = std::make_unique<core::UsageKeeper>(
            core::UsageKeeper::Dependencies{m_book, m_clock, withoutTrailingSlash(m_options.brokerUrl),
                [this](const Error& error) { m_report.remark("not counted: " + error.detail); }});
    }
    m_session->start();
    watch();
}

core::Allowance TalkCommand::allowance() const
{
    core::Allowance allowance;
    // Our own agent costs nothing.
    if (!m_options.brokerUrl.empty()) {
        allowance.nanoDollars = std::llround(m_options.spendLimit * 100 * core::kNanoDollarsInACent);
        // What is counted is the user's own, whose limit of a month the window keeps.
        const int cents = m_options.isCounted
            ? platform::QtSettingsStore(platform::QtSettingsStore::defaultFile()).load().monthLimitCents
            : 0;
        allowance.monthNanoDollars = std::int64_t{cents} * core::kNanoDollarsInACent;
    }
    allowance.silence = std::chrono::minutes{m_options.idleMinutes};
    return allowance;
}

void TalkCommand::sessionTold(const core::SessionNotice& notice)
{
    if (m_usage != nullptr) {
        m_usage->told(notice);
    }
    if (m_keeper != nullptr) {
        m_keeper->told(notice);
    }
    m_allowance->told(notice);
    const auto* const problem = std::get_if<core::session_notice::Problem>(&notice);
    if (problem != nullptr && endsAConversation(problem->error.code)) {
        Error error = problem->error;
        error.detail += std::string("; vivavoce-cli devices lists them, and ")
            + (error.code == ErrorCode::SoundNoMicrophone ? "--in" : "--out") + " takes a file instead";
        m_session->abort(std::move(error));
        return;
    }
    m_report.tell(notice);
    m_transcript.told(notice);
    if (const auto* changed = std::get_if<core::session_notice::ActivityChanged>(&notice)) {
        m_turns.activityChanged(changed->activity, m_clock.now());
    } else if (problem != nullptr) {
        goneWrong(problem->error);
    } else if (const auto* solved = std::get_if<core::session_notice::ProblemSolved>(&notice)) {
        if (m_lastProblem && m_lastProblem->code == solved->code) {
            m_lastProblem.reset();
        }
    } else if (const auto* ended = std::get_if<core::session_notice::ReplyEnded>(&notice)) {
        replyEnded(*ended);
    } else if (const auto* over = std::get_if<core::session_notice::Ended>(&notice)) {
        // We stand in the session's own call.
        m_executor.post([this, error = m_endedBecause ? m_endedBecause : over->error] { end(error); });
    }
}

void TalkCommand::replyEnded(const core::session_notice::ReplyEnded& ended)
{
    if (ended.wasCompleted || (m_lastProblem && isCutShort(*m_lastProblem))) {
        m_lastProblem.reset();
    }
    if (!m_lastProblem) {
        // Of what was cut short or cancelled no more comes, functions included: it is all the answer that there is.
        if (ended.isAnswer || !ended.wasCompleted) {
            m_turns.replyEnded();
        }
    } else if (!m_options.isLive()) {
        // The answer is not coming, and nobody is there to ask again.
        m_endedBecause = m_lastProblem;
        m_session->stop();
    }
}

void TalkCommand::tooLate(const Error& error)
{
    if (m_session == nullptr) {
        end(error);
    } else if (m_session->state().phase != core::Phase::Closing) {
        m_endedBecause = error;
        m_session->stop();
    }
}

void TalkCommand::goneWrong(const Error& error)
{
    // Either nothing was heard of a turn, which nobody will say again, or asking again helped no more than the first time.
    const bool isHopeless = error.code == ErrorCode::ProviderSilent && !m_options.isLive()
        && m_turns.isReplyOverdue(m_clock.now()) && (m_lastProblem || m_session->state().phase == core::Phase::Live);
    if (!isHopeless || !m_lastProblem) {
        m_lastProblem = error;
    }
    if (isHopeless) {
        m_endedBecause = m_lastProblem;
        m_session->stop();
    }
}

/// A device that was asked for and is missing. In a window one types meanwhile; here nobody would notice.
bool TalkCommand::endsAConversation(ErrorCode code) const
{
    return (code == ErrorCode::SoundNoMicrophone && m_options.isLive())
        || (code == ErrorCode::SoundNoLoudspeaker && m_options.isAloud());
}

void TalkCommand::replyTook(const core::ReplyLatency& latency)
{
    m_report.tell(latency);
}

void TalkCommand::watch()
{
    m_watchTimer = m_executor.after(kWatchInterval, [this] { watch(); });
    if (m_session == nullptr || m_session->state().phase != core::Phase::Live) {
        return;
    }
    const core::MonotonicTime now = m_clock.now();
    // Without a recording there is nothing to wait for before the typed words.
    if (!m_wasInputEndSeen && (m_options.inFile.empty() || m_session->hasInputEnded())) {
        m_wasInputEndSeen = true;
        m_turns.inputEnded(now);
    }
    if (m_turns.hasEnough()) {
        m_session->stop();
        return;
    }
    sayNextText();
    if (m_options.texts.empty() && m_turns.heardNothing(now)) {
        // Only who had a whole connection all the time can say that of a recording.
        m_endedBecause = m_lastProblem.value_or(
            Error{ErrorCode::InputNoSpeech, "the agent heard no speech in " + m_options.inFile, std::nullopt, {}});
        m_session->stop();
    } else if (m_turns.isOver(now, m_nextText < m_options.texts.size())) {
        m_session->stop();
    }
}

void TalkCommand::sayNextText()
{
    if (m_nextText >= m_options.texts.size()) {
        return;
    }
    const bool isFirst = m_nextText == 0;
    const bool isRecordingAnswered = m_options.inFile.empty() || m_turns.isAnswered(m_clock.now());
    const bool isLastAnswered =
        m_turns.replies() > m_repliesAtLastText && m_session->state().activity == core::Activity::Listening;
    if (isFirst ? isRecordingAnswered : isLastAnswered) {
        m_repliesAtLastText = m_turns.replies();
        m_session->say(m_options.texts[m_nextText++]);
    }
}

void TalkCommand::end(std::optional<Error> error)
{
    if (std::exchange(m_isOver, true)) {
        return;
    }
    m_watchTimer.reset();
    m_deadline.reset();
    m_allowance.reset();
    m_keeper.reset();
    m_session.reset();
    m_split.reset();
    m_deviceWatch.reset();
    m_devices.reset();
    if (m_out) {
        if (error && error->code == ErrorCode::OutputUnwritable && m_out->fault()) {
            error = m_out->fault();
        }
        if (const auto closed = m_out->finish(); !closed && !error) {
            error = closed.error();
        }
    }
    m_transcript.close();
    const core::Transcript said = m_transcript.transcript();
    const bool hasTranscript = !m_options.transcriptFile.empty() && !said.lines.empty();
    const auto written = hasTranscript ? writeTranscript(said) : core::Expected<void, Error>();
    if (!written && !error) {
        error = written.error();
    }
    TalkReport::Ending ending;
    if (error && error->code == ErrorCode::NotAuthorised && m_isWithoutCredential) {
        error->detail += " (" + m_options.credentialVariable + " is not set, and --sign-in is not given)";
    }
    if (error && isOfTheProject(*error)) {
        error->detail += m_options.project.empty() ? " (--project names one)"
                                                   : " (--project names another one, or ask whoever runs it)";
    } else if (error && isOfTheChoice(error->code)) {
        error->detail += " (--provider, --model and --voice name others; without them the broker decides)";
    }
    if (error) {
        m_report.tell(*error, true);
        ending.exitCode = core::exitCode(error->code);
    }
    ending.turns = m_turns.replies();
    ending.outFile = m_out && !m_out->isEmpty() ? m_options.outFile : std::string();
    ending.transcriptFile = hasTranscript && written ? m_options.transcriptFile : std::string();
    if (m_files != nullptr) {
        ending.spoken = m_files->spoken();
        ending.heard = m_files->heardInAll();
    }
    m_report.sumUp(ending);
    m_servers.reset();
    m_finishBy = m_clock.now() + kTellingPatience;
    finish(ending.exitCode);
}

core::Expected<void, Error> TalkCommand::writeTranscript(const core::Transcript& said)
{
    const core::TranscriptFormat format =
        core::transcriptFormatOf(m_options.transcriptFile).value_or(core::TranscriptFormat::PlainText);
    return m_textFiles.write(m_options.transcriptFile, core::exportTranscript(said, format));
}

void TalkCommand::finish(int exitCode)
{
    const bool isLate = m_clock.now() >= m_finishBy;
    const bool isTold = isLate || m_usage == nullptr || m_usage->isDone();
    if (isTold && m_signIn != nullptr && m_signIn->status().stage != core::SignInStatus::Stage::SignedOut) {
        m_usage.reset();
        m_signIn->signOut();
        m_finishBy = m_clock.now() + kTellingPatience;
    } else if (isTold && (isLate || m_signIn == nullptr || !m_signIn->isRevoking())) {
        m_finished(exitCode == 0 && m_events.hasFailed() ? core::exitCode(ErrorCode::OutputUnwritable) : exitCode);
        return;
    }
    m_deadline = m_executor.after(kTellingInterval, [this, exitCode] {
        const auto timer = std::move(m_deadline);
        finish(exitCode);
    });
}

} // namespace vivavoce::cli
