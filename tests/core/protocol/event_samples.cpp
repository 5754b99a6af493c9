#include "tests/core/protocol/event_samples.h"

#include <string_view>

namespace vivavoce::test {
namespace {

/// `members` continues the object after type and event_id: "" or ",\"x\":1".
std::string event(std::string_view type, std::string_view members)
{
    return std::string(R"({"type":")").append(type).append(R"(","event_id":"event_1")").append(members).append("}");
}

EventSample same(const std::string& type, const std::string& members, std::vector<std::string> required = {})
{
    return {type, event(type, members), {}, std::move(required)};
}

EventSample renamed(const std::string& type, const std::string& betaType, const std::string& members,
    std::vector<std::string> required = {})
{
    return {type, event(type, members), event(betaType, members), std::move(required)};
}

EventSample reshaped(const std::string& type, const std::string& betaType, const std::string& members,
    const std::string& betaMembers, std::vector<std::string> required)
{
    return {type, event(type, members), event(betaType, betaMembers), std::move(required)};
}

// --- Sessions ------------------------------------------------------------------------------------------------------

constexpr const char* kTools = R"([{"type":"function","name":"clock","description":"Tells the time",
    "parameters":{"type":"object","properties":{"zone":{"type":"string"}}}},
    {"type":"mcp","server_label":"notes","server_url":"https://notes.example/mcp"}])";
constexpr const char* kVad = R"({"type":"server_vad","threshold":0.5,"prefix_padding_ms":300,"silence_duration_ms":500,
    "create_response":true,"interrupt_response":false,"idle_timeout_ms":6000})";
constexpr const char* kTranscription = R"({"model":"ear-1","language":"en","languages":["en","de"],"prompt":"names",
    "keywords":["Vivavoce"],"delay":"low"})";

/// What server and client both write.
std::string gaSession(const std::string& more)
{
    return std::string(R"({"type":"realtime","model":"voice-1","instructions":"Be brief.","output_modalities":["audio"],
        "audio":{"input":{"format":{"type":"audio/pcm","rate":24000},"transcription":)")
        + kTranscription + R"(,"noise_reduction":{"type":"near_field"},"turn_detection":)" + kVad
        + R"(},"output":{"format":{"type":"audio/pcmu"},"voice":"marin","speed":1.25}},"tools":)" + kTools
        + R"(,"tool_choice":{"type":"function","name":"clock"},"max_output_tokens":1024,"parallel_tool_calls":false,
        "reasoning":{"effort":"low"},"prompt":{"id":"pmpt_1"},"include":["item.input_audio_transcription.logprobs"],
        "truncation":{"type":"retention_ratio","retention_ratio":0.75,"token_limits":{"post_instructions":8000}},
        "tracing":{"workflow_name":"w","group_id":"g","metadata":{"a":"b"}})"
        + more + "}";
}

std::string betaSession(const std::string& more)
{
    return std::string(R"({"model":"voice-1","instructions":"Be brief.","modalities":["audio","text"],
        "input_audio_format":"pcm16","output_audio_format":"g711_ulaw","voice":"marin","speed":1.25,
        "input_audio_noise_reduction":{"type":"near_field"},"input_audio_transcription":)")
        + kTranscription + R"(,"turn_detection":)" + kVad + R"(,"tools":)" + kTools
        + R"(,"tool_choice":{"type":"function","name":"clock"},"max_response_output_tokens":1024,"temperature":0.8,
        "include":["item.input_audio_transcription.logprobs"],
        "tracing":{"workflow_name":"w","group_id":"g","metadata":{"a":"b"}})"
        + more + "}";
}

const std::string kServerSession = R"(,"id":"sess_1","object":"realtime.session","expires_at":1790000000)";

EventSample sessionSample(const std::string& type, const std::string& more)
{
    return reshaped(type, type, R"(,"session":)" + gaSession(more), R"(,"session":)" + betaSession(more), {"session"});
}

// --- Items ---------------------------------------------------------------------------------------------------------

const std::string kUserItem = R"(,"item":{"id":"item_1","type":"message","status":"completed","role":"user","content":[
    {"type":"input_text","text":"Hello"},{"type":"input_audio","audio":"AAECAw==","transcript":"hello"},
    {"type":"input_image","image_url":"data:image/png;base64,AA==","detail":"low"}]})";

std::string assistantItem(const std::string& textType, const std::string& audioType)
{
    return R"({"id":"item_2","object":"realtime.item","type":"message","status":"in_progress","role":"assistant","content":[
        {"type":")"
        + textType + R"(","text":"Hello"},{"type":")" + audioType + R"(","transcript":"Hello"}]})";
}

EventSample itemSample(
    const std::string& type, const std::string& betaType, const std::string& before, const std::string& after)
{
    return reshaped(type, betaType, before + R"(,"item":)" + assistantItem("output_text", "output_audio") + after,
        before + R"(,"item":)" + assistantItem("text", "audio") + after, {"item"});
}

// --- Responses -----------------------------------------------------------------------------------------------------

const std::string kOutputIds = R"(,"response_id":"resp_1","item_id":"item_2","output_index":1)";
const std::string kIds = kOutputIds + R"(,"content_index":2)";

const std::string kCall = R"({"id":"item_3","object":"realtime.item","type":"function_call","status":"completed",
    "call_id":"call_1","name":"clock","arguments":"{\"zone\":\"UTC\"}"})";
const std::string kMcpCall =
    R"({"id":"item_4","type":"mcp_call","server_label":"notes","name":"find","arguments":"{}"})";

const std::string kUsage = R"({"total_tokens":30,"input_tokens":20,"output_tokens":10,
    "input_token_details":{"cached_tokens":8,"text_tokens":12,"audio_tokens":8,"image_tokens":0,
        "cached_tokens_details":{"text_tokens":5,"audio_tokens":2,"image_tokens":1}},
    "output_token_details":{"text_tokens":4,"audio_tokens":6}})";

std::string response(const std::string& outcome, const std::string& shape, const std::string& output)
{
    return R"(,"response":{"id":"resp_1","object":"realtime.response","conversation_id":"conv_1","metadata":{"k":"v"},)"
        + outcome + shape + R"(,"output":[)" + output + "]}";
}

const std::string kGaShape = R"(,"output_modalities":["audio"],"max_output_tokens":"inf",
    "audio":{"output":{"format":{"type":"audio/pcm","rate":24000},"voice":"marin"}})";
const std::string kBetaShape =
    R"(,"modalities":["audio","text"],"max_output_tokens":"inf","output_audio_format":"pcm16",
    "voice":"marin")";

EventSample responseSample(const std::string& type, const std::string& outcome, bool hasOutput)
{
    const std::string rest = "," + kCall + "," + kMcpCall;
    return reshaped(type, type,
        response(outcome, kGaShape, hasOutput ? assistantItem("output_text", "output_audio") + rest : std::string()),
        response(outcome, kBetaShape, hasOutput ? assistantItem("text", "audio") + rest : std::string()), {"response"});
}

void addTo(std::vector<EventSample>& samples, std::vector<EventSample> more)
{
    samples.insert(samples.end(), more.begin(), more.end());
}

std::vector<EventSample> sessionEvents()
{
    return {
        same("error",
            R"(,"error":{"type":"invalid_request_error","code":"invalid_value","message":"No.","param":"session.audio",
                "event_id":"mine_1"})",
            {"error"}),
        sessionSample("session.created", kServerSession),
        sessionSample("session.updated", kServerSession),
        same("conversation.created", R"(,"conversation":{"id":"conv_1","object":"realtime.conversation"})"),
        same("rate_limits.updated",
            R"(,"rate_limits":[{"name":"tokens","limit":1000,"remaining":900,"reset_seconds":1.5}])"),
    };
}

std::vector<EventSample> itemEvents()
{
    const std::string previous = R"(,"previous_item_id":"item_1")";
    const std::string heard = "conversation.item.input_audio_transcription.";
    const std::string part = R"(,"item_id":"item_1","content_index":1)";
    const std::string logprobs = R"(,"logprobs":[{"token":"a","logprob":-0.5,"bytes":[97]}])";
    return {
        itemSample("conversation.item.added", "conversation.item.created", "", previous),
        itemSample("conversation.item.done", "conversation.item.done", "", R"(,"previous_item_id":null)"),
        itemSample("conversation.item.created", "conversation.item.created", "", previous),
        itemSample("conversation.item.retrieved", "conversation.item.retrieved", "", ""),
        same("conversation.item.deleted", R"(,"item_id":"item_1")", {"item_id"}),
        same(
            "conversation.item.truncated", R"(,"item_id":"item_1","content_index":0,"audio_end_ms":1500)", {"item_id"}),
        same(heard + "delta", part + R"(,"delta":"Hel")" + logprobs),
        same(heard + "completed",
            part + R"(,"transcript":"Hello","languages":[{"code":"en"}],"usage":{"type":"tokens","input_tokens":5,
                "output_tokens":2,"total_tokens":7,"input_token_details":{"text_tokens":1,"audio_tokens":4}})"
                + logprobs,
            {"transcript"}),
        same(heard + "failed", part + R"(,"error":{"type":"t","code":"c","message":"m","param":"p"})"),
        same(heard + "segment", part + R"(,"id":"seg_1","text":"Hi","speaker":"A","start":0.5,"end":1.25)", {"text"}),
    };
}

std::vector<EventSample> bufferEvents()
{
    return {
        same("input_audio_buffer.committed", R"(,"item_id":"item_1","previous_item_id":"item_0")"),
        same("input_audio_buffer.cleared", ""),
        same("input_audio_buffer.speech_started", R"(,"audio_start_ms":100,"item_id":"item_1")"),
        same("input_audio_buffer.speech_stopped", R"(,"audio_end_ms":900,"item_id":"item_1")"),
        same("input_audio_buffer.timeout_triggered", R"(,"audio_start_ms":1,"audio_end_ms":2,"item_id":"item_1")"),
        {"input_audio_buffer.dtmf_event_received",
            R"({"type":"input_audio_buffer.dtmf_event_received","event":"5","received_at":1790000000})", {}, {"event"}},
        same("output_audio_buffer.started", R"(,"response_id":"resp_1")"),
        same("output_audio_buffer.stopped", R"(,"response_id":"resp_1")"),
        same("output_audio_buffer.cleared", R"(,"response_id":"resp_1")"),
    };
}

std::vector<EventSample> responseEvents()
{
    const std::string outputItem = R"(,"response_id":"resp_1","output_index":1)";
    const std::string delta = R"(,"delta":"Hel")";
    return {
        responseSample("response.created", R"("status":"in_progress","status_details":null,"usage":null)", false),
        responseSample("response.done",
            R"("status":"failed","status_details":{"type":"failed","reason":"content_filter",
                "error":{"type":"t","code":"c","message":"m"}},"usage":)"
                + kUsage,
            true),
        itemSample("response.output_item.added", "response.output_item.added", outputItem, ""),
        itemSample("response.output_item.done", "response.output_item.done", outputItem, ""),
        same("response.content_part.added", kIds + R"(,"part":{"type":"audio","audio":"AAE=","transcript":""})"),
        same("response.content_part.done", kIds + R"(,"part":{"type":"text","text":"Hello"})"),
        renamed("response.output_text.delta", "response.text.delta", kIds + delta, {"delta"}),
        renamed("response.output_text.done", "response.text.done", kIds + R"(,"text":"Hello")"),
        renamed("response.output_audio.delta", "response.audio.delta", kIds + R"(,"delta":"AAECAw==")", {"delta"}),
        renamed("response.output_audio.done", "response.audio.done", kIds),
        renamed("response.output_audio_transcript.delta", "response.audio_transcript.delta", kIds + delta, {"delta"}),
        renamed("response.output_audio_transcript.done", "response.audio_transcript.done",
            kIds + R"(,"transcript":"Hello")"),
    };
}

std::vector<EventSample> toolEvents()
{
    const std::string call = R"(,"output_index":1,"item_id":"item_4")";
    const std::string arguments = R"(,"arguments":"{}")";
    return {
        same("response.function_call_arguments.delta", kOutputIds + R"(,"call_id":"call_1","delta":"{")", {"delta"}),
        same("response.function_call_arguments.done", kOutputIds + R"(,"call_id":"call_1","name":"clock")" + arguments,
            {"arguments"}),
        same("response.mcp_call_arguments.delta", kOutputIds + R"(,"delta":"{")", {"delta"}),
        same("response.mcp_call_arguments.done", kOutputIds + arguments, {"arguments"}),
        same("response.mcp_call.in_progress", call),
        same("response.mcp_call.completed", call),
        same("response.mcp_call.failed", call),
        same("mcp_list_tools.in_progress", R"(,"item_id":"item_5")"),
        same("mcp_list_tools.completed", R"(,"item_id":"item_5")"),
        same("mcp_list_tools.failed", R"(,"item_id":"item_5")"),
    };
}

EventSample responseCreateSample()
{
    const std::string shared =
        std::string(R"("instructions":"Now.","conversation":"none","metadata":{"k":"v"},"tool_choice":"required",
        "tools":)")
        + kTools + R"(,"input":[{"type":"item_reference","id":"item_1"},{"type":"function_call_output",
        "call_id":"call_1","output":"12:00"}])";
    return reshaped("response.create", "response.create",
        R"(,"response":{)" + shared + kGaShape
            + R"(,"parallel_tool_calls":true,"prompt":{"id":"pmpt_1"},"reasoning":{"effort":"high"}})",
        R"(,"response":{)" + shared
            + R"(,"modalities":["audio","text"],"max_response_output_tokens":"inf","output_audio_format":"pcm16",
                "voice":"marin"})",
        {});
}

} // namespace

const std::vector<EventSample>& clientSamples()
{
    static const std::vector<EventSample> samples{
        sessionSample("session.update", {}),
        same("input_audio_buffer.append", R"(,"audio":"AAECAw==")", {"audio"}),
        same("input_audio_buffer.commit", ""),
        same("input_audio_buffer.clear", ""),
        same("conversation.item.create", kUserItem + R"(,"previous_item_id":"root")", {"item"}),
        same("conversation.item.retrieve", R"(,"item_id":"item_1")", {"item_id"}),
        same("conversation.item.truncate", R"(,"item_id":"item_1","content_index":0,"audio_end_ms":1500)",
            {"item_id", "content_index", "audio_end_ms"}),
        same("conversation.item.delete", R"(,"item_id":"item_1")", {"item_id"}),
        responseCreateSample(),
        same("response.cancel", R"(,"response_id":"resp_1")"),
        same("output_audio_buffer.clear", ""),
    };
    return samples;
}

const std::vector<EventSample>& serverSamples()
{
    static const std::vector<EventSample> samples = [] {
        std::vector<EventSample> all = sessionEvents();
        addTo(all, itemEvents());
        addTo(all, bufferEvents());
        addTo(all, responseEvents());
        addTo(all, toolEvents());
        return all;
    }();
    return samples;
}

} // namespace vivavoce::test
