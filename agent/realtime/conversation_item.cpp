#include "agent/realtime/conversation.h"

#include "core/base/random_id.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::agent::realtime {

using core::Json;

namespace {

const char* roleText(ItemRole role)
{
    return role == ItemRole::User ? "user" : role == ItemRole::Assistant ? "assistant" : "system";
}

const char* statusText(ItemStatus status)
{
    return status == ItemStatus::Completed ? "completed"
        : status == ItemStatus::Incomplete ? "incomplete"
                                           : "in_progress";
}

core::Expected<ContentPart, EventFault> partFromJson(
    const Json& json, ItemRole role, WireFormat format, const std::string& path)
{
    const std::string type = json.value("type", "");
    const bool isAllowed = role == ItemRole::Assistant ? type == "output_text"
        : role == ItemRole::System                     ? type == "input_text"
                                                       : type != "output_text";
    if (!isAllowed) {
        return core::Unexpected<EventFault>(
            invalidValue(path + ".type", "Content type '" + type + "' is not supported for this role."));
    }
    ContentPart part;
    if (type == "input_text" || type == "output_text") {
        part.kind = type == "input_text" ? PartKind::InputText : PartKind::OutputText;
        part.text = json.value("text", "");
    } else if (type == "input_image") {
        part.kind = PartKind::InputImage;
    } else {
        part.kind = PartKind::InputAudio;
        if (const auto transcript = json.find("transcript"); transcript != json.end() && transcript->is_string()) {
            part.text = transcript->get<std::string>();
        }
        const auto audio = json.find("audio");
        if (audio != json.end() && audio->is_string()) {
            auto bytes = core::decodeBase64(audio->get_ref<const std::string&>());
            if (!bytes || (format == WireFormat::Pcm24k && bytes->size() % 2 != 0)) {
                return core::Unexpected<EventFault>(
                    invalidValue(path + ".audio", "The audio is not base64 of whole samples."));
            }
            part.audio = std::move(*bytes);
            part.audioLength =
                core::Milliseconds{static_cast<long long>(part.audio.size() / bytesPerMillisecond(format))};
        }
    }
    return part;
}

Json partToJson(const ContentPart& part, WithAudio withAudio)
{
    const Json words = part.text ? Json(*part.text) : Json(nullptr);
    Json json;
    switch (part.kind) {
    case PartKind::InputText:
        json = {{"type", "input_text"}, {"text", part.text.value_or("")}};
        break;
    case PartKind::OutputText:
        json = {{"type", "output_text"}, {"text", part.text.value_or("")}};
        break;
    case PartKind::InputImage:
        json = {{"type", "input_image"}};
        break;
    case PartKind::InputAudio:
        json = {{"type", "input_audio"}, {"transcript", words}};
        break;
    case PartKind::OutputAudio:
        json = {{"type", "output_audio"}, {"transcript", part.text.value_or("")}};
        break;
    }
    if (withAudio == WithAudio::Yes && !part.audio.empty()) {
        json["audio"] = core::encodeBase64(part.audio);
    }
    return json;
}

} // namespace

core::Expected<Item, EventFault> itemFromJson(const Json& json, WireFormat format, const std::string& path)
{
    Item item;
    item.id = json.value("id", "item_" + core::randomId());
    const std::string type = json.value("type", "");
    if (type == "function_call") {
        item.kind = ItemKind::FunctionCall;
        item.role = ItemRole::Assistant;
        item.callId = json.value("call_id", "call_" + core::randomId());
        item.name = json.value("name", "");
        item.payload = json.value("arguments", "");
        return item;
    }
    if (type == "function_call_output") {
        item.kind = ItemKind::FunctionOutput;
        item.callId = json.value("call_id", "");
        item.payload = json.value("output", "");
        return item;
    }
    const std::string role = json.value("role", "");
    item.role = role == "assistant" ? ItemRole::Assistant : role == "system" ? ItemRole::System : ItemRole::User;
    std::size_t index = 0;
    for (const Json& one : json.at("content")) {
        auto part = partFromJson(one, item.role, format, path + ".content[" + std::to_string(index++) + "]");
        if (!part) {
            return core::Unexpected<EventFault>(std::move(part.error()));
        }
        item.content.push_back(std::move(*part));
    }
    return item;
}

Json itemToJson(const Item& item, WithAudio withAudio)
{
    Json json{{"id", item.id}, {"object", "realtime.item"}, {"status", statusText(item.status)}};
    switch (item.kind) {
    case ItemKind::FunctionCall:
        json.update(
            {{"type", "function_call"}, {"call_id", item.callId}, {"name", item.name}, {"arguments", item.payload}});
        return json;
    case ItemKind::FunctionOutput:
        json.update({{"type", "function_call_output"}, {"call_id", item.callId}, {"output", item.payload}});
        return json;
    case ItemKind::Message:
        break;
    }
    json.update({{"type", "message"}, {"role", roleText(item.role)}, {"content", Json::array()}});
    for (const ContentPart& part : item.content) {
        json["content"].push_back(partToJson(part, withAudio));
    }
    return json;
}

DialogueItem dialogueOf(const Item& item)
{
    DialogueItem dialogue;
    dialogue.callId = item.callId;
    dialogue.name = item.name;
    dialogue.isCertain = item.isCertain;
    if (item.kind != ItemKind::Message) {
        dialogue.kind =
            item.kind == ItemKind::FunctionCall ? DialogueItem::Kind::FunctionCall : DialogueItem::Kind::FunctionOutput;
        dialogue.text = item.payload;
        return dialogue;
    }
    dialogue.kind = item.role == ItemRole::User ? DialogueItem::Kind::UserMessage
        : item.role == ItemRole::Assistant      ? DialogueItem::Kind::AssistantMessage
                                                : DialogueItem::Kind::SystemMessage;
    for (const ContentPart& part : item.content) {
        if (part.text && !part.text->empty()) {
            dialogue.text += (dialogue.text.empty() ? "" : " ") + *part.text;
        }
    }
    return dialogue;
}

} // namespace vivavoce::agent::realtime
