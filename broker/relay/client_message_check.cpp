#include "broker/relay/client_message_check.h"

#include "broker/relay/json_place.h"
#include "broker/relay/message_scan.h"
#include "broker/relay/session_meter.h"
#include "core/base/random_id.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

using core::Json;

constexpr std::string_view kLocked = "locked_by_policy";
constexpr std::string_view kWithoutPrice = "transcriber_without_price";

bool isAsWritten(std::string_view written, std::string_view name)
{
    return written == name;
}

Place placeAt(const Json& from, std::initializer_list<std::string_view> path)
{
    return findPlace(from, path, {isSameName, isAsWritten});
}

bool isNothing(const Json& value)
{
    return value.is_null();
}

/// By its name alone, which another one beside it would contradict.
bool isAllowedTool(const Json& tool, const std::vector<std::string>& names)
{
    const Place type = placeAt(tool, {"type"});
    const Place name = placeAt(tool, {"name"});
    return type.value != nullptr && *type.value == "function" && name.value != nullptr && isOneOf(*name.value, names)
        && !isBroken(placeAt(tool, {"function"}), isNever);
}

bool areAllowedTools(const Json& tools, const std::vector<std::string>& names)
{
    return tools.is_array()
        && std::all_of(tools.begin(), tools.end(), [&](const Json& tool) { return isAllowedTool(tool, names); });
}

bool isAllowedChoice(const Json& choice, const std::vector<std::string>& names)
{
    const bool isMode = choice == "auto" || choice == "none" || choice == "required";
    return isMode || choice.is_null() || isAllowedTool(choice, names);
}

/// The first thing in an item that is locked; empty: nothing.
std::string lockedInItem(const Json& item, const Locks& locks)
{
    // By whom else than the two who talk: a system's and a developer's are instructions, and so may be what nobody knows yet.
    const auto isTalker = [](const Json& role) { return role == "user" || role == "assistant"; };
    const Place role = placeAt(item, {"role"});
    const Place type = placeAt(item, {"type"});
    // A message without one is whoever's the provider likes.
    const bool isAnybodys =
        item.is_object() && role.value == nullptr && type.value != nullptr && *type.value == "message";
    if (locks.areInstructionsFixed && (isAnybodys || isBroken(role, isTalker))) {
        return "role";
    }
    const auto areAllowed = [&](const Json& tools) { return areAllowedTools(tools, *locks.tools); };
    return locks.tools && isBroken(placeAt(item, {"tools"}), areAllowed) ? "tools" : "";
}

/// Of what a response is to be made of, in place of what was said.
bool areAllowedItems(const Json& input, const Locks& locks)
{
    return input.is_array()
        && std::all_of(input.begin(), input.end(), [&](const Json& item) { return lockedInItem(item, locks).empty(); });
}

/// What compatible servers have beside the protocol: speaches' second model, and LocalAI's, which bring functions and instructions.
std::string foreignField(const Json& settings, const Locks& locks)
{
    if (!settings.is_object()) {
        return {};
    }
    const bool isLocked = locks.voices || locks.tools || locks.areInstructionsFixed;
    for (const auto& item : settings.items()) {
        std::string name = item.key();
        std::transform(name.begin(), name.end(), name.begin(),
            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        if (name == "speech_model" || (isLocked && name.starts_with("localai_"))) {
            return item.key();
        }
    }
    return {};
}

/// A prompt template brings instructions, tools and a voice of its own; none brings none.
std::string lockedField(const Json& settings, const Locks& locks)
{
    const auto isModel = [&](const Json& model) { return model == locks.model; };
    if (isBroken(placeAt(settings, {"model"}), isModel)) {
        return "model";
    }
    if (std::string field = foreignField(settings, locks); !field.empty()) {
        return field;
    }
    if (locks.voices) {
        const auto isVoice = [&](const Json& voice) { return isOneOf(voice, *locks.voices); };
        if (isBroken(placeAt(settings, {"audio", "output", "voice"}), isVoice)) {
            return "audio.output.voice";
        }
        if (isBroken(placeAt(settings, {"voice"}), isVoice)) {
            return "voice";
        }
    }
    if (locks.tools) {
        const auto areTools = [&](const Json& tools) { return areAllowedTools(tools, *locks.tools); };
        const auto isChoice = [&](const Json& choice) { return isAllowedChoice(choice, *locks.tools); };
        if (isBroken(placeAt(settings, {"tools"}), areTools)) {
            return "tools";
        }
        if (isBroken(placeAt(settings, {"tool_choice"}), isChoice)) {
            return "tool_choice";
        }
    }
    if (locks.areInstructionsFixed && isBroken(placeAt(settings, {"instructions"}), isNever)) {
        return "instructions";
    }
    const bool isTemplateLocked = locks.voices || locks.tools || locks.areInstructionsFixed;
    if (isTemplateLocked && isBroken(placeAt(settings, {"prompt"}), locks.areInstructionsFixed ? isNever : isNothing)) {
        return "prompt";
    }
    const auto areItems = [&](const Json& input) { return areAllowedItems(input, locks); };
    const bool areItemsLocked = locks.tools || locks.areInstructionsFixed;
    return areItemsLocked && isBroken(placeAt(settings, {"input"}), areItems) ? "input" : "";
}

/// The first transcriber whose price nobody knows; empty: none.
std::string transcriberWithoutPrice(const Json& settings, const core::PriceList& prices)
{
    const auto isPriced = [&](const Json& transcription) {
        const Place model = placeAt(transcription, {"model"});
        const bool isNamed = model.value != nullptr && model.value->is_string();
        return transcription.is_null()
            || (isNamed && prices.find(model.value->get_ref<const std::string&>(), core::WallTime()) != nullptr);
    };
    if (isBroken(placeAt(settings, {"audio", "input", "transcription"}), isPriced)) {
        return "audio.input.transcription.model";
    }
    return isBroken(placeAt(settings, {"input_audio_transcription"}), isPriced) ? "input_audio_transcription.model"
                                                                                : "";
}

/// Letters of base64, wherever they are.
std::size_t lettersIn(const Json& value)
{
    std::size_t letters = 0;
    if (value.is_object()) {
        for (const auto& [name, member] : value.get_ref<const Json::object_t&>()) {
            const bool isSound = member.is_string() && isSameName(name, "audio");
            letters += isSound ? member.get_ref<const std::string&>().size() : lettersIn(member);
        }
    } else if (value.is_array()) {
        for (const Json& element : value) {
            letters += lettersIn(element);
        }
    }
    return letters;
}

Verdict refused(std::string_view code, std::string_view why, std::string field)
{
    Verdict verdict;
    verdict.kind = Verdict::Kind::Refuse;
    verdict.code = code;
    verdict.why = why;
    verdict.field = std::move(field);
    return verdict;
}

Verdict locked(std::string field)
{
    return refused(kLocked, "The operator does not let a session change this.", std::move(field));
}

/// As the provider will name the event: what was written with escapes is not that. Nothing: it cannot be read.
std::optional<std::string> decoded(std::string_view written)
{
    if (written.find('\\') == std::string_view::npos) {
        return std::string(written);
    }
    const auto text = core::parseJson('"' + std::string(written) + '"');
    return text && text->is_string() ? std::optional(text->get<std::string>()) : std::nullopt;
}

bool isChange(std::string_view type)
{
    return type == "session.update" || type == "transcription_session.update" || type == "response.create"
        || type == "conversation.item.create";
}

} // namespace

Verdict ClientMessageCheck::look(net::WebSocketMessage& message)
{
    if (message.kind != net::WebSocketMessage::Kind::Text) {
        return Verdict::end("unexpected_binary");
    }
    if (hasTooManyMarks(message.data)) {
        return Verdict::tooBig();
    }
    const MessageScan scan = scanClientMessage(message.data);
    if (!scan.fault.empty()) {
        return Verdict::end(scan.fault);
    }
    auto eventId = decoded(scan.eventId);
    if (scan.hasHalfCharacter) {
        // No reader makes anything else of it than of the rest: it is the one event that is wrong.
        Verdict verdict = refused("invalid_json", "There is half a character in it: one of a pair of escapes.", {});
        verdict.eventId = std::move(eventId).value_or(std::string());
        return verdict;
    }
    if (!eventId) {
        return Verdict::end("invalid_json");
    }
    Verdict verdict;
    if (scan.hasParts || isChange(scan.type)) {
        verdict = lookAtChange(message.data, scan.type);
    } else if (scan.type == "input_audio_buffer.append") {
        verdict.audio = soundIn(scan.audio.size(), m_bytesPerMillisecond);
    }
    verdict.mayHoldWords = scan.type == "conversation.item.create" || scan.type == "conversation.item.truncate";
    verdict.eventId = std::move(*eventId);
    verdict.asksForResponse = verdict.kind == Verdict::Kind::Pass && scan.type == "response.create";
    return verdict;
}

std::optional<std::string> ClientMessageCheck::refusal(const Verdict& verdict) const
{
    Json error{{"type", "invalid_request_error"}, {"code", verdict.code}, {"message", verdict.why}};
    error["param"] = verdict.field.empty() ? Json(nullptr) : Json(verdict.field);
    error["event_id"] = verdict.eventId.empty() ? Json(nullptr) : Json(verdict.eventId);
    return core::writeJson(
        Json{{"type", "error"}, {"event_id", "event_" + core::randomId()}, {"error", std::move(error)}});
}

Verdict ClientMessageCheck::lookAtChange(std::string_view text, std::string_view type) const
{
    const auto event = core::parseJson(text);
    if (!event) {
        return Verdict::end("invalid_json");
    }
    std::optional<Verdict> refusal;
    // A reader may take what belongs into a part from the event itself.
    if (type == "conversation.item.create") {
        refusal = lookAtItem(*event, {});
    } else if (isChange(type)) {
        refusal = lookAtSettings(*event, {});
    }
    // Whatever the type: a provider may know more of them.
    for (const char* const name : {"session", "response", "item"}) {
        const Place part = placeAt(*event, {name});
        const bool isPart =
            !part.isWrong && (part.value == nullptr || part.value->is_null() || part.value->is_object());
        if (!refusal && !isPart) {
            refusal = locked(name);
        }
        if (!refusal && part.value != nullptr) {
            const std::string prefix = name + std::string(".");
            refusal = name == std::string_view("item") ? lookAtItem(*part.value, prefix)
                                                       : lookAtSettings(*part.value, prefix);
        }
    }
    if (refusal) {
        return std::move(*refusal);
    }
    Verdict verdict;
    verdict.audio = soundIn(lettersIn(*event), m_bytesPerMillisecond);
    return verdict;
}

std::optional<Verdict> ClientMessageCheck::lookAtItem(const Json& item, const std::string& prefix) const
{
    const std::string field = lockedInItem(item, m_locks);
    return field.empty() ? std::nullopt : std::optional(locked(prefix + field));
}

std::optional<Verdict> ClientMessageCheck::lookAtSettings(const Json& settings, const std::string& prefix) const
{
    if (const std::string field = lockedField(settings, m_locks); !field.empty()) {
        return locked(prefix + field);
    }
    if (m_locks.transcribersPrices != nullptr) {
        if (const std::string field = transcriberWithoutPrice(settings, *m_locks.transcribersPrices); !field.empty()) {
            return refused(
                kWithoutPrice, "There is a budget, and nobody knows what this transcriber costs.", prefix + field);
        }
    }
    return std::nullopt;
}

} // namespace vivavoce::broker::relay
