#include "core/protocol/openai/internal/response_fields.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::openai::internal {
namespace {

template <typename A>
void contentFields(A& a, auto& part)
{
    switch (part.type) {
    case ContentType::InputText:
    case ContentType::OutputText:
        a.expected("text", part.text);
        break;
    case ContentType::InputAudio:
    case ContentType::OutputAudio:
        a.nullIsAbsent("audio", part.audio);
        a.orNull("transcript", part.transcript);
        break;
    case ContentType::InputImage:
        a.optional("image_url", part.imageUrl);
        a.optional("detail", part.detail);
        break;
    case ContentType::Other:
        break;
    }
}

template <typename A>
void itemFields(A& a, auto& item)
{
    a.required("type", item.type);
    if (item.type == ItemType::Reference) {
        a.required("id", item.id);
        return;
    }
    a.optionalText("id", item.id);
    a.constant("object", "realtime.item");
    a.optional("status", item.status);
    switch (item.type) {
    case ItemType::Message:
        a.expected("role", item.role);
        a.expected("content", item.content);
        break;
    case ItemType::FunctionCall:
        a.optionalText("call_id", item.callId);
        a.expected("name", item.name);
        a.expected("arguments", item.arguments);
        break;
    case ItemType::FunctionCallOutput:
        a.expected("call_id", item.callId);
        a.expected("output", item.output);
        break;
    case ItemType::Reference:
    case ItemType::Other:
        break;
    }
}

bool mayHold(Role role, ContentType type)
{
    switch (type) {
    case ContentType::OutputText:
    case ContentType::OutputAudio:
        return role == Role::Assistant;
    case ContentType::InputText:
        return role != Role::Assistant;
    case ContentType::InputAudio:
    case ContentType::InputImage:
        return role == Role::User;
    case ContentType::Other:
        return true;
    }
    return true;
}

void checkRoles(const Place& place, const Item& item)
{
    for (std::size_t i = 0; i < item.content.size(); ++i) {
        if (!mayHold(item.role, item.content[i].type)) {
            const PathStep content{place.path(), "content"};
            const PathStep element{&content, {}, i};
            const PathStep type{&element, "type"};
            Place(place.state(), &type).badValue("does not go with the role");
        }
    }
}

/// An object whose "type" this code does not know: as strict readers refuse and lenient ones keep.
bool isForeign(const Place& place, const Json& json, bool isKnownType, std::string_view passedPrefix)
{
    const std::string_view type = textOf(json, "type");
    const bool isPassed = !passedPrefix.empty() && type.starts_with(passedPrefix);
    return !type.empty() && !isKnownType && (place.isLenient() || isPassed);
}

} // namespace

void readCustom(const Place& place, Json& json, Item& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    if (isForeign(place, json, fromName<ItemType>(textOf(json, "type")).has_value(), "mcp_")) {
        target.type = ItemType::Other;
        target.id = textOf(json, "id");
        place.read(json, target.raw);
        return;
    }
    Reader reader(place, json);
    itemFields(reader, target);
    reader.finish();
    if (!place.isLenient()) {
        checkRoles(place, target);
    }
}

void writeCustom(const Style& style, Json& slot, const Item& value)
{
    if (value.type == ItemType::Other) {
        put(slot, value.raw);
        return;
    }
    Writer writer(style, slot);
    itemFields(writer, value);
}

void readCustom(const Place& place, Json& json, ContentPart& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    if (isForeign(place, json, fromName<ContentType>(textOf(json, "type")).has_value(), {})) {
        target.type = ContentType::Other;
        place.read(json, target.raw);
        return;
    }
    Reader reader(place, json);
    reader.required("type", target.type);
    contentFields(reader, target);
    reader.finish();
}

void writeCustom(const Style& style, Json& slot, const ContentPart& value)
{
    if (value.type == ContentType::Other) {
        put(slot, value.raw);
        return;
    }
    Writer writer(style, slot);
    std::string_view type = nameOf(value.type);
    if (style.dialect == Dialect::Beta && type.starts_with("output_")) {
        type.remove_prefix(std::string_view("output_").size());
    }
    put(slot["type"], type);
    contentFields(writer, value);
}

void readCustom(const Place& place, Json& json, Metadata& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    for (const auto& member : json.items()) {
        if (!member.value().is_string()) {
            place.wrongType("an object of strings");
            return;
        }
        target.emplace(member.key(), member.value().get<std::string>());
    }
}

void writeCustom(const Style&, Json& slot, const Metadata& value)
{
    slot = value;
}

void readCustom(const Place& place, Json& json, TranscriptionUsage& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    Reader reader(place, json);
    reader.skip("type");
    if (textOf(json, "type") == "duration") {
        reader.expected("seconds", target.emplace<TranscriptionDuration>().seconds);
    } else {
        auto& tokens = target.emplace<TranscriptionTokens>();
        reader.expected("input_tokens", tokens.inputTokens);
        reader.expected("output_tokens", tokens.outputTokens);
        reader.expected("total_tokens", tokens.totalTokens);
        reader.optional("input_token_details", tokens.inputDetails);
    }
    reader.finish();
}

void writeCustom(const Style& style, Json& slot, const TranscriptionUsage& value)
{
    Writer writer(style, slot);
    if (const auto* tokens = std::get_if<TranscriptionTokens>(&value)) {
        slot["type"] = "tokens";
        writer.required("input_tokens", tokens->inputTokens);
        writer.required("output_tokens", tokens->outputTokens);
        writer.required("total_tokens", tokens->totalTokens);
        writer.optional("input_token_details", tokens->inputDetails);
    } else if (const auto* duration = std::get_if<TranscriptionDuration>(&value)) {
        slot["type"] = "duration";
        slot["seconds"] = duration->seconds;
    }
}

} // namespace vivavoce::core::openai::internal
