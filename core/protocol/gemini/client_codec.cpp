#include "core/protocol/gemini/internal/fields.h"

#include <nlohmann/json.hpp>

#include <charconv>

namespace vivavoce::core::gemini {
namespace {

using Fault = ProtocolError::Fault;

/// URL-safe and unpadded, which proto3 takes, too, is made what ours reads.
std::optional<Bytes> decodeProtoBytes(std::string text)
{
    for (char& c : text) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    if (text.find('=') == std::string::npos) {
        text.append((4 - text.size() % 4) % 4, '=');
    }
    return decodeBase64(text);
}

template <typename Message>
Expected<ClientMessage, ProtocolError> readAs(Json& body)
{
    ReadState state{openai::internal::Reading::StrictGa, std::nullopt};
    const std::string key(Message::kKey);
    const openai::internal::PathStep step{nullptr, key};
    const Place place(state, &step);
    Message message;
    if (place.expectObject(body)) {
        Reader reader(place, body);
        fields(reader, message);
        reader.finish();
    }
    if (state.fault) {
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    return ClientMessage(std::move(message));
}

} // namespace

template <typename A, Is<ClientContent> E>
void fields(A& a, E& e)
{
    if constexpr (A::kReads) {
        std::optional<std::vector<Content>> turns;
        a.optional("turns", turns);
        e.turns = std::move(turns).value_or(std::vector<Content>());
    } else {
        a.required("turns", e.turns);
    }
    a.optional("turnComplete", e.turnComplete);
}

template <typename A, Is<RealtimeInput> E>
void fields(A& a, E& e)
{
    a.optional("audio", e.audio);
    a.optional("video", e.video);
    a.optional("audioStreamEnd", e.audioStreamEnd);
    a.optional("activityStart", e.activityStart);
    a.optional("activityEnd", e.activityEnd);
    a.optional("text", e.text);
}

template <typename A, Is<ToolResponse> E>
void fields(A& a, E& e)
{
    a.required("functionResponses", e.functionResponses);
}

void readCustom(const Place& place, Json& json, Int64& target)
{
    const auto* text = json.get_ptr<const std::string*>();
    if (text == nullptr) {
        place.read(json, target.value);
        return;
    }
    const auto [end, fault] = std::from_chars(text->data(), text->data() + text->size(), target.value);
    if (text->empty() || fault != std::errc() || end != text->data() + text->size()) {
        place.badValue("is not an integer");
    }
}

void writeCustom(const Style&, Json& slot, const Int64& value)
{
    slot = std::to_string(value.value);
}

void readCustom(const Place& place, Json& json, Blob& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    if (!place.isLenient()) {
        Reader reader(place, json);
        fields(reader, target);
        reader.finish();
        return;
    }
    const auto type = json.find("mimeType");
    const auto data = json.find("data");
    target.mimeType = type != json.end() && type->is_string() ? type->get<std::string>() : std::string();
    auto bytes = data != json.end() && data->is_string() ? decodeProtoBytes(std::move(data->get_ref<std::string&>()))
                                                         : std::nullopt;
    target.isGarbled = !bytes;
    target.data = std::move(bytes).value_or(Bytes());
}

Expected<Json, ProtocolError> parseObject(std::string_view text)
{
    auto tree = parseJson(text);
    if (!tree) {
        return Unexpected<ProtocolError>(
            {Fault::NotJson, {}, "The text is not JSON: " + tree.error().detail + ".", {}});
    }
    if (!tree->is_object()) {
        return Unexpected<ProtocolError>({Fault::NotObject, {}, "A message must be an object.", {}});
    }
    return std::move(*tree);
}

std::string modelPath(std::string_view model)
{
    return (model.find('/') == std::string_view::npos ? "models/" : "") + std::string(model);
}

std::string encode(const ClientMessage& message)
{
    Json tree = Json::object();
    std::visit(
        [&tree](const auto& known) {
            Writer writer({openai::Dialect::Ga, openai::internal::Speaker::Client}, tree[std::string(known.kKey)]);
            fields(writer, known);
        },
        message);
    return writeJson(tree);
}

Expected<ClientMessage, ProtocolError> decodeClientMessage(std::string_view text)
{
    auto tree = parseObject(text);
    if (!tree) {
        return Unexpected<ProtocolError>(std::move(tree.error()));
    }
    if (tree->size() != 1) {
        return Unexpected<ProtocolError>({Fault::BadValue, {}, "A message must have exactly one key.", {}});
    }
    Json& body = tree->begin().value();
    const std::string& key = tree->begin().key();
    if (key == Setup::kKey) {
        return readAs<Setup>(body);
    }
    if (key == ClientContent::kKey) {
        return readAs<ClientContent>(body);
    }
    if (key == ToolResponse::kKey) {
        return readAs<ToolResponse>(body);
    }
    if (key != RealtimeInput::kKey) {
        return Unexpected<ProtocolError>({Fault::UnknownField, {}, "The message is of no known kind.", {}});
    }
    if (!body.is_object() || body.size() != 1) {
        return Unexpected<ProtocolError>(
            {Fault::BadValue, std::string(key), "A realtimeInput must have exactly one key.", {}});
    }
    return readAs<RealtimeInput>(body);
}

} // namespace vivavoce::core::gemini
