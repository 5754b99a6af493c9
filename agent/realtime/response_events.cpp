// The part of ResponseRun that knows the shapes and the order of its events.
#include "agent/realtime/response_run.h"

#include "core/base/random_id.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

using core::Json;

namespace {

/// What rate_limits.updated tells: nothing is rationed here, and clients that show the figures show a full tank.
constexpr std::int64_t kTokensPerMinute = 1'000'000;

} // namespace

Json ResponseRun::event(const char* type) const
{
    return {{"type", type}, {"response_id", m_id}, {"output_index", m_output.empty() ? 0 : m_output.size() - 1}};
}

Json ResponseRun::partEvent(const char* type) const
{
    Json json = event(type);
    json["item_id"] = m_output.back().id;
    json["content_index"] = 0;
    return json;
}

Json ResponseRun::partJson() const
{
    const std::string& text = *m_output.back().content.front().text;
    if (m_settings.modality == Modality::Audio) {
        return {{"type", "audio"}, {"transcript", text}};
    }
    return {{"type", "text"}, {"text", text}};
}

void ResponseRun::addItem(Item item)
{
    m_output.push_back(std::move(item));
    const Item& added = m_output.back();
    Json json = event("response.output_item.added");
    json["item"] = itemToJson(added, WithAudio::No);
    m_parts.events.send(std::move(json));
    if (m_parts.conversation == nullptr) {
        return;
    }
    const auto previous = m_parts.conversation->insert(added, std::nullopt);
    const bool hasPrevious = previous && !previous->empty();
    m_parts.events.send(
        {{"type", "conversation.item.added"}, {"previous_item_id", hasPrevious ? Json(*previous) : Json(nullptr)},
            {"item", itemToJson(added, WithAudio::No)}});
}

void ResponseRun::itemDone(const Item& item, std::size_t index)
{
    if (m_parts.conversation != nullptr) {
        if (Item* const kept = m_parts.conversation->find(item.id)) {
            kept->status = item.status;
        }
        const std::string previous = m_parts.conversation->before(item.id);
        m_parts.events.send({{"type", "conversation.item.done"},
            {"previous_item_id", previous.empty() ? Json(nullptr) : Json(previous)},
            {"item", itemToJson(item, WithAudio::No)}});
    }
    m_parts.events.send({{"type", "response.output_item.done"}, {"response_id", m_id}, {"output_index", index},
        {"item", itemToJson(item, WithAudio::No)}});
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
    Json json = partEvent("response.content_part.added");
    json["part"] = partJson();
    m_parts.events.send(std::move(json));
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
        m_parts.events.send(partEvent("response.output_audio.done"));
        Json transcript = partEvent("response.output_audio_transcript.done");
        transcript["transcript"] = *part.text;
        m_parts.events.send(std::move(transcript));
    } else {
        Json text = partEvent("response.output_text.done");
        text["text"] = *part.text;
        m_parts.events.send(std::move(text));
    }
    Json done = partEvent("response.content_part.done");
    done["part"] = partJson();
    m_parts.events.send(std::move(done));
    itemDone(item, m_output.size() - 1);
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
    Json ids = event("");
    ids["item_id"] = added.id;
    ids["call_id"] = added.callId;
    Json delta = ids;
    delta["type"] = "response.function_call_arguments.delta";
    delta["delta"] = call.arguments;
    m_parts.events.send(std::move(delta));
    ids["type"] = "response.function_call_arguments.done";
    ids["name"] = call.name;
    ids["arguments"] = call.arguments;
    m_parts.events.send(std::move(ids));
    itemDone(added, m_output.size() - 1);
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

Json ResponseRun::toJson(const char* status, const Json& details, bool hasUsage) const
{
    Json output = Json::array();
    for (const Item& item : m_output) {
        output.push_back(itemToJson(item, WithAudio::No));
    }
    const bool isAudio = m_settings.modality == Modality::Audio;
    const char* const format = m_settings.outputFormat == WireFormat::Pcmu ? "audio/pcmu" : "audio/pcma";
    const Json formatJson = m_settings.outputFormat == WireFormat::Pcm24k
        ? Json{{"type", "audio/pcm"}, {"rate", 24'000}}
        : Json{{"type", format}};
    const auto parsed = [](const std::string& text) {
        return text.empty() ? Json(nullptr) : core::parseJson(text).value_or(Json(nullptr));
    };
    return {{"object", "realtime.response"}, {"id", m_id}, {"status", status}, {"status_details", details},
        {"output", output},
        {"conversation_id", m_parts.conversation != nullptr ? Json(m_parts.conversationId) : Json(nullptr)},
        {"output_modalities", Json::array({isAudio ? "audio" : "text"})},
        {"max_output_tokens", m_settings.maxOutputTokens ? Json(*m_settings.maxOutputTokens) : Json("inf")},
        {"audio", {{"output", {{"format", formatJson}, {"voice", parsed(m_settings.voiceJson)}}}}},
        {"metadata", parsed(m_settings.metadataJson)}, {"usage", hasUsage ? m_usage.toJson() : Json(nullptr)}};
}

void ResponseRun::finish(const char* status, Json details)
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
    m_parts.events.send({{"type", "response.done"}, {"response", toJson(status, details, true)}});
    const std::int64_t remaining = std::max<std::int64_t>(0, kTokensPerMinute - m_usage.total());
    m_parts.events.send({{"type", "rate_limits.updated"},
        {"rate_limits",
            Json::array({{{"name", "tokens"}, {"limit", kTokensPerMinute}, {"remaining", remaining},
                {"reset_seconds", 0.0}}})}});
    if (m_parts.onDone) {
        m_parts.onDone(std::move(m_reminders));
    }
}

} // namespace vivavoce::agent::realtime
