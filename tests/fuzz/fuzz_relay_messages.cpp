#include "broker/relay/client_message_check.h"
#include "broker/relay/message_scan.h"
#include "broker/relay/session_meter.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::broker;

namespace {

/// No bill takes anything back.
void meterOf(const relay::MessageScan& scan, const std::string& text)
{
    static const auto prices = std::make_shared<const core::PriceList>(core::PriceList::builtIn());
    relay::SessionMeter meter({"gpt-realtime", prices, core::WallTime(), false});
    const auto bill = meter.read(scan, text);
    for (const usage::Measure measure : usage::allMeasures()) {
        if ((bill && bill->amounts[measure] < 0) || meter.stream(core::Milliseconds(1))[measure] < 0) {
            std::abort();
        }
    }
}

relay::Locks locks()
{
    relay::Locks locks;
    locks.model = "gpt-realtime";
    locks.voices = std::vector<std::string>{"marin"};
    locks.tools = std::vector<std::string>{"look_up"};
    locks.areInstructionsFixed = true;
    locks.transcribersPrices = std::make_shared<const core::PriceList>(core::PriceList::builtIn());
    return locks;
}

/// The value at the end of a path of names; null where there is none. Not the relay's own way of finding it.
core::Json at(const core::Json& json, const char* pointer)
{
    const core::Json::json_pointer path(pointer);
    return json.is_structured() && json.contains(path) ? json.at(path) : core::Json();
}

bool isAllowedItem(const core::Json& item)
{
    return at(item, "/role") != "system";
}

/// The locks once more, from the other end: what has been let through is looked for what may not be in it.
bool isAllowedSettings(const core::Json& settings)
{
    for (const char* const name : {"/instructions", "/prompt"}) {
        if (settings.is_object() && settings.contains(core::Json::json_pointer(name))) {
            return false;
        }
    }
    for (const char* const voice : {"/voice", "/audio/output/voice"}) {
        if (!at(settings, voice).is_null() && at(settings, voice) != "marin") {
            return false;
        }
    }
    for (const char* const who : {"/audio/input/transcription/model", "/input_audio_transcription/model"}) {
        if (at(settings, who) == "dear") {
            return false;
        }
    }
    for (const core::Json& tool : at(settings, "/tools")) {
        if (at(tool, "/type") != "function" || at(tool, "/name") != "look_up") {
            return false;
        }
    }
    const core::Json input = at(settings, "/input");
    const bool isModel = at(settings, "/model").is_null() || at(settings, "/model") == "gpt-realtime";
    return isModel && std::all_of(input.begin(), input.end(), isAllowedItem);
}

bool isAllowed(const core::Json& event)
{
    const core::Json type = at(event, "/type");
    if (type == "session.update" || type == "transcription_session.update") {
        return isAllowedSettings(at(event, "/session"));
    }
    if (type == "response.create") {
        return isAllowedSettings(at(event, "/response"));
    }
    return type != "conversation.item.create" || isAllowedItem(at(event, "/item"));
}

/// As a reader has it that makes no difference between cases.
core::Json lowered(const core::Json& value)
{
    if (!value.is_structured()) {
        return value;
    }
    core::Json result = value.is_array() ? core::Json::array() : core::Json::object();
    for (const auto& [name, member] : value.items()) {
        if (value.is_array()) {
            result.push_back(lowered(member));
            continue;
        }
        std::string low = name;
        std::transform(low.begin(), low.end(), low.begin(),
            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        result[low] = lowered(member);
    }
    return result;
}

} // namespace

/// What the relay lets through means the same to another reader: neither its type nor what is locked differs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    const auto other = core::parseJson(text);
    const relay::MessageScan scan = relay::scanMessage(text);
    meterOf(scan, text);
    if (scan.fault.empty() && other) {
        const auto type = other->find("type");
        if (type == other->end() || !type->is_string() || type->get_ref<const std::string&>() != scan.type) {
            std::abort();
        }
    }
    net::WebSocketMessage message;
    message.data = text;
    const relay::Verdict verdict = relay::ClientMessageCheck(locks()).look(message);
    if (verdict.kind == relay::Verdict::Kind::Pass
        && (!scan.fault.empty() || (other && (!isAllowed(*other) || !isAllowed(lowered(*other)))))) {
        std::abort();
    }
    if (message.data != text) {
        std::abort();
    }
    return 0;
}
