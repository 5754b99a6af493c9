#include "agent/realtime/client_shapes.h"

#include <nlohmann/json.hpp>

namespace vivavoce::agent::realtime {

namespace {

constexpr std::size_t kMaxNameBytes = 512;
constexpr std::size_t kMaxTools = 128;
constexpr std::size_t kMaxParts = 64;

Rule name()
{
    return text(kMaxNameBytes);
}

Rule audioFormat()
{
    return byType({{"audio/pcm", object({{"type", name()}, {"rate", integerIn(24'000, 24'000)}})},
        {"audio/pcmu", object({{"type", name()}})}, {"audio/pcma", object({{"type", name()}})}});
}

Rule turnDetection()
{
    const Rule idle = nullOr(integerIn(5'000, 30'000));
    return byType(
        {{"server_vad",
             object({{"type", name()}, {"threshold", numberIn(0, 1)}, {"prefix_padding_ms", integerIn(0, 5'000)},
                 {"silence_duration_ms", integerIn(100, 10'000)}, {"create_response", boolean()},
                 {"interrupt_response", boolean()}, {"idle_timeout_ms", idle}})},
            {"semantic_vad",
                object({{"type", name()}, {"eagerness", oneOf({"low", "medium", "high", "auto"})},
                    {"create_response", boolean()}, {"interrupt_response", boolean()}})}});
}

Rule audioInput()
{
    const Rule transcription =
        object({{"model", name()}, {"language", nullOr(name())}, {"languages", nullOr(listOf(name(), 32))},
            {"prompt", nullOr(text(kMaxTextBytes))}, {"keywords", nullOr(listOf(name(), 1024))},
            {"delay", nullOr(oneOf({"minimal", "low", "medium", "high", "xhigh"}))}});
    const Rule noise = object({{"type", oneOf({"near_field", "far_field"})}, {"strength", nullOr(numberIn(0, 1))}});
    return object({{"format", audioFormat()}, {"transcription", nullOr(transcription)},
        {"noise_reduction", nullOr(noise)}, {"turn_detection", nullOr(turnDetection())}});
}

/// OpenAI's names all mean the one voice that lives here; so clients need not be changed.
Rule voice()
{
    return textOr(
        oneOf({"slt", "alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"}),
        object({{"id", nonEmptyText(kMaxNameBytes), Presence::Required}}));
}

Rule audioOutput()
{
    return object({{"format", audioFormat()}, {"voice", voice()}, {"speed", numberIn(0.25, 1.5)}});
}

Rule modalities()
{
    return [list = listOf(oneOf({"audio", "text"}), 1)](
               const core::Json& value, const std::string& path) -> std::optional<EventFault> {
        if (auto fault = list(value, path)) {
            return fault;
        }
        if (value.empty()) {
            return invalidValue(path, "Invalid value for '" + path + "': expected ['audio'] or ['text'].");
        }
        return std::nullopt;
    };
}

Rule tools()
{
    const Rule function = object({{"type", name()}, {"name", nonEmptyText(128), Presence::Required},
        {"description", nullOr(text(kMaxTextBytes))}, {"parameters", nullOr(anyObject())}, {"strict", anything()}});
    return listOf(byType({{"function", function}, {"mcp", anyObject()}}), kMaxTools);
}

Rule toolChoice()
{
    return textOr(oneOf({"auto", "none", "required"}),
        byType({{"function", object({{"type", name()}, {"name", nonEmptyText(128), Presence::Required}})},
            {"mcp", anyObject()}}));
}

Rule maxTokens()
{
    return textOr(oneOf({"inf"}), integerIn(1, 4'096));
}

Rule reasoning()
{
    return nullOr(object({{"effort", oneOf({"minimal", "low", "medium", "high", "xhigh"})}}));
}

Rule item()
{
    const Rule status = oneOf({"completed", "incomplete", "in_progress"});
    const Rule any = text(kMaxTextBytes);
    const Rule part = byType({{"input_text", object({{"type", name()}, {"text", any, Presence::Required}})},
        {"output_text", object({{"type", name()}, {"text", any, Presence::Required}})},
        {"input_audio",
            object({{"type", name()}, {"audio", nullOr(text(kMaxAppendBytes))}, {"transcript", nullOr(any)}})},
        {"input_image",
            object({{"type", name()}, {"image_url", text(kMaxAppendBytes)},
                {"detail", oneOf({"auto", "low", "high"})}})}});
    const Field id{"id", nonEmptyText(128)};
    const Field object_{"object", oneOf({"realtime.item"})};
    const Rule message = object({{"type", name()}, id, object_, {"status", status},
        {"role", oneOf({"user", "assistant", "system"}), Presence::Required},
        {"content", listOf(part, kMaxParts), Presence::Required}});
    const Rule call = object({{"type", name()}, id, object_, {"status", status}, {"call_id", nonEmptyText(128)},
        {"name", nonEmptyText(128), Presence::Required}, {"arguments", any, Presence::Required}});
    const Rule output = object({{"type", name()}, id, object_, {"status", status},
        {"call_id", nonEmptyText(128), Presence::Required}, {"output", any, Presence::Required}});
    return byType({{"message", message}, {"function_call", call}, {"function_call_output", output}});
}

Rule responseOptions()
{
    const Rule reference = object({{"type", name()}, {"id", nonEmptyText(128), Presence::Required}});
    const Rule entry = [reference, whole = item()](const core::Json& value, const std::string& path) {
        const bool isReference = value.is_object() && value.value("type", core::Json()) == "item_reference";
        return isReference ? reference(value, path) : whole(value, path);
    };
    return object({{"instructions", nullOr(text(kMaxTextBytes))}, {"output_modalities", modalities()},
        {"audio", object({{"output", object({{"format", audioFormat()}, {"voice", voice()}})}})}, {"tools", tools()},
        {"tool_choice", toolChoice()}, {"max_output_tokens", maxTokens()}, {"metadata", nullOr(anyObject())},
        {"input", listOf(entry, 512)}, {"conversation", oneOf({"auto", "none"})}, {"prompt", nullOr(anyObject())},
        {"reasoning", reasoning()}, {"parallel_tool_calls", boolean()}});
}

Rule makeSessionRule()
{
    const Rule retention = object(
        {{"type", oneOf({"retention_ratio"})}, {"retention_ratio", numberIn(0, 1)}, {"token_limits", anyObject()}});
    const Rule tracing =
        textOr(oneOf({"auto"}), object({{"workflow_name", name()}, {"group_id", name()}, {"metadata", anyObject()}}));
    return object({{"type", oneOf({"realtime"}), Presence::Required}, {"model", nonEmptyText(128)},
        {"instructions", text(kMaxTextBytes)}, {"output_modalities", modalities()},
        {"audio", object({{"input", audioInput()}, {"output", audioOutput()}})}, {"tools", tools()},
        {"tool_choice", toolChoice()}, {"max_output_tokens", maxTokens()},
        {"truncation", textOr(oneOf({"auto", "disabled"}), retention)}, {"tracing", nullOr(tracing)},
        {"prompt", nullOr(anyObject())},
        {"include", nullOr(listOf(oneOf({"item.input_audio_transcription.logprobs"}), 1))}, {"reasoning", reasoning()},
        {"parallel_tool_calls", boolean()}});
}

Rule event(std::vector<Field> fields)
{
    fields.push_back({"type", name()});
    fields.push_back({"event_id", nullOr(text(512))});
    return object(std::move(fields));
}

Rule makeClientEventRule()
{
    const Field itemId{"item_id", nonEmptyText(128), Presence::Required};
    return byType({{"session.update", event({{"session", sessionRule(), Presence::Required}})},
        {"input_audio_buffer.append", event({{"audio", text(kMaxAppendBytes), Presence::Required}})},
        {"input_audio_buffer.commit", event({})}, {"input_audio_buffer.clear", event({})},
        {"conversation.item.create",
            event({{"item", item(), Presence::Required}, {"previous_item_id", nullOr(text(128))}})},
        {"conversation.item.retrieve", event({itemId})}, {"conversation.item.delete", event({itemId})},
        {"conversation.item.truncate",
            event({itemId, {"content_index", integerIn(0, 1'000), Presence::Required},
                {"audio_end_ms", integerIn(0, 86'400'000), Presence::Required}})},
        {"response.create", event({{"response", nullOr(responseOptions())}})},
        {"response.cancel", event({{"response_id", nullOr(text(128))}})}, {"output_audio_buffer.clear", event({})}});
}

} // namespace

const Rule& sessionRule()
{
    static const Rule rule = makeSessionRule();
    return rule;
}

const Rule& clientEventRule()
{
    static const Rule rule = makeClientEventRule();
    return rule;
}

const Rule& clientSecretRule()
{
    static const Rule rule = object(
        {{"expires_after", nullOr(object({{"anchor", oneOf({"created_at"})}, {"seconds", integerIn(10, 7'200)}}))},
            {"session", nullOr(sessionRule())}});
    return rule;
}

} // namespace vivavoce::agent::realtime
