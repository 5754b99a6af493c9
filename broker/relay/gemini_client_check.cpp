#include "broker/relay/gemini_client_check.h"

#include "broker/relay/gemini_sound.h"
#include "broker/relay/json_place.h"
#include "broker/relay/message_scan.h"
#include "core/protocol/gemini/codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace vivavoce::broker::relay {
namespace {

using core::Json;

constexpr std::string_view kLocked = "locked_by_policy";
constexpr std::string_view kUnknown = "unknown_message";
constexpr std::string_view kUnknownSound = "unknown_audio_format";

/// "turn_complete" for "turnComplete": proto3 takes either.
std::string otherSpelling(std::string_view name)
{
    std::string other;
    for (const char c : name) {
        if (c >= 'A' && c <= 'Z') {
            other += '_';
            other += static_cast<char>(c - 'A' + 'a');
        } else {
            other += c;
        }
    }
    return other;
}

bool isSpelt(std::string_view written, std::string_view name)
{
    return written == name || written == otherSpelling(name);
}

Place placeAt(const Json& from, std::initializer_list<std::string_view> path)
{
    return findPlace(from, path, {isSameSpelling, isSpelt});
}

/// An object with that member and no other.
template <typename Allowed>
bool isOnly(const Json& value, std::string_view name, Allowed isAllowed)
{
    return value.is_object() && value.size() == 1 && isSpelt(value.begin().key(), name) && isAllowed(value.front());
}

bool isVoice(const Json& config, const std::vector<std::string>& names)
{
    return isOnly(config, "prebuiltVoiceConfig", [&](const Json& voice) {
        return isOnly(voice, "voiceName", [&](const Json& name) { return isOneOf(name, names); });
    });
}

/// Functions alone, by their names: whatever else there is, it is the provider's own tool.
bool areAllowedTools(const Json& tools, const std::vector<std::string>& names)
{
    const auto isFunction = [&](const Json& function) {
        const Place name = placeAt(function, {"name"});
        return name.value != nullptr && isOneOf(*name.value, names);
    };
    const auto areFunctions = [&](const Json& functions) {
        return functions.is_array() && std::all_of(functions.begin(), functions.end(), isFunction);
    };
    return tools.is_array() && std::all_of(tools.begin(), tools.end(), [&](const Json& tool) {
        return isOnly(tool, "functionDeclarations", areFunctions);
    });
}

/// The first thing in a setup that is locked; empty: nothing.
std::string lockedField(const Json& setup, const Locks& locks)
{
    const auto isModel = [&](const Json& model) {
        return model == locks.model || model == core::gemini::modelPath(locks.model);
    };
    if (isBroken(placeAt(setup, {"model"}), isModel)) {
        return "model";
    }
    if (locks.voices) {
        const auto isAllowed = [&](const Json& config) { return isVoice(config, *locks.voices); };
        if (isBroken(placeAt(setup, {"generationConfig", "speechConfig", "voiceConfig"}), isAllowed)) {
            return "generationConfig.speechConfig.voiceConfig";
        }
        if (isBroken(placeAt(setup, {"generationConfig", "speechConfig", "multiSpeakerVoiceConfig"}), isNever)) {
            return "generationConfig.speechConfig.multiSpeakerVoiceConfig";
        }
    }
    if (locks.tools) {
        const auto areTools = [&](const Json& tools) { return areAllowedTools(tools, *locks.tools); };
        if (isBroken(placeAt(setup, {"tools"}), areTools)) {
            return "tools";
        }
    }
    return locks.areInstructionsFixed && isBroken(placeAt(setup, {"systemInstruction"}), isNever) ? "systemInstruction"
                                                                                                  : "";
}

/// By whom else than the two who talk: that would be instructions.
bool isTalker(const Json& role)
{
    const auto* const name = role.get_ptr<const std::string*>();
    return role.is_null() || (name != nullptr && (name->empty() || *name == "user" || *name == "model"));
}

/// Elements of an array; of what is none, that alone.
template <typename See>
void forEach(const Json* value, See see)
{
    if (value != nullptr && value->is_array()) {
        std::for_each(value->begin(), value->end(), see);
    } else if (value != nullptr) {
        see(*value);
    }
}

/// Adds what sound there is in it. False: nobody can tell how much.
bool addSound(const Json& blob, core::Milliseconds& audio)
{
    const Place data = placeAt(blob, {"data"});
    const Place type = placeAt(blob, {"mimeType"});
    if (data.isWrong || type.isWrong) {
        return false;
    }
    if (data.value == nullptr || !data.value->is_string()) {
        return true;
    }
    const bool isNamed = type.value != nullptr && type.value->is_string();
    const std::string_view name = isNamed ? type.value->get_ref<const std::string&>() : std::string_view("audio/pcm");
    if (name.starts_with("image/") || name.starts_with("video/")) {
        return true;
    }
    constexpr std::size_t kLetters = 4;
    constexpr std::size_t kBytes = 3;
    const std::size_t bytes = data.value->get_ref<const std::string&>().size() * kBytes / kLetters;
    const auto sound = geminiSound(name, bytes, core::kSpeechRate);
    audio += sound.value_or(core::Milliseconds{0});
    return sound.has_value();
}

bool isTrue(const Place& place)
{
    return place.value != nullptr && *place.value == true;
}

bool isThere(const Place& place)
{
    return place.value != nullptr && !place.value->is_null();
}

Verdict verdictOnInput(const Json& input)
{
    Verdict verdict;
    bool isCounted = true;
    // The last one is what it was called before.
    for (const char* const name : {"audio", "video", "mediaChunks"}) {
        const Place place = placeAt(input, {name});
        isCounted = isCounted && !place.isWrong;
        forEach(place.value, [&](const Json& blob) { isCounted = isCounted && addSound(blob, verdict.audio); });
    }
    if (!isCounted) {
        return Verdict::end(kUnknownSound);
    }
    const Place text = placeAt(input, {"text"});
    const Place end = placeAt(input, {"activityEnd"});
    if (text.isWrong || end.isWrong) {
        return Verdict::end(kUnknown);
    }
    verdict.asksForResponse = isThere(text) || isThere(end);
    verdict.mayHoldWords = isThere(text);
    return verdict;
}

} // namespace

Verdict GeminiClientCheck::look(net::WebSocketMessage& message)
{
    if (message.kind != net::WebSocketMessage::Kind::Text) {
        return Verdict::end("unexpected_binary");
    }
    if (hasTooManyMarks(message.data)) {
        return Verdict::tooBig();
    }
    const MessageScan scan = scanGeminiMessage(message.data);
    if (!scan.fault.empty()) {
        return Verdict::end(scan.fault);
    }
    const auto tree = core::parseJson(message.data);
    if (!tree || scan.hasHalfCharacter) {
        return Verdict::end("invalid_json");
    }
    const Json& body = tree->front();
    const auto is = [&scan](std::string_view name) { return isSpelt(scan.type, name); };
    if (!body.is_object()) {
        return Verdict::end(kUnknown);
    }
    if (is("setup") == m_isSetUp) {
        return Verdict::end(m_isSetUp ? "second_setup" : "setup_expected");
    }
    if (is("setup")) {
        return lookAtSetup(body);
    }
    if (is("clientContent")) {
        return lookAtContent(body);
    }
    if (is("realtimeInput")) {
        return verdictOnInput(body);
    }
    Verdict verdict;
    verdict.isWaitedFor = true;
    return verdict;
}

Verdict GeminiClientCheck::lookAtSetup(const Json& setup)
{
    if (std::string field = lockedField(setup, m_locks); !field.empty()) {
        return Verdict::end(kLocked, "setup." + field);
    }
    m_isSetUp = true;
    m_takesHistory = isTrue(placeAt(setup, {"historyConfig", "initialHistoryInClientContent"}));
    return {};
}

Verdict GeminiClientCheck::lookAtContent(const Json& content)
{
    Verdict verdict;
    bool isLocked = false;
    bool isCounted = true;
    const Place turns = placeAt(content, {"turns"});
    forEach(turns.value, [&](const Json& turn) {
        isLocked = isLocked || (m_locks.areInstructionsFixed && isBroken(placeAt(turn, {"role"}), isTalker));
        const Place parts = placeAt(turn, {"parts"});
        isCounted = isCounted && !parts.isWrong;
        forEach(parts.value, [&](const Json& part) {
            const Place blob = placeAt(part, {"inlineData"});
            isCounted = isCounted && !blob.isWrong && (blob.value == nullptr || addSound(*blob.value, verdict.audio));
        });
    });
    const Place end = placeAt(content, {"turnComplete"});
    if (isLocked) {
        return Verdict::end(kLocked, "clientContent.turns.role");
    }
    if (!isCounted) {
        return Verdict::end(kUnknownSound);
    }
    if (turns.isWrong || end.isWrong) {
        return Verdict::end(kUnknown);
    }
    // History was said before.
    verdict.mayHoldWords = !m_takesHistory;
    verdict.asksForResponse = isTrue(end) && !std::exchange(m_takesHistory, false);
    return verdict;
}

} // namespace vivavoce::broker::relay
