#include "agent/realtime/client_limits.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

namespace {

using Fault = std::optional<EventFault>;

constexpr std::size_t kMaxNameBytes = 128;
constexpr std::size_t kMaxMetadataBytes = 512;
constexpr std::size_t kMaxTools = 128;
constexpr std::size_t kMaxParts = 64;
constexpr std::size_t kMaxInputItems = 512;
/// OpenAI's names all mean the one voice that lives here; so clients need not be changed.
constexpr std::array<std::string_view, 11> kVoices{
    "slt", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"};

/// Keeps the first thing that is wrong.
class Check {
public:
    void that(bool isGood, const std::string& param, const char* what)
    {
        if (!isGood && !m_fault) {
            m_fault = invalidValue(param, "Invalid value for '" + param + "': " + what + ".");
        }
    }

    void length(const std::string& text, std::size_t most, const std::string& param)
    {
        that(text.size() <= most, param, "it is too long");
    }

    void length(const std::optional<std::string>& text, const std::string& param)
    {
        that(!text || text->size() <= kMaxTextBytes, param, "it is too long");
    }

    void name(const std::string& text, const std::string& param)
    {
        that(!text.empty(), param, "it is empty");
        length(text, kMaxNameBytes, param);
    }

    void range(const std::optional<std::int64_t>& value, std::int64_t low, std::int64_t high, const std::string& param)
    {
        that(!value || (*value >= low && *value <= high), param, "it is out of range");
    }

    [[nodiscard]] Fault take() { return std::move(m_fault); }

private:
    Fault m_fault;
};

std::string at(const std::string& list, std::size_t index)
{
    return list + "[" + std::to_string(index) + "]";
}

/// What session and response.create share.
void checkOutput(Check& check, const auto& config, const std::string& path)
{
    check.length(config.instructions, path + ".instructions");
    if (const auto& voice = config.voice) {
        const bool isKnown = std::find(kVoices.begin(), kVoices.end(), voice->name) != kVoices.end();
        check.that(isKnown || (voice->isCustomId && !voice->name.empty()), path + ".audio.output.voice",
            "there is no such voice");
    }
    const std::string tools = path + ".tools";
    const std::vector<openai::Tool> none;
    const auto& list = config.tools ? *config.tools : none;
    check.that(list.size() <= kMaxTools, tools, "these are too many");
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (const auto* tool = std::get_if<openai::FunctionTool>(&list[i])) {
            check.name(tool->name, at(tools, i) + ".name");
            check.length(tool->description, at(tools, i) + ".description");
        }
    }
}

void checkSession(Check& check, const openai::Session& session)
{
    check.that(session.type == openai::SessionType::Realtime, "session.type", "only 'realtime' is served");
    checkOutput(check, session, "session");
    const auto* detection = session.turnDetection.value();
    const auto* vad = detection == nullptr ? nullptr : std::get_if<openai::ServerVad>(detection);
    if (vad != nullptr) {
        const std::string path = "session.audio.input.turn_detection.";
        check.range(vad->prefixPaddingMs, 0, 5'000, path + "prefix_padding_ms");
        check.range(vad->silenceDurationMs, 100, 10'000, path + "silence_duration_ms");
    }
}

void checkItem(Check& check, const openai::Item& item, const std::string& path)
{
    check.that(item.type != openai::ItemType::Other, path + ".type", "this kind of item is not served");
    check.length(item.id, kMaxNameBytes, path + ".id");
    check.length(item.callId, kMaxNameBytes, path + ".call_id");
    check.length(item.name, kMaxNameBytes, path + ".name");
    check.length(item.arguments, kMaxTextBytes, path + ".arguments");
    check.length(item.output, kMaxTextBytes, path + ".output");
    check.that(item.content.size() <= kMaxParts, path + ".content", "these are too many");
    for (std::size_t i = 0; i < item.content.size(); ++i) {
        const std::string part = at(path + ".content", i);
        check.that(item.content[i].type != openai::ContentType::OutputAudio, part + ".type",
            "a client cannot make the agent's speech");
        check.length(item.content[i].text, part + ".text");
        check.length(item.content[i].transcript, part + ".transcript");
    }
}

void checkEvent(Check& check, const openai::SessionUpdate& event)
{
    checkSession(check, event.session);
}

void checkEvent(Check& check, const openai::InputAudioBufferAppend& event)
{
    check.that(event.audio.size() <= kMaxAppendBytes, "audio", "it is too long");
}

void checkEvent(Check& check, const openai::ConversationItemCreate& event)
{
    checkItem(check, event.item, "item");
}

void checkEvent(Check& check, const openai::ResponseCreate& event)
{
    if (!event.response) {
        return;
    }
    checkOutput(check, *event.response, "response");
    for (const auto& [name, value] : event.response->metadata.value_or(openai::Metadata())) {
        check.length(name, 64, "response.metadata");
        check.length(value, kMaxMetadataBytes, "response.metadata");
    }
    const std::vector<openai::Item> none;
    const auto& input = event.response->input ? *event.response->input : none;
    check.that(input.size() <= kMaxInputItems, "response.input", "these are too many");
    for (std::size_t i = 0; i < input.size(); ++i) {
        checkItem(check, input[i], at("response.input", i));
    }
}

void checkEvent(Check& check, const auto& event)
{
    if constexpr (requires { event.itemId; }) {
        check.name(event.itemId, "item_id");
    }
}

} // namespace

std::optional<EventFault> beyondLimits(const openai::ClientEvent& event)
{
    Check check;
    std::visit([&](const auto& known) { checkEvent(check, known); }, event);
    return check.take();
}

std::optional<EventFault> beyondLimits(const openai::Session& session)
{
    Check check;
    checkSession(check, session);
    return check.take();
}

} // namespace vivavoce::agent::realtime
