#include "tests/support/scripted_session.h"

#include "core/base/pcm.h"
#include "core/protocol/openai/codec.h"

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

/// As many as a client may think of before the oldest are forgotten; the real one has a limit, too.
constexpr std::size_t kMostItems = 200;

openai::ContentPart part(openai::ContentType type, std::string text)
{
    openai::ContentPart result;
    result.type = type;
    (type == openai::ContentType::OutputAudio ? result.transcript : result.text) = std::move(text);
    return result;
}

/// The same for each response, also for one that was interrupted.
openai::Usage usageOfResponse()
{
    openai::Usage usage;
    usage.inputDetails.emplace();
    usage.inputDetails->tokens.text = 90;
    usage.inputDetails->tokens.audio = 60;
    usage.inputDetails->cached = 40;
    usage.inputDetails->cachedDetails = openai::TokenCounts{30, 10, 0};
    usage.outputDetails = openai::TokenCounts{20, 80, 0};
    usage.inputTokens = 150;
    usage.outputTokens = 100;
    usage.totalTokens = 250;
    return usage;
}

openai::TranscriptionTokens usageOfWords()
{
    return {15, 5, 20, openai::TokenCounts{5, 10, 0}};
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
    created.session = m_session;
    say(created);
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

void ScriptedSession::hear(std::string_view message)
{
    auto event = openai::decodeClientEvent(message);
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

void ScriptedSession::refuse(const std::string& code, const std::string& eventId)
{
    m_log.refused.push_back(code);
    openai::ErrorEvent error;
    error.error.type = "invalid_request_error";
    error.error.code = code;
    error.error.message = "not allowed";
    error.error.eventId = eventId;
    say(error);
}

void ScriptedSession::on(openai::SessionUpdate& update)
{
    m_session = openai::merge(std::move(m_session), update.session);
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
    const FrameCount step = FrameCount::of(Milliseconds{10}, kRealtimeRate);
    for (std::size_t at = 0; at < samples.size(); at += static_cast<std::size_t>(step.value())) {
        const auto piece =
            std::span(samples).subspan(at, std::min(samples.size() - at, static_cast<std::size_t>(step.value())));
        const FrameCount begin = m_heard;
        m_heard += FrameCount{static_cast<std::int64_t>(piece.size())};
        const int number = spokenNumber(piece);
        m_quiet = number == 0 ? m_quiet + (m_heard - begin) : FrameCount{};
        if (number != 0 && !std::exchange(m_isSpeaking, true)) {
            m_speechItem = newId("item_u_");
            cancelReply("turn_detected");
            say(openai::InputAudioBufferSpeechStarted{{}, begin.duration(kRealtimeRate).count(), m_speechItem});
        }
        m_speech = number == 0 ? m_speech : number;
        if (m_isSpeaking && m_quiet.duration(kRealtimeRate).count() >= silence) {
            turnEnds();
        }
    }
}

void ScriptedSession::turnEnds()
{
    m_isSpeaking = false;
    const int number = std::exchange(m_speech, 0);
    say(openai::InputAudioBufferSpeechStopped{{}, m_heard.duration(kRealtimeRate).count(), m_speechItem});
    openai::InputAudioBufferCommitted committed;
    committed.itemId = m_speechItem;
    if (!m_items.empty()) {
        committed.previousItemId = m_items.back().item.id;
    }
    say(committed);
    openai::Item item;
    item.id = m_speechItem;
    item.content.push_back(part(openai::ContentType::InputAudio, {}));
    item.content.back().text.reset();
    keep(std::move(item), number);
    asked(number);
    // The words come before or behind the answer to them, as with the real one.
    openai::InputAudioTranscriptionCompleted written;
    written.itemId = m_speechItem;
    written.transcript = questionText(number);
    written.usage = usageOfWords();
    if (number % 2 == 0 || turnKind(number) == TurnKind::Endless) {
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

void ScriptedSession::keep(openai::Item item, int number)
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
    say(added);
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
        const int number = isMessage ? turnNumber(item.content[0].text.value_or("")).value_or(0) : 0;
        if (number != 0 && item.role == openai::Role::User) {
            asked(number);
        }
        ++m_log.told;
        keep(item, number);
    }
}

void ScriptedSession::on(const openai::ConversationItemTruncate& truncate)
{
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

void ScriptedSession::on(const openai::ResponseCreate& create)
{
    if (!m_response.empty()) {
        refuse("conversation_already_has_active_response", create.eventId);
        return;
    }
    const auto asking = std::find_if(m_items.rbegin(), m_items.rend(), [](const Item& one) {
        return one.item.type == openai::ItemType::Message && one.item.role == openai::Role::User;
    });
    begin(asking == m_items.rend() ? 0 : asking->number);
}

void ScriptedSession::begin(int number)
{
    m_response = newId("resp_");
    openai::ResponseCreated created;
    created.response.id = m_response;
    created.response.status = openai::ResponseStatus::InProgress;
    say(created);
    const std::string itemId = newId("item_r_");
    const bool isAnswered = !m_items.empty() && m_items.back().item.type == openai::ItemType::FunctionCallOutput;
    if (turnKind(number) == TurnKind::Tool && !isAnswered) {
        callFunction(number, itemId);
    } else {
        speak(number, itemId, turnKind(number) == TurnKind::Endless);
    }
    goOn();
}

void ScriptedSession::callFunction(int number, const std::string& itemId)
{
    openai::Item call;
    call.type = openai::ItemType::FunctionCall;
    call.id = itemId;
    call.callId = "call_" + std::to_string(m_prefix) + "_" + itemId;
    call.name = "look_up";
    call.arguments = R"({"number":)" + std::to_string(number) + "}";
    m_reply.emplace_back([this, call] { m_say(openai::ResponseOutputItemAdded{{}, m_response, 0, call}); });
    m_reply.emplace_back([this, call, number] {
        keep(call, number);
        m_output.push_back(call);
        m_say(openai::ResponseOutputItemDone{{}, m_response, 0, call});
    });
    m_reply.emplace_back([this] { sayDone(openai::ResponseStatus::Completed, {}); });
}

void ScriptedSession::speak(int number, const std::string& itemId, bool isEndless)
{
    openai::Item item;
    item.id = itemId;
    item.role = openai::Role::Assistant;
    item.status = openai::ItemStatus::InProgress;
    m_reply.emplace_back([this, item, number] {
        m_say(openai::ResponseOutputItemAdded{{}, m_response, 0, item});
        keep(item, number);
        m_items.back().item.content.push_back(part(openai::ContentType::OutputAudio, {}));
    });
    const std::string text = answerText(number);
    const auto samples = static_cast<std::size_t>(FrameCount::of(m_options.piece, kRealtimeRate).value());
    std::size_t told = 0;
    for (int i = 1; i <= m_options.pieces; ++i) {
        const std::size_t end = i == m_options.pieces && !isEndless
            ? text.size()
            : text.size() * static_cast<std::size_t>(i) / static_cast<std::size_t>(m_options.pieces + 1);
        m_reply.emplace_back([this, itemId, words = text.substr(told, end - told)] {
            m_say(openai::ResponseOutputAudioTranscriptDelta{{}, m_response, itemId, 0, 0, words});
        });
        m_reply.emplace_back([this, itemId, samples] {
            find(itemId)->sound += m_options.piece;
            m_say(openai::ResponseOutputAudioDelta{{}, m_response, itemId, 0, 0, Bytes(samples * 2, 1)});
        });
        told = end;
    }
    if (isEndless) {
        return;
    }
    m_reply.emplace_back([this, itemId] { m_say(openai::ResponseOutputAudioDone{{}, m_response, itemId, 0, 0}); });
    m_reply.emplace_back([this, itemId, text] {
        m_say(openai::ResponseOutputAudioTranscriptDone{{}, m_response, itemId, 0, 0, text});
    });
    m_reply.emplace_back([this, item, number] {
        ++m_log.answers;
        m_output.push_back(item);
        m_output.back().status = openai::ItemStatus::Completed;
        m_output.back().content.push_back(part(openai::ContentType::OutputAudio, answerText(number)));
        sayDone(openai::ResponseStatus::Completed, {});
    });
}

void ScriptedSession::sayDone(openai::ResponseStatus status, const std::string& reason)
{
    openai::ResponseDone done;
    done.response.id = std::exchange(m_response, {});
    done.response.status = status;
    done.response.output = std::exchange(m_output, {});
    done.response.usage = usageOfResponse();
    if (!reason.empty()) {
        done.response.statusDetails.emplace();
        done.response.statusDetails->reason = reason;
    }
    say(done);
    if (const auto words = std::exchange(m_words, std::nullopt)) {
        say(*words);
    }
}

void ScriptedSession::cancelReply(const std::string& reason)
{
    if (!m_response.empty()) {
        m_reply.clear();
        sayDone(openai::ResponseStatus::Cancelled, reason);
    }
}

void ScriptedSession::on(const openai::ResponseCancel& cancel)
{
    if (m_response.empty() || (cancel.responseId && *cancel.responseId != m_response)) {
        refuse("response_cancel_not_active", cancel.eventId);
        return;
    }
    cancelReply("client_cancelled");
}

} // namespace vivavoce::tests
