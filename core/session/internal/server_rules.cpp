#include "core/models/model_list.h"
#include "core/models/voice_list.h"
#include "core/protocol/openai/codec.h"
#include "core/session/internal/provider_errors.h"
#include "core/session/internal/session_update.h"
#include "core/session/internal/stepper.h"
#include "core/usage/dated_name.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core::internal {

using namespace session_effect;

// Servers that speak OpenAI Realtime, and not all of it: ids, the ends of replies and whole events may be missing, and what they cannot do
// they say when it is asked of them.

namespace {

constexpr std::string_view kNameless = "nameless_";
constexpr std::string_view kCancelId = "cancel_";
constexpr std::string_view kTruncateId = "truncate_";
constexpr std::size_t kLongestGreeting = 100;

bool isNameless(const std::string& id)
{
    return id.empty() || std::string_view(id).starts_with(kNameless);
}

std::string formatText(const openai::AudioFormat& format)
{
    const char* const encoding = format.encoding == openai::AudioEncoding::Pcm ? "PCM, "
        : format.encoding == openai::AudioEncoding::Pcmu                       ? "G.711 µ-law, "
                                                                               : "G.711 A-law, ";
    return encoding + std::to_string(format.rate.hz()) + " Hz";
}

/// Of G.711, whichever way it is written.
constexpr SampleRate kTelephoneRate{8'000};

bool isPcm(openai::AudioEncoding encoding)
{
    return encoding == openai::AudioEncoding::Pcm;
}

/// PCM's; the beta's formats name none.
std::optional<SampleRate> rateNamed(const std::optional<openai::AudioFormat>& format)
{
    const bool isNamed = format && isPcm(format->encoding) && format->rate.isValid();
    return isNamed ? std::optional(format->rate) : std::nullopt;
}

/// In words of ours: a server's are for whoever writes clients.
Error voiceRefused(const std::string& voice, std::string theirCode)
{
    const bool isByPolicy = theirCode == "locked_by_policy";
    return {isByPolicy ? ErrorCode::ChoiceNotAllowed : ErrorCode::ChoiceRefused,
        (isByPolicy ? "the broker's policy does not allow the voice \"" : "the provider does not take the voice \"")
            + voice + "\": the conversation goes on without it",
        std::nullopt, std::move(theirCode)};
}

openai::AudioEncoding encodingNamed(const std::optional<openai::AudioFormat>& format, openai::AudioEncoding otherwise)
{
    return format ? format->encoding : otherwise;
}

} // namespace

void Stepper::giveNames(openai::ServerEvent& event)
{
    std::visit(
        [this](auto& one) {
            using Event = std::decay_t<decltype(one)>;
            if constexpr (std::is_same_v<Event, openai::ResponseCreated>) {
                if (one.response.id.empty()) {
                    one.response.id = std::string(kNameless) + std::to_string(++m_state.namelessReplies);
                }
            } else if constexpr (std::is_same_v<Event, openai::ResponseDone>) {
                if (one.response.id.empty()) {
                    one.response.id = m_state.reply.activeId;
                }
            } else if constexpr (requires { one.responseId; }) {
                if (one.responseId.empty()) {
                    one.responseId = m_state.reply.activeId;
                }
                if constexpr (requires { one.itemId; }) {
                    if (one.itemId.empty()) {
                        one.itemId = std::string(kNameless) + "item_" + one.responseId;
                    }
                }
            }
        },
        event);
}

std::string Stepper::nameOfTurn(const std::string& itemId) const
{
    return itemId.empty() ? std::string(kNameless) + "turn_" + std::to_string(m_state.namelessTurns) : itemId;
}

void Stepper::greeted(const openai::ServerEvent& event)
{
    const bool isGreeting = std::holds_alternative<openai::SessionCreated>(event)
        || std::holds_alternative<openai::ConversationCreated>(event);
    if (!isGreeting && m_state.server.oddGreeting.empty()) {
        m_state.server.oddGreeting = openai::typeName(event).substr(0, kLongestGreeting);
    }
}

void Stepper::on(const openai::SessionCreated& created)
{
    const openai::Dialect before = m_state.server.dialect;
    m_state.server.dialect = created.dialect.value_or(before);
    m_state.server.ownInput = rateNamed(created.session.inputFormat);
    m_state.server.ownOutput = rateNamed(created.session.outputFormat);
    m_state.server.ownEncodings = {encodingNamed(created.session.inputFormat, openai::AudioEncoding::Pcm),
        encodingNamed(created.session.outputFormat, openai::AudioEncoding::Pcm)};
    // Greeted by another event, we may have written in what this server does not read.
    if (m_state.phase == Phase::Starting || (m_state.phase == Phase::Configuring && m_state.server.dialect != before)) {
        stopTimer(SessionTimer::FirstEvent);
        configure();
    }
}

void Stepper::on(const openai::ConversationCreated&)
{
    if (m_state.phase == Phase::Starting) {
        stopTimer(SessionTimer::FirstEvent);
        configure();
    }
}

void Stepper::providerError(const openai::ErrorEvent& event)
{
    ProviderFault fault = classify(event.error.type, event.error.code.value_or(std::string()), event.error.message);
    if (event.error.code == "conversation_already_has_active_response") {
        // The provider made a reply of its own (voice detection); ours is asked for when that one is done.
        m_state.reply.isRequested = false;
        m_state.reply.isWanted = true;
        m_state.tools.wantsReply = std::exchange(m_state.reply.isForTools, false);
        if (isLive() && m_state.reply.activeId.empty()) {
            // Of which we have not heard, or do not any more: it is not waited for without an end.
            m_state.reply.isAwaited = true;
            startTimer(SessionTimer::Reply, m_state.options->deadlines.reply);
        }
        return;
    }
    const bool isFatal = fault.weight == ErrorWeight::Fatal;
    if (fault.weight == ErrorWeight::Harmless || (!isFatal && retractionRefused(event.error))) {
        return;
    }
    if (!isFatal && isEchoOfSettings(event.error)) {
        return;
    }
    // Until something else comes: should the connection end now, this is why.
    m_state.lastProviderError = fault.error;
    if (m_state.phase == Phase::Starting) {
        // In place of a session.
        lost(std::move(fault.error));
        return;
    }
    if (isFatal) {
        if (!isRetryable(fault.error.code) && !isRefusedCredential(fault.error)) {
            // Some servers leave the socket open after it.
            lost(std::move(fault.error));
        } else if (fault.error.code != ErrorCode::SessionExpired) {
            lost(std::move(fault.error));
        }
        return;
    }
    const bool isConfiguring = m_state.phase == Phase::Configuring;
    const std::optional<Setting> without = isConfiguring ? leaveOut(event.error) : std::nullopt;
    if (without == Setting::Voice) {
        fault.error = voiceRefused(m_state.options->voice, std::move(fault.error.foreignCode));
    }
    if (!without || isMissed(*without)) {
        tell(session_notice::Problem{std::move(fault.error)});
    }
    if (m_state.reply.isRequested && event.error.eventId == m_state.reply.requestId) {
        replyRefused();
    }
    if (without) {
        configure();
        return;
    }
    if (isConfiguring) {
        // The update was thrown away as a whole; the conversation is possible with the provider's defaults.
        stopTimer(SessionTimer::Configured);
        goLiveAsItIs();
    }
}

/// No reply will come of that response.create.
void Stepper::replyRefused()
{
    m_state.reply.isRequested = false;
    m_state.reply.isForTools = false;
    m_state.reply.cancelWhenCreated = false;
    stopTimer(SessionTimer::Reply);
    tell(session_notice::ReplyEnded{});
    askForWanted();
    settleActivity();
}

bool Stepper::isEchoOfSettings(const openai::ErrorDetail& error) const
{
    const std::optional<Setting> setting = settingBlamed(error);
    const bool isToCome = m_state.phase == Phase::Configuring || isLive();
    return isToCome && setting && m_state.leftOut.contains(*setting)
        && (m_state.phase == Phase::Configuring || !isMissed(*setting));
}

bool Stepper::isMissed(Setting setting) const
{
    // The beta's formats are ours unless something else is said.
    const bool isDefault = setting == Setting::Formats && m_state.server.dialect == openai::Dialect::Beta;
    return setting != Setting::Padding && !isDefault;
}

std::optional<Setting> Stepper::leaveOut(const openai::ErrorDetail& error)
{
    // Nothing is left out on a guess: without what the error does not speak of the settings would be refused all the same.
    const std::optional<Setting> blamed = settingBlamed(error);
    const bool isOurs = blamed && isWanted(*blamed, *m_state.options, m_state.held.isByHand);
    return isOurs && m_state.leftOut.insert(*blamed).second ? blamed : std::nullopt;
}

void Stepper::compareSettings(const openai::Session& given)
{
    // A name that nobody knows may be a deployment's, which stands for any model.
    const std::string& model = m_state.token->model;
    if (given.model && ModelList::builtIn().find(model) != nullptr && withoutDay(*given.model) != withoutDay(model)) {
        tellDifference("model", model, *given.model);
    }
    const auto isAsked = [this](Setting setting) {
        return isWanted(setting, *m_state.options, m_state.held.isByHand) && !m_state.leftOut.contains(setting);
    };
    if (given.voice && isAsked(Setting::Voice) && !isSameVoice(given.voice->name, m_state.options->voice)) {
        tellDifference("voice", m_state.options->voice, given.voice->name);
    }
    // Whether it was asked for or not: what is heard and played is this.
    compareFormat("input_format", m_state.rates.input, given.inputFormat);
    compareFormat("output_format", m_state.rates.output, given.outputFormat);
}

void Stepper::compareFormat(const char* setting, SampleRate asked, const std::optional<openai::AudioFormat>& given)
{
    // Another rate is followed, and nobody hears a difference.
    if (given && given->encoding != openai::AudioEncoding::Pcm) {
        tellDifference(setting, formatText({openai::AudioEncoding::Pcm, asked}), formatText(*given));
    }
}

VoiceRates Stepper::wantedRates() const
{
    const bool isAsked = !m_state.leftOut.contains(Setting::Formats);
    const ServerTraits& server = m_state.server;
    using Rate = std::optional<SampleRate>;
    const auto rateOf = [&](openai::AudioEncoding encoding, SampleRate known, const Rate& own, const Rate& named) {
        if (!isPcm(encoding)) {
            return kTelephoneRate;
        }
        if (!isAsked) {
            return own.value_or(named.value_or(known));
        }
        // What it said last was its answer to our settings: all that is kept is at that rate already.
        return named.value_or(known != kRealtimeRate ? known : own.value_or(known));
    };
    return {rateOf(server.encodings.input, server.known.input, server.ownInput, m_state.named.input),
        rateOf(server.encodings.output, server.known.output, server.ownOutput, m_state.named.output)};
}

void Stepper::believeFormats(const openai::Session& given)
{
    const std::optional<SampleRate> input = rateNamed(given.inputFormat);
    const std::optional<SampleRate> output = rateNamed(given.outputFormat);
    m_state.named.input = input ? input : m_state.named.input;
    m_state.named.output = output ? output : m_state.named.output;
    SoundEncodings& now = m_state.server.encodings;
    const SoundEncodings before = now;
    now = {encodingNamed(given.inputFormat, before.input), encodingNamed(given.outputFormat, before.output)};
    // Where another encoding names no rate, that of the one before says nothing.
    const VoiceRates wanted = wantedRates();
    useRates({input.value_or(now.input == before.input ? m_state.rates.input : wanted.input),
        output.value_or(now.output == before.output ? m_state.rates.output : wanted.output)});
}

void Stepper::tellDifference(const char* setting, std::string asked, std::string given)
{
    if (m_state.toldToDiffer.insert(setting).second) {
        tell(session_notice::SettingDiffers{setting, std::move(asked), tame(given)});
    }
}

bool Stepper::retractionRefused(const openai::ErrorDetail& error)
{
    // A busy moment is no lack of the server's.
    if (error.code == "rate_limit_exceeded") {
        return false;
    }
    if (answers(error, kCancelId, openai::ResponseCancel::kType)) {
        m_state.server.takesCancel = false;
        return true;
    }
    if (answers(error, kTruncateId, openai::ConversationItemTruncate::kType)) {
        m_state.server.takesTruncate = false;
        return true;
    }
    return false;
}

void Stepper::cancelReply()
{
    const std::string& id = m_state.reply.activeId;
    if (m_state.server.takesCancel) {
        openai::ResponseCancel cancel;
        cancel.eventId = std::string(kCancelId) + std::to_string(++m_state.retractions);
        if (!isNameless(id)) {
            cancel.responseId = id;
        }
        send(std::move(cancel));
    }
    deafen();
}

void Stepper::sendTruncate(const ReplyItem& item, Milliseconds heard)
{
    if (!m_state.server.takesTruncate || isNameless(item.id)) {
        return;
    }
    openai::ConversationItemTruncate truncate;
    truncate.eventId = std::string(kTruncateId) + std::to_string(++m_state.retractions);
    truncate.itemId = item.id;
    truncate.contentIndex = item.contentIndex;
    truncate.audioEndMs = heard.count();
    send(std::move(truncate));
}

void Stepper::itemEnded(const std::string& responseId)
{
    if (responseId == m_state.reply.activeId && !responseId.empty()) {
        m_state.reply.hasItemEnded = true;
        replyHeardOf(responseId);
    }
}

void Stepper::itemGoesOn(const std::string& responseId)
{
    if (responseId == m_state.reply.activeId) {
        m_state.reply.hasItemEnded = false;
    }
    replyHeardOf(responseId);
}

void Stepper::replyHeardOf(const std::string& responseId)
{
    if (responseId != m_state.reply.activeId) {
        return;
    }
    const bool isOver = m_state.reply.hasItemEnded && m_state.server.endsReplies == false;
    const SessionDeadlines& deadlines = m_state.options->deadlines;
    startTimer(SessionTimer::Reply, isOver ? deadlines.replyEnd : deadlines.reply);
}

void Stepper::replyEndedUnsaid()
{
    openai::ResponseDone done;
    done.response.id = m_state.reply.activeId;
    done.response.status = openai::ResponseStatus::Completed;
    on(done);
}

void Stepper::on(const openai::ResponseOutputItemDone& done)
{
    replyHeardOf(done.responseId);
    if (done.responseId == m_state.reply.activeId && done.item.type == openai::ItemType::FunctionCall) {
        called({done.item.callId, done.item.name, done.item.arguments});
    }
}

void Stepper::on(const openai::ResponseFunctionCallArgumentsDone& done)
{
    replyHeardOf(done.responseId);
    if (done.responseId == m_state.reply.activeId) {
        called({done.callId, done.name, done.arguments});
    }
}

void Stepper::called(ToolCall call)
{
    auto& calls = m_state.reply.calls;
    const bool isKnown =
        std::any_of(calls.begin(), calls.end(), [&](const ToolCall& known) { return known.callId == call.callId; });
    if (!isKnown && !call.callId.empty() && !call.name.empty()) {
        calls.push_back(std::move(call));
    }
}

openai::Response Stepper::withCalls(openai::Response response)
{
    for (ToolCall& call : std::exchange(m_state.reply.calls, {})) {
        const bool isTold = std::any_of(response.output.begin(), response.output.end(),
            [&](const openai::Item& item) { return item.callId == call.callId; });
        if (!isTold) {
            openai::Item item;
            item.type = openai::ItemType::FunctionCall;
            item.callId = std::move(call.callId);
            item.name = std::move(call.name);
            item.arguments = std::move(call.arguments);
            response.output.push_back(std::move(item));
        }
    }
    return response;
}

} // namespace vivavoce::core::internal
