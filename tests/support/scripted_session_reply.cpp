#include "tests/support/scripted_session.h"

#include <algorithm>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

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

} // namespace

void ScriptedSession::on(const openai::ResponseCreate& create)
{
    if (!m_response.empty()) {
        refuse("conversation_already_has_active_response", create.eventId);
        return;
    }
    // What a function has answered is for the question that it was called for, whose words may never have come.
    const bool isForCall = !m_items.empty() && m_items.back().item.type == openai::ItemType::FunctionCallOutput;
    const auto asking = std::find_if(m_items.rbegin(), m_items.rend(), [&](const Item& one) {
        return isForCall
            ? one.item.type == openai::ItemType::FunctionCall && one.item.callId == m_items.back().item.callId
            : one.item.type == openai::ItemType::Message && one.item.role == openai::Role::User;
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
        if (m_quirks.tellsContentParts) {
            say(openai::ResponseContentPartAdded{
                {}, m_response, item.id, 0, 0, part(openai::ContentType::OutputAudio, {})});
        }
    });
    const std::string text = answerText(number);
    const int pieces = m_quirks.speaksInOnePiece ? 1 : m_options.pieces;
    const Milliseconds piece = m_options.piece * (m_options.pieces / pieces);
    const auto samples = static_cast<std::size_t>(FrameCount::of(piece, m_options.rates.output).value());
    std::size_t told = 0;
    for (int i = 1; i <= pieces; ++i) {
        const std::size_t end = i == pieces && !isEndless
            ? text.size()
            : text.size() * static_cast<std::size_t>(i) / static_cast<std::size_t>(pieces + 1);
        m_reply.emplace_back([this, itemId, words = text.substr(told, end - told)] {
            m_say(openai::ResponseOutputAudioTranscriptDelta{{}, m_response, itemId, 0, 0, words});
        });
        m_reply.emplace_back([this, itemId, samples, piece] {
            find(itemId)->sound += piece;
            m_say(openai::ResponseOutputAudioDelta{{}, m_response, itemId, 0, 0, Bytes(samples * 2, 1)});
        });
        told = end;
    }
    if (!isEndless) {
        endSpeech(number, item);
    }
}

void ScriptedSession::endSpeech(int number, const openai::Item& item)
{
    m_reply.emplace_back([this, itemId = item.id] {
        m_say(openai::ResponseOutputAudioDone{{}, m_response, itemId, 0, 0});
    });
    m_reply.emplace_back([this, itemId = item.id, number] {
        m_say(openai::ResponseOutputAudioTranscriptDone{{}, m_response, itemId, 0, 0, answerText(number)});
    });
    openai::Item whole = item;
    whole.status = openai::ItemStatus::Completed;
    whole.content.push_back(part(openai::ContentType::OutputAudio, answerText(number)));
    if (m_quirks.tellsContentParts) {
        m_reply.emplace_back([this, whole] {
            m_say(openai::ResponseContentPartDone{{}, m_response, whole.id, 0, 0, whole.content[0]});
        });
    }
    if (m_quirks.tellsItemEnds) {
        m_reply.emplace_back([this, whole] {
            if (m_quirks.dialect == openai::Dialect::Ga) {
                say(openai::ConversationItemDone{{}, whole, {}});
            }
            say(openai::ResponseOutputItemDone{{}, m_response, 0, whole});
        });
    }
    m_reply.emplace_back([this, whole] {
        ++m_log.answers;
        m_output.push_back(whole);
        sayDone(openai::ResponseStatus::Completed, {});
    });
}

void ScriptedSession::sayDone(openai::ResponseStatus status, const std::string& reason)
{
    openai::ResponseDone done;
    done.response.id = std::exchange(m_response, {});
    done.response.status = status;
    done.response.output = std::exchange(m_output, {});
    if (m_quirks.tellsUsage) {
        done.response.usage = usageOfResponse();
    }
    if (!reason.empty()) {
        done.response.statusDetails.emplace();
        done.response.statusDetails->reason = reason;
    }
    say(done);
    if (m_quirks.tellsRateLimits) {
        say(openai::RateLimitsUpdated{{}, {{"tokens", 40'000, 39'000, 1.5}}});
    }
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
    if (!m_quirks.takesCancel) {
        refuse("response.cancel", cancel.eventId, "Handling of this event is not implemented.");
        return;
    }
    if (m_response.empty() || (cancel.responseId && *cancel.responseId != m_response)) {
        refuse("response_cancel_not_active", cancel.eventId);
        return;
    }
    cancelReply("client_cancelled");
}

} // namespace vivavoce::tests
