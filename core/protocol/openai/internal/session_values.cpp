#include "core/protocol/openai/internal/session_fields.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>

namespace vivavoce::core::openai::internal {
namespace {

constexpr std::uint32_t kTelephoneRate = 8'000;
constexpr std::int64_t kMostTokens = 4096;

template <typename A, Is<ServerVad> E>
void vadFields(A& a, E& e)
{
    a.optional("threshold", e.threshold);
    a.check("threshold", isWithin(e.threshold, 0.0, 1.0), kOutOfRange);
    a.optional("prefix_padding_ms", e.prefixPaddingMs);
    a.check("prefix_padding_ms", e.prefixPaddingMs.value_or(0) >= 0, kOutOfRange);
    a.optional("silence_duration_ms", e.silenceDurationMs);
    a.check("silence_duration_ms", e.silenceDurationMs.value_or(0) >= 0, kOutOfRange);
    a.optional("create_response", e.createResponse);
    a.optional("interrupt_response", e.interruptResponse);
    a.optional("idle_timeout_ms", e.idleTimeoutMs);
    const auto* idle = e.idleTimeoutMs.value();
    a.check("idle_timeout_ms", idle == nullptr || (*idle >= 5'000 && *idle <= 30'000), kOutOfRange);
}

template <typename A, Is<SemanticVad> E>
void vadFields(A& a, E& e)
{
    a.optional("eagerness", e.eagerness);
    a.optional("create_response", e.createResponse);
    a.optional("interrupt_response", e.interruptResponse);
}

/// Faults of the field "type" of an object.
void failType(const Place& place, const Json& object)
{
    const PathStep step{place.path(), "type"};
    const Place type(place.state(), &step);
    const auto found = object.find("type");
    if (found == object.end()) {
        type.fail(ProtocolError::Fault::MissingField, "is missing");
    } else if (!found->is_string()) {
        type.wrongType("a string");
    } else {
        type.badValue(kUnsupported);
    }
}

template <typename Kind>
void readVad(const Place& place, Json& json, TurnDetection& target)
{
    Reader reader(place, json);
    reader.skip("type");
    vadFields(reader, target.emplace<Kind>());
    reader.finish();
}

} // namespace

FlatFormat flatFormat(const AudioFormat& format)
{
    switch (format.encoding) {
    case AudioEncoding::Pcmu:
        return FlatFormat::Ulaw;
    case AudioEncoding::Pcma:
        return FlatFormat::Alaw;
    case AudioEncoding::Pcm:
        break;
    }
    return FlatFormat::Pcm16;
}

AudioFormat audioFormat(FlatFormat format)
{
    switch (format) {
    case FlatFormat::Ulaw:
        return {AudioEncoding::Pcmu, SampleRate{kTelephoneRate}};
    case FlatFormat::Alaw:
        return {AudioEncoding::Pcma, SampleRate{kTelephoneRate}};
    case FlatFormat::Pcm16:
        break;
    }
    return {AudioEncoding::Pcm, SampleRate()};
}

bool mayInclude(const std::vector<std::string>* extras)
{
    return extras == nullptr || std::all_of(extras->begin(), extras->end(), [](const std::string& extra) {
        return extra == "item.input_audio_transcription.logprobs";
    });
}

bool isGrade(const std::optional<std::string>& word)
{
    static constexpr std::array<std::string_view, 5> kGrades{"minimal", "low", "medium", "high", "xhigh"};
    return !word || std::find(kGrades.begin(), kGrades.end(), *word) != kGrades.end();
}

void readCustom(const Place& place, Json& json, AudioFormat& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    Reader reader(place, json);
    reader.required("type", target.encoding);
    if (target.encoding != AudioEncoding::Pcm) {
        target.rate = SampleRate{kTelephoneRate};
    } else {
        std::optional<std::int64_t> rate;
        reader.optional("rate", rate);
        reader.check("rate", !rate || *rate == std::int64_t{kRealtimeRate.hz()}, kUnsupported);
        if (isWithin<std::int64_t>(rate, SampleRate::kLowest, SampleRate::kHighest)) {
            target.rate = rate ? SampleRate{static_cast<std::uint32_t>(*rate)} : SampleRate();
        } else {
            place.badValue("has a rate that is out of range");
        }
    }
    reader.finish();
}

void writeCustom(const Style&, Json& slot, const AudioFormat& value)
{
    slot = Json{{"type", std::string(nameOf(value.encoding))}};
    if (value.encoding == AudioEncoding::Pcm && value.rate.isValid()) {
        slot["rate"] = value.rate.hz();
    }
}

void readCustom(const Place& place, Json& json, TurnDetection& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    const std::string_view type = textOf(json, "type");
    if (type == "server_vad") {
        readVad<ServerVad>(place, json, target);
    } else if (type == "semantic_vad") {
        readVad<SemanticVad>(place, json, target);
    } else {
        failType(place, json);
    }
}

void writeCustom(const Style& style, Json& slot, const TurnDetection& value)
{
    Writer writer(style, slot);
    slot["type"] = std::holds_alternative<ServerVad>(value) ? "server_vad" : "semantic_vad";
    std::visit([&](const auto& vad) { vadFields(writer, vad); }, value);
}

void readCustom(const Place& place, Json& json, Voice& target)
{
    if (json.is_object()) {
        target.isCustomId = true;
        Reader reader(place, json);
        reader.required("id", target.name);
        reader.finish();
    } else if (json.is_string()) {
        place.read(json, target.name);
    } else {
        place.wrongType("a string or an object");
    }
}

void writeCustom(const Style&, Json& slot, const Voice& value)
{
    slot = value.isCustomId ? Json{{"id", value.name}} : Json(value.name);
}

void readCustom(const Place& place, Json& json, Tool& target)
{
    if (!place.expectObject(json)) {
        return;
    }
    const std::string_view type = textOf(json, "type");
    if (type == "function") {
        Reader reader(place, json);
        reader.skip("type");
        fields(reader, target.emplace<FunctionTool>());
        reader.finish();
    } else if (type == "mcp" || (place.isLenient() && !type.empty())) {
        place.read(json, target.emplace<RawJson>());
    } else {
        failType(place, json);
    }
}

void writeCustom(const Style& style, Json& slot, const Tool& value)
{
    if (const auto* raw = std::get_if<RawJson>(&value)) {
        put(slot, *raw);
        return;
    }
    Writer writer(style, slot);
    slot["type"] = "function";
    fields(writer, std::get<FunctionTool>(value));
}

void readCustom(const Place& place, Json& json, ToolChoice& target)
{
    if (json.is_string()) {
        readValue(place, json, target.emplace<ToolChoiceMode>());
        return;
    }
    if (!json.is_object()) {
        place.wrongType("a string or an object");
        return;
    }
    const std::string_view type = textOf(json, "type");
    Reader reader(place, json);
    reader.skip("type");
    if (type == "function") {
        reader.required("name", target.emplace<ToolChoiceFunction>().name);
    } else if (type == "mcp") {
        auto& mcp = target.emplace<ToolChoiceMcp>();
        reader.required("server_label", mcp.serverLabel);
        reader.optional("name", mcp.name);
    } else {
        failType(place, json);
    }
    reader.finish();
}

void writeCustom(const Style&, Json& slot, const ToolChoice& value)
{
    if (const auto* mode = std::get_if<ToolChoiceMode>(&value)) {
        put(slot, nameOf(*mode));
    } else if (const auto* function = std::get_if<ToolChoiceFunction>(&value)) {
        slot = Json{{"type", "function"}, {"name", function->name}};
    } else if (const auto* mcp = std::get_if<ToolChoiceMcp>(&value)) {
        slot = Json{{"type", "mcp"}, {"server_label", mcp->serverLabel}};
        if (mcp->name) {
            slot["name"] = *mcp->name;
        }
    }
}

void readCustom(const Place& place, Json& json, TokenLimit& target)
{
    if (json.is_string()) {
        if (textOf(json) != "inf") {
            place.badValue("must be a number or \"inf\"");
        }
        target.count.reset();
        return;
    }
    place.read(json, target.count.emplace());
    if (!place.isLenient() && !place.hasFault() && !isWithin<std::int64_t>(target.count, 1, kMostTokens)) {
        place.badValue(kOutOfRange);
    }
}

void writeCustom(const Style&, Json& slot, const TokenLimit& value)
{
    slot = value.count ? Json(*value.count) : Json("inf");
}

void readCustom(const Place& place, Json& json, Truncation& target)
{
    if (json.is_string()) {
        readValue(place, json, target.emplace<TruncationMode>());
        return;
    }
    if (!json.is_object()) {
        place.wrongType("a string or an object");
        return;
    }
    if (textOf(json, "type") != "retention_ratio") {
        failType(place, json);
        return;
    }
    auto& ratio = target.emplace<RetentionRatio>();
    Reader reader(place, json);
    reader.skip("type");
    reader.required("retention_ratio", ratio.ratio);
    reader.check("retention_ratio", ratio.ratio >= 0 && ratio.ratio <= 1, kOutOfRange);
    reader.group("token_limits", true, [&](Reader& limits) {
        limits.optional("post_instructions", ratio.postInstructionsTokens);
        limits.check("post_instructions", ratio.postInstructionsTokens.value_or(0) >= 0, kOutOfRange);
    });
    reader.finish();
}

void writeCustom(const Style&, Json& slot, const Truncation& value)
{
    if (const auto* mode = std::get_if<TruncationMode>(&value)) {
        put(slot, nameOf(*mode));
    } else if (const auto* ratio = std::get_if<RetentionRatio>(&value)) {
        slot = Json{{"type", "retention_ratio"}, {"retention_ratio", ratio->ratio}};
        if (ratio->postInstructionsTokens) {
            slot["token_limits"] = Json{{"post_instructions", *ratio->postInstructionsTokens}};
        }
    }
}

void readCustom(const Place& place, Json& json, Tracing& target)
{
    if (json.is_string()) {
        target.emplace<TracingAuto>();
        if (textOf(json) != "auto") {
            place.badValue(kUnsupported);
        }
        return;
    }
    if (!json.is_object()) {
        place.wrongType("\"auto\", an object or null");
        return;
    }
    auto& config = target.emplace<TracingConfig>();
    Reader reader(place, json);
    reader.optional("workflow_name", config.workflowName);
    reader.optional("group_id", config.groupId);
    reader.optional("metadata", config.metadata);
    reader.finish();
}

void writeCustom(const Style& style, Json& slot, const Tracing& value)
{
    if (const auto* config = std::get_if<TracingConfig>(&value)) {
        Writer writer(style, slot);
        writer.optional("workflow_name", config->workflowName);
        writer.optional("group_id", config->groupId);
        writer.optional("metadata", config->metadata);
    } else {
        slot = "auto";
    }
}

} // namespace vivavoce::core::openai::internal
