// The part of ResponseRun that knows the shapes and the order of its events.
#include "agent/realtime/response_run.h"

#include "core/base/random_id.h"

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

namespace {

/// What rate_limits.updated tells: nothing is rationed here, and clients that show the figures show a full tank.
constexpr std::int64_t kTokensPerMinute = 1'000'000;

} // namespace

void ResponseRun::addItem(Item item)
{
    m_output.push_back(std::move(item));
    const Item& added = m_output.back();
    openai::Item wire = itemToWire(added, WithAudio::No);
    m_parts.events.send(openai::ResponseOutputItemAdded{{}, m_id, outputIndex(), wire});
    if (m_parts.conversation == nullptr) {
        return;
    }
    const auto previous = m_parts.conversation->insert(added, std::nullopt);
    m_parts.events.send(
        openai::ConversationItemAdded{{}, std::move(wire), whereGiven(previous.value_or(std::string()))});
}

void ResponseRun::itemDone(const Item& item)
{
    openai::Item wire = itemToWire(item, WithAudio::No);
    if (m_parts.conversation != nullptr) {
        if (Item* const kept = m_parts.conversation->find(item.id)) {
            kept->status = item.status;
        }
        m_parts.events.send(openai::ConversationItemDone{{}, wire, whereGiven(m_parts.conversation->before(item.id))});
    }
    m_parts.events.send(openai::ResponseOutputItemDone{{}, m_id, outputIndex(), std::move(wire)});
}

void ResponseRun::openMessage()
{
    if (m_isMessageOpen) {
        return;
    }
    Item item;
    item.id = "item_" + core::randomId();
    item.role = ItemRole::Assistant;
    item.status = ItemStatus::InProgress;
    addItem(std::move(item));
    m_isMessageOpen = true;
    m_isLeftAlone = false;
    m_messageBytes = 0;
    ContentPart part;
    part.kind = m_settings.modality == Modality::Audio ? PartKind::OutputAudio : PartKind::OutputText;
    part.text = "";
    m_output.back().content.push_back(std::move(part));
    auto event = itemEvent<openai::ResponseContentPartAdded>();
    event.part = partToWire(m_output.back().content.back(), WithAudio::No);
    m_parts.events.send(std::move(event));
    syncMessage();
}

void ResponseRun::closeMessage(ItemStatus status)
{
    if (!m_isMessageOpen) {
        return;
    }
    m_isMessageOpen = false;
    Item& item = m_output.back();
    ContentPart& part = item.content.front();
    if (part.marks.empty() || part.marks.back().textEnd < part.text->size()) {
        part.marks.push_back({part.audioLength, part.text->size()});
    }
    syncMessage();
    item.status = status;
    if (m_settings.modality == Modality::Audio) {
        m_parts.events.send(itemEvent<openai::ResponseOutputAudioDone>());
        auto transcript = itemEvent<openai::ResponseOutputAudioTranscriptDone>();
        transcript.transcript = *part.text;
        m_parts.events.send(std::move(transcript));
    } else {
        auto text = itemEvent<openai::ResponseOutputTextDone>();
        text.text = *part.text;
        m_parts.events.send(std::move(text));
    }
    auto done = itemEvent<openai::ResponseContentPartDone>();
    done.part = partToWire(part, WithAudio::No);
    m_parts.events.send(std::move(done));
    itemDone(item);
}

void ResponseRun::emitCall(const Call& call)
{
    closeMessage(ItemStatus::Completed);
    Item item;
    item.id = "item_" + core::randomId();
    item.kind = ItemKind::FunctionCall;
    item.role = ItemRole::Assistant;
    item.status = ItemStatus::InProgress;
    item.callId = "call_" + core::randomId();
    item.name = call.name;
    addItem(std::move(item));

    Item& added = m_output.back();
    added.payload = call.arguments;
    added.status = ItemStatus::Completed;
    if (m_parts.conversation != nullptr) {
        if (Item* const kept = m_parts.conversation->find(added.id)) {
            kept->payload = call.arguments;
        }
    }
    auto delta = itemEvent<openai::ResponseFunctionCallArgumentsDelta>();
    delta.callId = added.callId;
    delta.delta = call.arguments;
    m_parts.events.send(std::move(delta));
    auto done = itemEvent<openai::ResponseFunctionCallArgumentsDone>();
    done.callId = added.callId;
    done.name = call.name;
    done.arguments = call.arguments;
    m_parts.events.send(std::move(done));
    itemDone(added);
    static_cast<void>(isOverBudget());
}

void ResponseRun::leaveItemAlone(const std::string& itemId)
{
    m_isLeftAlone = m_isLeftAlone || (m_isMessageOpen && m_output.back().id == itemId);
}

/// Brings the conversation's copy of the open message up to date, unless the client has truncated it.
void ResponseRun::syncMessage()
{
    Item* const kept =
        m_parts.conversation == nullptr || m_isLeftAlone ? nullptr : m_parts.conversation->find(m_output.back().id);
    if (kept == nullptr) {
        return;
    }
    const ContentPart& mine = m_output.back().content.front();
    if (kept->content.empty()) {
        kept->content.push_back(mine);
        return;
    }
    ContentPart& theirs = kept->content.front();
    theirs.text = mine.text;
    theirs.audioLength = mine.audioLength;
    theirs.marks = mine.marks;
}

openai::Response ResponseRun::toWire(openai::ResponseStatus status) const
{
    openai::Response response;
    response.id = m_id;
    response.status = status;
    for (const Item& item : m_output) {
        response.output.push_back(itemToWire(item, WithAudio::No));
    }
    response.conversationId = whereGiven(m_parts.conversationId);
    response.outputModalities = {m_settings.modality};
    response.maxOutputTokens = openai::TokenLimit{m_settings.maxOutputTokens};
    response.outputFormat = openai::AudioFormat{m_settings.outputFormat, wireRate(m_settings.outputFormat)};
    response.voice = m_settings.voice;
    response.metadata = m_settings.metadata;
    return response;
}

void ResponseRun::finish(openai::ResponseStatus status, std::optional<openai::StatusDetails> details)
{
    m_isOver = true;
    m_stop.request_stop();
    m_retry.reset();
    m_steps.clear();
    m_usage.outputAudio = outputAudioTokens(m_audioLength);
    if (m_usage.outputText == 0) {
        for (const Item& item : m_output) {
            m_usage.outputText += wordCount(item.payload);
            for (const ContentPart& part : item.content) {
                m_usage.outputText += wordCount(part.text.value_or(""));
            }
        }
    }
    openai::ResponseDone done{{}, toWire(status)};
    done.response.statusDetails = std::move(details);
    done.response.usage = m_usage.toWire();
    m_parts.events.send(std::move(done));
    const std::int64_t remaining = std::max<std::int64_t>(0, kTokensPerMinute - m_usage.total());
    m_parts.events.send(openai::RateLimitsUpdated{{}, {{"tokens", kTokensPerMinute, remaining, 0.0}}});
    if (m_parts.onDone) {
        m_parts.onDone(std::move(m_reminders));
    }
}

} // namespace vivavoce::agent::realtime
