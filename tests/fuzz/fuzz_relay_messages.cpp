#include "broker/relay/client_message_check.h"
#include "broker/relay/gemini_client_check.h"
#include "broker/relay/gemini_meter.h"
#include "broker/relay/gemini_transcript.h"
#include "broker/relay/message_scan.h"
#include "broker/relay/openai_transcript.h"
#include "broker/relay/session_meter.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

using namespace vivavoce;
using namespace vivavoce::broker;

namespace {

/// No bill takes anything back.
void meterOf(relay::StreamMeter&& meter, std::string text)
{
    const auto bill = meter.read(text, {});
    const auto last = meter.lastBills({});
    for (const usage::Measure measure : usage::allMeasures()) {
        if ((bill && bill->amounts[measure] < 0) || meter.stream(core::Milliseconds(1))[measure] < 0
            || (!last.empty() && last.front().amounts[measure] < 0)) {
            std::abort();
        }
    }
}

relay::StreamMeter::Settings settings(const char* model)
{
    static const auto prices = std::make_shared<const core::PriceList>(core::PriceList::builtIn());
    return {model, prices, core::WallTime(), false, {}, 1'000};
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

/// As a reader has it that makes no difference between cases, and none by underscores.
core::Json lowered(const core::Json& value, bool hasUnderscores = true)
{
    if (!value.is_structured()) {
        return value;
    }
    core::Json result = value.is_array() ? core::Json::array() : core::Json::object();
    for (const auto& [name, member] : value.items()) {
        if (value.is_array()) {
            result.push_back(lowered(member, hasUnderscores));
            continue;
        }
        std::string low = name;
        std::transform(low.begin(), low.end(), low.begin(),
            [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
        if (!hasUnderscores) {
            low.erase(std::remove(low.begin(), low.end(), '_'), low.end());
        }
        result[low] = lowered(member, hasUnderscores);
    }
    return result;
}

bool isAllowedTool(const core::Json& tool)
{
    const core::Json functions = at(tool, "/functiondeclarations");
    return tool.size() == 1 && functions.is_array()
        && std::all_of(functions.begin(), functions.end(),
            [](const core::Json& function) { return at(function, "/name") == "look_up"; });
}

/// The locks of a setup of Gemini's once more.
bool isAllowedSetup(const core::Json& setup)
{
    const core::Json model = at(setup, "/model");
    const core::Json voice = at(setup, "/generationconfig/speechconfig/voiceconfig/prebuiltvoiceconfig/voicename");
    const core::Json tools = at(setup, "/tools");
    return (model.is_null() || model == "models/gpt-realtime" || model == "gpt-realtime")
        && (voice.is_null() || voice == "marin") && !setup.contains("systeminstruction")
        && std::all_of(tools.begin(), tools.end(), isAllowedTool);
}

void checkGemini(const std::string& text, const std::optional<core::Json>& other)
{
    meterOf(relay::GeminiMeter(settings("gemini-3.8-live")), text);
    net::WebSocketMessage message;
    message.data = text;
    relay::GeminiClientCheck check(locks());
    const bool isPassed = check.look(message).kind == relay::Verdict::Kind::Pass;
    if (isPassed && (!other || !isAllowedSetup(at(lowered(*other, false), "/setup")))) {
        std::abort();
    }
    // Whatever comes after a setup.
    message.data = text;
    if (isPassed && check.look(message).kind == relay::Verdict::Kind::Pass) {
        std::abort();
    }
    if (message.data != text) {
        std::abort();
    }
}

/// Whatever both sides say, one message in a line, what is kept of it is within its bounds.
template <typename Keeper>
void keep(const std::string& text)
{
    Keeper keeper([](const transcripts::Line& line) {
        if (line.text.size() > transcripts::kLongestLine) {
            std::abort();
        }
    });
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        keeper.fromClient(line, {});
        keeper.fromProvider(line, {});
    }
    keeper.ended({});
}

} // namespace

/// What the relay lets through means the same to another reader: neither its type nor what is locked differs.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    std::string text(reinterpret_cast<const char*>(data), size);
    const auto other = core::parseJson(text);
    const relay::MessageScan scan = relay::scanMessage(text);
    meterOf(relay::SessionMeter(settings("gpt-realtime")), text);
    keep<relay::OpenAiTranscript>(text);
    keep<relay::GeminiTranscript>(text);
    checkGemini(text, other ? std::optional(*other) : std::nullopt);
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
