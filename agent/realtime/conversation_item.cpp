#include "agent/realtime/conversation.h"

#include "core/base/random_id.h"

#include <utility>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

namespace {

core::Expected<ContentPart, EventFault> partFromWire(
    openai::ContentPart wire, WireFormat format, const std::string& path)
{
    ContentPart part;
    part.kind = wire.type;
    if (part.kind == PartKind::InputText || part.kind == PartKind::OutputText) {
        part.text = std::move(wire.text).value_or(std::string());
    } else if (part.kind == PartKind::InputAudio) {
        part.text = std::move(wire.transcript);
        part.audio = std::move(wire.audio).value_or(core::Bytes());
        if (format == WireFormat::Pcm && part.audio.size() % 2 != 0) {
            return core::Unexpected<EventFault>(invalidValue(path + ".audio", "The audio is not whole samples."));
        }
        part.audioLength = playTime(part.audio.size(), format);
    }
    return part;
}

} // namespace

core::Expected<Item, EventFault> itemFromWire(openai::Item wire, WireFormat format, const std::string& path)
{
    Item item;
    item.kind = wire.type;
    item.role = wire.type == ItemKind::FunctionCall ? ItemRole::Assistant : wire.role;
    item.id = wire.id.empty() ? "item_" + core::randomId() : std::move(wire.id);
    item.callId = std::move(wire.callId);
    if (wire.type == ItemKind::FunctionCall && item.callId.empty()) {
        item.callId = "call_" + core::randomId();
    }
    item.name = std::move(wire.name);
    item.payload = std::move(wire.type == ItemKind::FunctionCall ? wire.arguments : wire.output);
    for (std::size_t i = 0; i < wire.content.size(); ++i) {
        auto part = partFromWire(std::move(wire.content[i]), format, path + ".content[" + std::to_string(i) + "]");
        if (!part) {
            return core::Unexpected<EventFault>(std::move(part.error()));
        }
        item.content.push_back(std::move(*part));
    }
    return item;
}

openai::ContentPart partToWire(const ContentPart& part, WithAudio withAudio)
{
    openai::ContentPart wire;
    wire.type = part.kind;
    if (part.kind == PartKind::InputAudio || part.kind == PartKind::OutputAudio) {
        wire.transcript = part.text;
    } else if (part.kind != PartKind::InputImage) {
        wire.text = part.text;
    }
    if (withAudio == WithAudio::Yes && !part.audio.empty()) {
        wire.audio = part.audio;
    }
    return wire;
}

openai::Item itemToWire(const Item& item, WithAudio withAudio)
{
    openai::Item wire;
    wire.type = item.kind;
    wire.id = item.id;
    wire.status = item.status;
    wire.role = item.role;
    wire.callId = item.callId;
    wire.name = item.name;
    (item.kind == ItemKind::FunctionCall ? wire.arguments : wire.output) = item.payload;
    for (const ContentPart& part : item.content) {
        wire.content.push_back(partToWire(part, withAudio));
    }
    return wire;
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
