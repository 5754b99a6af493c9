#include "tests/support/scripted_session.h"

#include "core/base/json.h"
#include "core/base/pcm.h"
#include "core/protocol/openai/codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

/// As many as a client may think of before the oldest are forgotten; the real one has a limit, too.
constexpr std::size_t kMostItems = 200;

openai::TranscriptionTokens usageOfWords()
{
    return {15, 5, 20, openai::TokenCounts{5, 10, 0}};
}

/// The question that a call is for.
int numberOfCall(const openai::Item& call)
{
    const auto parsed = parseJson(call.arguments);
    return parsed && parsed->is_object() ? parsed->value("number", 0) : 0;
}

bool isText(const openai::Item& item, openai::ContentType type)
{
    return std::all_of(item.content.begin(), item.content.end(), [&](const auto& one) { return one.type == type; });
}

} // namespace

ScriptedSession::ScriptedSession(
    Executor& executor, ScriptedProviderOptions options, ScriptedProviderLog& log, Say sayTo)
    : m_executor(executor),
      m_options(options),
      m_quirks(quirksOf(options.kind)),
      m_log(log),
      m_say(std::move(sayTo)),
      m_prefix(++log.sessions),
      m_self(std::make_shared<ScriptedSession*>(this))
{
    log.told = 0;
    openai::SessionCreated created;
    m_session.id = "sess_" + std::to_string(m_prefix);
    if (m_options.sessionLength > Milliseconds{0}) {
        const auto end = std::chrono::floor<std::chrono::seconds>(m_options.clock->wallNow() + m_options.sessionLength);
        m_session.expiresAt = end.time_since_epoch().count();
    }
    if (m_quirks.greetsWithConversation) {
        say(openai::ConversationCreated{{}, "conv_" + std::to_string(m_prefix)});
    }
    if (m_quirks.dialect == openai::Dialect::Beta) {
        m_session.outputModalities = std::vector{openai::Modality::Audio};
    }
    if (m_options.greetsWithRates) {
        sayRates();
    }
    created.session = m_session;
    say(created);
}

void ScriptedSession::sayRates()
{
    m_session.inputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, m_options.rates.input};
    m_session.outputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, m_options.rates.output};
}

bool ScriptedSession::takesRates(std::string& message) const
{
    auto parsed = parseJson(message);
    if (m_options.rates == VoiceRates() || !parsed || parsed->value("type", std::string()) != "session.update") {
        return true;
    }
    bool isTaken = true;
    for (const auto& [way, rate] :
        {std::pair("input", m_options.rates.input), std::pair("output", m_options.rates.output)}) {
        const Json::json_pointer place(std::string("/session/audio/") + way + "/format/rate");
        if (parsed->contains(place)) {
            isTaken = isTaken && (m_options.hasOwnWay || (*parsed)[place] == rate.hz());
            (*parsed)[place] = kRealtimeRate.hz();
        }
    }
    message = writeJson(*parsed);
    return isTaken;
}

void ScriptedSession::say(openai::ServerEvent event)
{
    m_steps.emplace_back([this, event = std::move(event)] { m_say(event); });
    goOn();
}

void ScriptedSession::goOn()
{
    if (std::exchange(m_isGoingOn, true)) {
        return;
    }
    m_executor.post([weak = std::weak_ptr(m_self)] {
        const auto self = weak.lock();
        if (self == nullptr) {
            return;
        }
        ScriptedSession& session = **self;
        session.m_isGoingOn = false;
        auto& next = session.m_steps.empty() ? session.m_reply : session.m_steps;
        if (next.empty()) {
            return;
        }
        const auto step = std::move(next.front());
        next.pop_front();
        step();
        if (!session.m_steps.empty() || !session.m_reply.empty()) {
            session.goOn();
        }
    });
}

void ScriptedSession::hear(std::string_view said)
{
    std::string message(said);
    if (!takesRates(message)) {
        refuse("invalid_value session.audio.format.rate", {});
        return;
    }
    auto event = openai::decodeClientEvent(message, m_quirks.dialect);
    if (event && isOfOtherDialect(message)) {
        refuse("unknown_parameter session", {});
        return;
    }
    if (event && m_quirks.ignoresUnknown && std::holds_alternative<openai::UnknownEvent>(*event)) {
        return;
    }
    if (!event) {
        refuse(std::string(openai::errorCode(event.error().fault)) + " " + event.error().param, event.error().eventId);
        return;
    }
    std::visit(
        [this](auto& what) {
            if constexpr (requires { this->on(what); }) {
                on(what);
            } else {
                refuse("invalid_event", what.eventId);
            }
        },
        *event);
}

bool ScriptedSession::isOfOtherDialect(std::string_view message) const
{
    if (m_quirks.dialect == openai::Dialect::Ga) {
        // The codec itself reads nothing else then.
        return false;
    }
    const auto parsed = parseJson(message);
    const Json session = parsed ? parsed->value("session", Json()) : Json();
    return session.is_object() && (session.contains("audio") || session.contains("type"));
}

void ScriptedSession::refuse(const std::string& code, const std::string& eventId, const std::string& message)
{
    m_log.refused.push_back(code);
    openai::ErrorEvent error;
    error.error.type = "invalid_request_error";
    if (m_quirks.hasErrorCodes) {
        error.error.code = code;
    }
    error.error.message = message;
    error.error.eventId = eventId;
    say(error);
}

void ScriptedSession::refuseSetting(const std::string& name)
{
    refuse(name, {}, "Specifying `session." + name + "` is not supported.");
}

void ScriptedSession::on(openai::SessionUpdate& update)
{
    if (m_quirks.hasFixedSound) {
        auto& turns = update.session.turnDetection;
        const auto* vad = turns.hasValue() ? std::get_if<openai::ServerVad>(turns.value()) : nullptr;
        if (update.session.inputFormat) {
            refuseSetting("input_audio_format");
        }
        if (update.session.outputFormat) {
            refuseSetting("output_audio_format");
        }
        if (vad != nullptr && vad->prefixPaddingMs) {
            refuseSetting("turn_detection.prefix_padding_ms");
        }
    }
    m_session = openai::merge(std::move(m_session), update.session);
    if (m_options.rates != VoiceRates() && m_session.inputFormat) {
        sayRates();
    }
    openai::SessionUpdated updated;
    updated.session = m_session;
    say(updated);
}

void ScriptedSession::on(const openai::InputAudioBufferAppend& append)
{
    std::int64_t silence = 500;
    if (const auto* turns = m_session.turnDetection.value()) {
        if (const auto* vad = std::get_if<openai::ServerVad>(turns)) {
            silence = vad->silenceDurationMs.value_or(silence);
        }
    }
    const std::vector<std::int16_t> samples = pcmSamples(append.audio);
    const FrameCount step = FrameCount::of(Milliseconds{10}, m_options.rates.input);
    for (std::size_t at = 0; at < samples.size(); at += static_cast<std::size_t>(step.value())) {
        const auto piece =
            std::span(samples).subspan(at, std::min(samples.size() - at, static_cast<std::size_t>(step.value())));
        const FrameCount begin = m_heard;
        m_heard += FrameCount{static_cast<std::int64_t>(piece.size())};
        const int number = spokenNumber(piece);
        m_quiet = number == 0 ? m_quiet + (m_heard - begin) : FrameCount{};
        if (number != 0 && !std::exchange(m_isSpeaking, true)) {
            m_speechItem = newId("item_u_");
            const openai::InputAudioBufferSpeechStarted started{
                {}, begin.duration(m_options.rates.input).count(), m_speechItem};
            if (m_quirks.endsReplyFirst) {
                cancelReply("turn_detected");
                say(started);
            } else {
                say(started);
                cancelReply("turn_detected");
            }
        }
        m_speech = number == 0 ? m_speech : number;
        if (m_isSpeaking && m_quiet.duration(m_options.rates.input).count() >= silence) {
            turnEnds();
        }
    }
}

void ScriptedSession::turnEnds()
{
    m_isSpeaking = false;
    const int number = std::exchange(m_speech, 0);
    say(openai::InputAudioBufferSpeechStopped{{}, m_heard.duration(m_options.rates.input).count(), m_speechItem});
    openai::InputAudioBufferCommitted committed;
    committed.itemId = m_speechItem;
    if (!m_items.empty()) {
        committed.previousItemId = m_items.back().item.id;
    }
    say(committed);
    openai::Item item;
    item.id = m_speechItem;
    item.content.emplace_back().type = openai::ContentType::InputAudio;
    keep(std::move(item), number);
    asked(number);
    // The words come before or behind the answer to them, as with the real one.
    openai::InputAudioTranscriptionCompleted written;
    written.itemId = m_speechItem;
    written.transcript = questionText(number);
    if (m_quirks.tellsUsage) {
        written.usage = usageOfWords();
    }
    if (m_quirks.writesDownFirst || number % 2 == 0 || turnKind(number) == TurnKind::Endless) {
        say(written);
        begin(number);
    } else {
        begin(number);
        m_words = written;
    }
}

void ScriptedSession::on(const openai::InputAudioBufferClear&)
{
    m_isSpeaking = false;
    m_speech = 0;
    m_quiet = FrameCount{};
    say(openai::InputAudioBufferCleared{});
}

void ScriptedSession::on(const openai::InputAudioBufferCommit& commit)
{
    if (m_speech == 0) {
        refuse("input_audio_buffer_commit_empty", commit.eventId);
        return;
    }
    turnEnds();
}

ScriptedSession::Item* ScriptedSession::find(std::string_view id)
{
    const auto found =
        std::find_if(m_items.rbegin(), m_items.rend(), [&](const Item& one) { return one.item.id == id; });
    return found == m_items.rend() ? nullptr : &*found;
}

void ScriptedSession::keep(openai::Item item, int number, bool isTold)
{
    openai::ConversationItemAdded added;
    added.item = item;
    if (!m_items.empty()) {
        added.previousItemId = m_items.back().item.id;
    }
    m_items.push_back({std::move(item), number, Milliseconds{0}});
    if (m_items.size() > kMostItems) {
        m_items.pop_front();
    }
    if (isTold && m_quirks.createsToldItems) {
        say(openai::ConversationItemCreated{{}, std::move(added.item), std::move(added.previousItemId)});
    } else {
        say(std::move(added));
    }
}

void ScriptedSession::asked(int number)
{
    if (++m_asked[number] > 1) {
        m_log.doubled.push_back(number);
    }
    while (m_asked.size() > kMostItems) {
        m_asked.erase(m_asked.begin());
    }
}

void ScriptedSession::on(openai::ConversationItemCreate& create)
{
    openai::Item& item = create.item;
    const auto hasCall = [&] {
        return std::any_of(m_items.begin(), m_items.end(), [&](const Item& one) {
            return one.item.type == openai::ItemType::FunctionCall && one.item.callId == item.callId;
        });
    };
    if (!item.id.empty() && find(item.id) != nullptr) {
        refuse("item_create_duplicate_id", create.eventId);
    } else if (item.id.size() > 32) {
        refuse("string_above_max_length", create.eventId);
    } else if (item.type == openai::ItemType::FunctionCallOutput && !hasCall()) {
        refuse("invalid_tool_call_id", create.eventId);
    } else if (item.type == openai::ItemType::Message
        && !isText(item,
            item.role == openai::Role::Assistant ? openai::ContentType::OutputText : openai::ContentType::InputText)) {
        refuse("invalid_value item.content", create.eventId);
    } else {
        if (item.id.empty()) {
            item.id = newId("item_c_");
        }
        const bool isMessage = item.type == openai::ItemType::Message && !item.content.empty();
        const int number = item.type == openai::ItemType::FunctionCall ? numberOfCall(item)
            : isMessage ? turnNumber(item.content[0].text.value_or("")).value_or(0)
                        : 0;
        if (isMessage && number != 0 && item.role == openai::Role::User) {
            asked(number);
        }
        ++m_log.told;
        keep(item, number, true);
    }
}

void ScriptedSession::on(const openai::ConversationItemTruncate& truncate)
{
    if (m_quirks.truncates == Truncates::Ignores) {
        return;
    }
    if (m_quirks.truncates == Truncates::Refuses) {
        refuse("conversation.item.truncate", truncate.eventId, "Handling of this event is not implemented.");
        return;
    }
    Item* const item = find(truncate.itemId);
    if (item == nullptr || item->item.role != openai::Role::Assistant) {
        refuse("item_truncate_invalid_item_id", truncate.eventId);
    } else if (Milliseconds{truncate.audioEndMs} > item->sound) {
        refuse("item_truncate_invalid_audio_end_ms", truncate.eventId);
    } else {
        item->sound = Milliseconds{truncate.audioEndMs};
        m_log.truncated[item->number] = truncate.audioEndMs;
        say(openai::ConversationItemTruncated{{}, truncate.itemId, truncate.contentIndex, truncate.audioEndMs});
    }
}

} // namespace vivavoce::tests
