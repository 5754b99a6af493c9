#include "broker/relay/client_message_check.h"

#include "broker/relay/message_scan.h"
#include "broker/relay/session_meter.h"
#include "core/base/json_path.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

using core::Json;

constexpr std::string_view kLocked = "locked_by_policy";
constexpr std::string_view kWithoutPrice = "transcriber_without_price";

bool isOneOf(const Json& value, const std::vector<std::string>& names)
{
    return value.is_string()
        && std::find(names.begin(), names.end(), value.get_ref<const std::string&>()) != names.end();
}

/// Every one a function of that list.
bool areAllowedTools(const Json& tools, const std::vector<std::string>& names)
{
    return tools.is_array() && std::all_of(tools.begin(), tools.end(), [&](const Json& tool) {
        const Json* const type = core::findAt(tool, {"type"});
        const Json* const name = core::findAt(tool, {"name"});
        return type != nullptr && *type == "function" && name != nullptr && isOneOf(*name, names);
    });
}

/// By whom else than the two who talk: a system's and a developer's are instructions, and so may be what nobody knows yet.
bool mayInstruct(const Json& item)
{
    const Json* const role = core::findAt(item, {"role"});
    return role != nullptr && *role != "user" && *role != "assistant";
}

/// The first thing in a session's or a response's settings that is locked; empty: nothing.
std::string lockedField(const Json& settings, const Locks& locks)
{
    if (const Json* const model = core::findAt(settings, {"model"}); model != nullptr && *model != locks.model) {
        return "model";
    }
    if (locks.voices) {
        const Json* const voice = core::findAt(settings, {"audio", "output", "voice"});
        if (voice != nullptr && !isOneOf(*voice, *locks.voices)) {
            return "audio.output.voice";
        }
        const Json* const betaVoice = core::findAt(settings, {"voice"});
        if (betaVoice != nullptr && !isOneOf(*betaVoice, *locks.voices)) {
            return "voice";
        }
    }
    if (locks.tools) {
        const Json* const tools = core::findAt(settings, {"tools"});
        if (tools != nullptr && !areAllowedTools(*tools, *locks.tools)) {
            return "tools";
        }
        // A prompt template brings tools of its own; none brings none.
        const Json* const prompt = core::findAt(settings, {"prompt"});
        if (prompt != nullptr && !prompt->is_null()) {
            return "prompt";
        }
    }
    if (locks.areInstructionsFixed) {
        // A prompt template brings instructions of its own.
        for (const char* const name : {"instructions", "prompt"}) {
            if (core::findAt(settings, {name}) != nullptr) {
                return name;
            }
        }
        const Json* const input = core::findAt(settings, {"input"});
        if (input != nullptr && (!input->is_array() || std::any_of(input->begin(), input->end(), mayInstruct))) {
            return "input";
        }
    }
    return {};
}

/// The first transcriber whose price nobody knows; empty: none.
std::string transcriberWithoutPrice(const Json& settings, const core::PriceList& prices)
{
    const auto isPriced = [&](const Json* transcription) {
        if (transcription == nullptr || transcription->is_null()) {
            return true;
        }
        const Json* const model = core::findAt(*transcription, {"model"});
        return model != nullptr && model->is_string()
            && prices.find(model->get_ref<const std::string&>(), core::WallTime()) != nullptr;
    };
    if (!isPriced(core::findAt(settings, {"audio", "input", "transcription"}))) {
        return "audio.input.transcription.model";
    }
    return isPriced(core::findAt(settings, {"input_audio_transcription"})) ? "" : "input_audio_transcription.model";
}

/// Letters of base64 in an item's content.
std::size_t lettersIn(const Json& item)
{
    const Json* const content = core::findAt(item, {"content"});
    std::size_t letters = 0;
    if (content != nullptr && content->is_array()) {
        for (const Json& part : *content) {
            const Json* const audio = core::findAt(part, {"audio"});
            letters += audio != nullptr && audio->is_string() ? audio->get_ref<const std::string&>().size() : 0;
        }
    }
    return letters;
}

/// The same in those that a response is to be made of.
std::size_t lettersInInput(const Json& settings)
{
    const Json* const input = core::findAt(settings, {"input"});
    std::size_t letters = 0;
    if (input != nullptr && input->is_array()) {
        for (const Json& item : *input) {
            letters += lettersIn(item);
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

Verdict ended(std::string_view code)
{
    Verdict verdict;
    verdict.kind = Verdict::Kind::End;
    verdict.code = code;
    return verdict;
}

} // namespace

Verdict ClientMessageCheck::look(net::WebSocketMessage& message) const
{
    if (message.kind != net::WebSocketMessage::Kind::Text) {
        return ended("unexpected_binary");
    }
    if (hasTooManyMarks(message.data)) {
        Verdict verdict = ended("message_too_big");
        verdict.isTooBig = true;
        return verdict;
    }
    const MessageScan scan = scanMessage(message.data);
    if (!scan.fault.empty()) {
        return ended(scan.fault);
    }
    if (scan.hasHalfCharacter) {
        // No reader makes anything else of it than of the rest: it is the one event that is wrong.
        Verdict verdict = refused("invalid_json", "There is half a character in it: one of a pair of escapes.", {});
        verdict.eventId = scan.eventId;
        return verdict;
    }
    Verdict verdict;
    if (scan.type == "input_audio_buffer.append") {
        verdict.audio = soundIn(scan.audio.size(), m_bytesPerMillisecond);
    } else if (scan.type == "session.update" || scan.type == "transcription_session.update"
        || scan.type == "response.create" || scan.type == "conversation.item.create") {
        verdict = lookAtChange(message.data, scan.type);
    }
    verdict.isNamed = !scan.eventId.empty();
    verdict.asksForResponse = verdict.kind == Verdict::Kind::Pass && scan.type == "response.create";
    if (verdict.kind == Verdict::Kind::Refuse || verdict.asksForResponse) {
        verdict.eventId = scan.eventId;
    }
    return verdict;
}

Verdict ClientMessageCheck::lookAtChange(std::string_view text, std::string_view type) const
{
    const auto event = core::parseJson(text);
    if (!event) {
        return ended("invalid_json");
    }
    if (type == "conversation.item.create") {
        const Json* const item = core::findAt(*event, {"item"});
        return item == nullptr ? Verdict() : lookAtItem(*item);
    }
    const std::string part = type == "response.create" ? "response" : "session";
    const Json* const settings = core::findAt(*event, {part.c_str()});
    return settings == nullptr ? Verdict() : lookAtSettings(*settings, part);
}

Verdict ClientMessageCheck::lookAtItem(const Json& item) const
{
    if (m_locks.areInstructionsFixed && mayInstruct(item)) {
        return locked("item.role");
    }
    Verdict verdict;
    verdict.audio = soundIn(lettersIn(item), m_bytesPerMillisecond);
    return verdict;
}

Verdict ClientMessageCheck::lookAtSettings(const Json& settings, const std::string& part) const
{
    if (const std::string field = lockedField(settings, m_locks); !field.empty()) {
        return locked(part + '.' + field);
    }
    if (m_locks.transcribersPrices != nullptr) {
        if (const std::string field = transcriberWithoutPrice(settings, *m_locks.transcribersPrices); !field.empty()) {
            return refused(
                kWithoutPrice, "There is a budget, and nobody knows what this transcriber costs.", part + '.' + field);
        }
    }
    Verdict verdict;
    verdict.audio = soundIn(lettersInInput(settings), m_bytesPerMillisecond);
    return verdict;
}

} // namespace vivavoce::broker::relay
