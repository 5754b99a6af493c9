#include "app/cli/talk_report.h"

#include "core/models/model_list.h"
#include "core/models/voice_list.h"
#include "core/usage/price_list.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::cli {

using core::Json;
using namespace core::session_notice;

namespace {

const char* newsText(core::TokenNews news)
{
    switch (news) {
    case core::TokenNews::Acquired:
        return "acquired";
    case core::TokenNews::Refreshed:
        return "refreshed";
    case core::TokenNews::Failed:
        return "failed";
    case core::TokenNews::Expired:
        return "expired";
    case core::TokenNews::Revoked:
        return "revoked";
    }
    return "failed";
}

std::string wordsOf(const SettingDiffers& differs)
{
    if (differs.setting == "input_format" || differs.setting == "output_format") {
        return (differs.setting == "input_format" ? "the provider listens to sound as "
                                                  : "the provider speaks in sound as ")
            + differs.given + ", and not as " + differs.asked;
    }
    return "the provider goes on with the " + differs.setting + " " + differs.given + ", and " + differs.asked
        + " was asked for";
}

Json usageFields(const core::openai::Usage& usage)
{
    Json fields{
        {"inputTokens", usage.inputTokens}, {"outputTokens", usage.outputTokens}, {"totalTokens", usage.totalTokens}};
    if (usage.inputDetails) {
        fields["input"] = {{"text", usage.inputDetails->tokens.text}, {"audio", usage.inputDetails->tokens.audio},
            {"cached", usage.inputDetails->cached}};
    }
    if (usage.outputDetails) {
        fields["output"] = {{"text", usage.outputDetails->text}, {"audio", usage.outputDetails->audio}};
    }
    return fields;
}

} // namespace

void TalkReport::tell(const core::SessionNotice& notice)
{
    std::visit([this](const auto& what) { tellOf(what); }, notice);
}

void TalkReport::tellOf(const PhaseChanged& changed)
{
    Json fields{{"phase", core::phaseText(changed.phase)}};
    if (changed.phase == core::Phase::Waiting) {
        ++m_reconnects;
        fields["retryInMs"] = changed.retryIn.count();
        if (changed.isHandOver) {
            fields["reason"] = "session_ends";
            m_events.say("(the provider's session nears its end, a fresh one takes over)");
        } else {
            m_events.say("(connection lost, back in " + std::to_string(changed.retryIn.count()) + " ms)");
        }
    }
    m_events.write("state", std::move(fields));
}

void TalkReport::tellOf(const ActivityChanged& changed)
{
    m_events.write(
        "state", {{"phase", core::phaseText(core::Phase::Live)}, {"activity", core::activityText(changed.activity)}});
}

void TalkReport::tellOf(const TranscriptChanged& changed)
{
    const core::ConversationEntry& entry = changed.entry;
    const bool isUser = entry.speaker == core::Speaker::User;
    Json fields{{"role", isUser ? "user" : "assistant"}, {"text", entry.text}, {"final", entry.isFinal},
        {"itemId", entry.itemId}, {"interrupted", entry.wasInterrupted}};
    if (entry.heardBytes) {
        fields["heard"] = entry.text.substr(0, *entry.heardBytes);
    }
    m_events.write("transcript", std::move(fields));
    if (!isUser && entry.wasInterrupted && entry.itemId == m_lastSaidId) {
        m_events.say("(interrupted)");
        m_lastSaidId.clear();
    } else if (entry.isFinal && !entry.text.empty()) {
        if (!isUser) {
            m_lastSaidId = entry.itemId;
        }
        m_events.say((isUser ? "You:   " : "Agent: ") + entry.text + (entry.wasInterrupted ? " (interrupted)" : ""));
    }
}

void TalkReport::tellOf(const TranscriptRemoved& removed)
{
    m_events.write("transcript", {{"itemId", removed.itemId}, {"removed", true}});
}

void TalkReport::tellOf(const TokenChanged& changed)
{
    Json fields{{"event", newsText(changed.news)}, {"sessionId", changed.sessionId}};
    if (changed.lifetime > core::Milliseconds{0}) {
        fields["expiresInMs"] = changed.lifetime.count();
        fields["transport"] = changed.isRelayed ? "relay" : "direct";
        fields["transcriptsKept"] = changed.areTranscriptsKept;
    }
    if (!changed.model.empty()) {
        fields["provider"] = changed.provider;
        fields["model"] = changed.model;
    }
    m_events.write("token", std::move(fields));
    if (!changed.model.empty()) {
        m_provider = changed.provider;
        m_profile = changed.profile.empty() ? changed.provider : changed.profile;
    }
    if (changed.areTranscriptsKept && !std::exchange(m_isKeepingTold, true)) {
        m_events.say("What is said is kept by the project, and its admins can read it.");
    }
    tellOfModel(changed.model);
    tellOfVoice();
}

void TalkReport::tellOfVoice()
{
    const core::VoiceRow* const row = core::VoiceList::builtIn().find(m_profile);
    const bool isUnknown = core::VoiceList::builtIn().isUnknown(m_deps.voice, m_profile);
    if (m_deps.voice.empty() || !isUnknown || std::exchange(m_isVoiceTold, true)) {
        return;
    }
    const std::string message = core::unknownVoiceText(m_deps.voice, *row);
    m_events.write("setting",
        {{"event", "unknown"}, {"code", "setting.unknown"}, {"setting", "voice"}, {"asked", m_deps.voice},
            {"message", message}});
    m_events.say("(" + message + ")");
}

void TalkReport::tellOf(const SettingDiffers& differs)
{
    const std::string message = wordsOf(differs);
    m_events.write("setting",
        {{"event", "differs"}, {"code", "setting.differs"}, {"setting", differs.setting}, {"asked", differs.asked},
            {"given", differs.given}, {"message", message}});
    m_events.say("(" + message + ")");
}

void TalkReport::tellOfModel(const std::string& model)
{
    if (model.empty() || m_deps.isOwnAgent || !m_toldModels.insert(model).second) {
        return;
    }
    const auto write = [&](Json fields, const std::string& message) {
        fields["model"] = model;
        fields["message"] = message;
        m_events.write("model", std::move(fields));
        m_events.say("(" + message + ")");
    };
    if (const auto sunset = core::ModelList::builtIn().sunsetOf(model, m_deps.clock.wallNow(), m_provider)) {
        Json fields{{"event", "sunset"}, {"ends", sunset->day}, {"daysLeft", sunset->daysLeft}};
        if (!sunset->successor.empty()) {
            fields["successor"] = sunset->successor;
        }
        write(std::move(fields), core::sunsetText(*sunset));
    }
    if (core::PriceList::builtIn().find(model, m_deps.clock.wallNow()) == nullptr) {
        write({{"event", "unpriced"}}, "the price of " + model + " is not known: what it costs is not estimated");
    }
}

void TalkReport::tellOf(const ToolCalled& called)
{
    ++m_toolCalls;
    m_events.write("tool",
        {{"event", "called"}, {"callId", called.call.callId}, {"name", called.call.name},
            {"arguments", called.call.arguments}});
    m_events.say("(calls " + called.call.name + " " + called.call.arguments + ")");
}

void TalkReport::tellOf(const ToolDone& done)
{
    Json fields{{"event", done.output ? "answered" : "failed"}, {"callId", done.call.callId}, {"name", done.call.name}};
    if (done.output) {
        fields["output"] = *done.output;
    } else {
        fields["code"] = core::codeText(done.output.error().code);
    }
    m_events.write("tool", std::move(fields));
}

void TalkReport::tellOf(const ReplyUsage& usage)
{
    m_inputTokens += usage.usage.inputTokens;
    m_outputTokens += usage.usage.outputTokens;
    Json fields = usageFields(usage.usage);
    fields["of"] = "reply";
    fields["responseId"] = usage.responseId;
    m_events.write("usage", std::move(fields));
}

void TalkReport::tellOf(const TranscriptionUsage& usage)
{
    Json fields{{"of", "transcription"}, {"itemId", usage.itemId}};
    if (const auto* tokens = std::get_if<core::openai::TranscriptionTokens>(&usage.usage)) {
        fields["inputTokens"] = tokens->inputTokens;
        fields["outputTokens"] = tokens->outputTokens;
        fields["totalTokens"] = tokens->totalTokens;
    } else if (const auto* duration = std::get_if<core::openai::TranscriptionDuration>(&usage.usage)) {
        fields["seconds"] = duration->seconds;
    }
    m_events.write("usage", std::move(fields));
    tellOfModel(usage.model);
}

void TalkReport::tellOf(const AudioLost& lost)
{
    m_lostAudio += lost.amount;
    m_events.write("error",
        {{"code", "audio.lost"}, {"message", std::to_string(lost.amount.count()) + " ms of your speech were lost"},
            {"fatal", false}, {"lostMs", lost.amount.count()}});
}

void TalkReport::tell(const core::ReplyLatency& latency)
{
    Json fields{{"responseId", latency.responseId}, {"turnEndToReplyMs", latency.fromTurnEnd.count()}};
    if (latency.fromEndOfSpeech) {
        fields["endOfSpeechToReplyMs"] = latency.fromEndOfSpeech->count();
        if (!m_firstLatency) {
            m_firstLatency = latency.fromEndOfSpeech;
        }
    }
    m_events.write("latency", std::move(fields));
}

void TalkReport::tell(const core::SignInStatus& status)
{
    using Stage = core::SignInStatus::Stage;
    if (status.stage == Stage::WaitingForBrowser) {
        m_events.write("sign_in", {{"event", "browser"}});
        m_events.say("(sign in in the browser that has been opened)");
    } else if (status.stage == Stage::WaitingForDevice) {
        Json fields{{"event", "code"}, {"code", status.userCode}, {"url", status.verificationUrl}};
        if (!status.completeUrl.empty()) {
            fields["completeUrl"] = status.completeUrl;
        }
        m_events.write("sign_in", std::move(fields));
        m_events.say("(sign in at " + status.verificationUrl + " with the code " + status.userCode + ")");
    } else if (status.stage == Stage::SignedIn) {
        m_events.write("sign_in", {{"event", "signed_in"}, {"name", status.name}});
        m_events.say("(signed in as " + status.name + ")");
    }
}

void TalkReport::tell(const core::Error& error, bool isFatal)
{
    Json fields{{"code", core::codeText(error.code)}, {"message", error.detail}, {"fatal", isFatal}};
    if (!error.foreignCode.empty()) {
        fields["providerCode"] = error.foreignCode;
    }
    if (error.retryAfter) {
        fields["retryAfterMs"] = error.retryAfter->count();
    }
    m_events.write("error", std::move(fields));
    m_events.say("Error " + std::string(core::codeText(error.code)) + ": " + error.detail);
}

void TalkReport::tell(const core::ApprovalRequest& request, core::Milliseconds expiresIn)
{
    m_events.write("tool",
        {{"event", "asked"}, {"callId", request.callId}, {"name", request.tool}, {"source", request.source},
            {"arguments", request.arguments}, {"expiresInMs", expiresIn.count()}});
}

void TalkReport::tell(const core::TimerDue& timer)
{
    m_events.write("timer", {{"event", "due"}, {"id", timer.id}, {"label", timer.label}});
    m_events.say("(the timer " + (timer.label.empty() ? timer.id : timer.label) + " is over)");
}

void TalkReport::tell(const core::McpServer& server)
{
    Json fields{{"server", server.name()}, {"event", server.error() ? "failed" : "ready"}};
    if (server.error()) {
        fields["message"] = server.error()->detail;
        m_events.say("(the MCP server " + server.name() + " cannot be used: " + server.error()->detail + ")");
    } else {
        fields["tools"] = server.tools().size();
    }
    m_events.write("mcp", std::move(fields));
}

void TalkReport::remark(const std::string& text)
{
    m_events.write("tool", {{"event", "remark"}, {"message", text}});
    m_events.say("(" + text + ")");
}

void TalkReport::sumUp(const Ending& ending)
{
    Json fields{{"exitCode", ending.exitCode}, {"turns", ending.turns}, {"toolCalls", m_toolCalls},
        {"spokenMs", ending.spoken.count()}, {"heardMs", ending.heard.count()}, {"inputTokens", m_inputTokens},
        {"outputTokens", m_outputTokens}, {"reconnects", m_reconnects}, {"lostAudioMs", m_lostAudio.count()}};
    if (!ending.outFile.empty()) {
        fields["out"] = ending.outFile;
    }
    if (!ending.transcriptFile.empty()) {
        fields["transcript"] = ending.transcriptFile;
    }
    m_events.write("summary", std::move(fields));
    if (m_firstLatency) {
        m_events.say("(first reply " + std::to_string(m_firstLatency->count()) + " ms after the end of your speech)");
    }
    if (ending.exitCode == 0 && !ending.outFile.empty()) {
        m_events.say("(the reply was written to " + ending.outFile + ")");
    }
    if (!ending.transcriptFile.empty()) {
        m_events.say("(what was said was written to " + ending.transcriptFile + ")");
    }
}

} // namespace vivavoce::cli
