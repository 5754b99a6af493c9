#include "agent/brain/chat_messages.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>
#include <vector>

namespace vivavoce::agent::brain {

namespace {

using core::ErrorCode;
using core::Json;
using Kind = DialogueItem::Kind;

Json message(const char* role, const std::string& text)
{
    return Json{{"role", role}, {"content", text}};
}

bool hasCall(const BrainRequest& request, const std::string& callId)
{
    return std::any_of(request.items.begin(), request.items.end(),
        [&](const DialogueItem& item) { return item.kind == Kind::FunctionCall && item.callId == callId; });
}

/// Every output right behind the calls of its reply: strict servers want nothing in between, not even what was said meanwhile.
std::vector<const DialogueItem*> inOrder(const BrainRequest& request)
{
    const std::vector<DialogueItem>& items = request.items;
    std::vector<const DialogueItem*> ordered;
    const auto answers = [](std::string_view callId) {
        return
            [callId](const DialogueItem& item) { return item.kind == Kind::FunctionOutput && item.callId == callId; };
    };
    for (auto item = items.begin(); item != items.end();) {
        if (item->kind != Kind::FunctionCall) {
            if (item->kind != Kind::FunctionOutput || !hasCall(request, item->callId)) {
                ordered.push_back(&*item);
            }
            ++item;
            continue;
        }
        const auto first = item;
        for (; item != items.end() && item->kind == Kind::FunctionCall; ++item) {
            ordered.push_back(&*item);
        }
        for (auto call = first; call != item; ++call) {
            const auto output = std::find_if(items.begin(), items.end(), answers(call->callId));
            if (output != items.end()) {
                ordered.push_back(&*output);
            }
        }
    }
    return ordered;
}

Json messagesOf(const BrainRequest& request)
{
    Json messages = Json::array();
    if (!request.instructions.empty()) {
        messages.push_back(message("system", request.instructions));
    }
    for (const DialogueItem* const one : inOrder(request)) {
        const DialogueItem& item = *one;
        switch (item.kind) {
        case Kind::UserMessage:
            messages.push_back(message("user", item.text));
            break;
        case Kind::SystemMessage:
            messages.push_back(message("system", item.text));
            break;
        case Kind::AssistantMessage:
            messages.push_back(message("assistant", item.text));
            break;
        case Kind::FunctionCall: {
            const Json call{{"id", item.callId}, {"type", "function"},
                {"function", {{"name", item.name}, {"arguments", item.text}}}};
            // Calls of one reply belong in one message: strict servers want every output right after it.
            if (!messages.empty() && messages.back().contains("tool_calls")) {
                messages.back()["tool_calls"].push_back(call);
            } else {
                messages.push_back({{"role", "assistant"}, {"content", nullptr}, {"tool_calls", Json::array({call})}});
            }
            break;
        }
        case Kind::FunctionOutput:
            // An output whose call was deleted is refused by servers, so it is told as text.
            if (hasCall(request, item.callId)) {
                messages.push_back({{"role", "tool"}, {"tool_call_id", item.callId}, {"content", item.text}});
            } else {
                messages.push_back(message("system", "Result of a function: " + item.text));
            }
            break;
        }
    }
    return messages;
}

std::string textOf(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t countOf(const Json& object, const char* key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

} // namespace

std::string chatRequestBody(const BrainRequest& request, const std::string& model)
{
    Json body{{"model", model.empty() ? "default" : model}, {"stream", true},
        {"stream_options", {{"include_usage", true}}}, {"messages", messagesOf(request)}};
    Json tools = Json::array();
    for (const Tool& tool : request.tools) {
        const auto schema = core::parseJson(tool.parameters);
        Json function{{"name", tool.name}, {"description", tool.description},
            {"parameters",
                schema && schema->is_object() ? *schema : Json{{"type", "object"}, {"properties", Json::object()}}}};
        tools.push_back({{"type", "function"}, {"function", std::move(function)}});
    }
    if (!tools.empty()) {
        body["tools"] = std::move(tools);
        if (request.toolChoice == ToolChoice::None) {
            body["tool_choice"] = "none";
        } else if (request.toolChoice == ToolChoice::Auto) {
            body["tool_choice"] = "auto";
        } else if (request.requiredTool.empty()) {
            body["tool_choice"] = "required";
        } else {
            body["tool_choice"] = {{"type", "function"}, {"function", {{"name", request.requiredTool}}}};
        }
    }
    return core::writeJson(body);
}

core::Expected<void, core::Error> ChatReply::take(std::string_view data)
{
    if (m_isDone || m_isStopped) {
        return {};
    }
    if (data == "[DONE]") {
        m_isDone = true;
        return {};
    }
    const auto json = core::parseJson(data);
    if (!json || !json->is_object()) {
        return core::fail(ErrorCode::ProviderMalformed, "the chat server sent an event that is not a JSON object");
    }
    if (const auto error = json->find("error"); error != json->end() && !error->is_null()) {
        core::Error failure{ErrorCode::ProviderFailed, "the chat server broke off its reply", std::nullopt, {}};
        if (error->is_object()) {
            failure.foreignCode = textOf(*error, "code").empty() ? textOf(*error, "type") : textOf(*error, "code");
        }
        return core::Unexpected<core::Error>(std::move(failure));
    }
    if (const auto usage = json->find("usage"); usage != json->end() && usage->is_object()) {
        m_usage = BrainUsage{countOf(*usage, "prompt_tokens"), countOf(*usage, "completion_tokens")};
    }
    const auto choices = json->find("choices");
    if (choices == json->end() || !choices->is_array() || choices->empty() || !choices->front().is_object()) {
        return {};
    }
    const Json& choice = choices->front();
    if (std::string reason = textOf(choice, "finish_reason"); !reason.empty()) {
        m_finishReason = std::move(reason);
    }
    const auto delta = choice.find("delta");
    return delta != choice.end() && delta->is_object() ? takeDelta(*delta) : core::Expected<void, core::Error>{};
}

core::Expected<void, core::Error> ChatReply::takeDelta(const Json& delta)
{
    for (const char* key : {"content", "refusal"}) {
        if (const std::string text = textOf(delta, key); !text.empty()) {
            m_hasText = true;
            m_isStopped = !m_sink.onText(text);
        }
    }
    const auto calls = delta.find("tool_calls");
    if (calls == delta.end() || !calls->is_array()) {
        return {};
    }
    for (const Json& part : *calls) {
        if (auto taken = takeCall(part); !taken) {
            return taken;
        }
    }
    return {};
}

core::Expected<void, core::Error> ChatReply::takeCall(const Json& part)
{
    const auto function = part.is_object() ? part.find("function") : part.end();
    if (!part.is_object() || function == part.end() || !function->is_object()) {
        return core::fail(ErrorCode::ProviderMalformed, "the chat server sent a call without a function");
    }
    const std::string name = textOf(*function, "name");
    // Some servers leave the index out and send each call whole.
    const bool hasIndex = part.contains("index");
    const std::int64_t index =
        hasIndex ? countOf(part, "index") : static_cast<std::int64_t>(m_calls.size()) - (name.empty() ? 1 : 0);
    auto call = std::find_if(m_calls.begin(), m_calls.end(), [&](const Call& known) { return known.index == index; });
    if (call == m_calls.end()) {
        if (m_calls.size() >= kMostCalls) {
            return core::fail(ErrorCode::ProviderMalformed, "the chat server sent too many calls");
        }
        call = m_calls.insert(m_calls.end(), Call{index, {}, {}});
    }
    if (call->name.empty()) {
        call->name = name;
    }
    call->arguments += textOf(*function, "arguments");
    if (call->arguments.size() > kMostArgumentBytes) {
        return core::fail(ErrorCode::ProviderMessageTooBig, "the arguments of a call are over 256 KiB");
    }
    return {};
}

core::Expected<std::optional<BrainUsage>, core::Error> ChatReply::finish()
{
    if (m_isStopped) {
        return m_usage;
    }
    if (!m_isDone && m_finishReason.empty()) {
        return core::fail(ErrorCode::ProviderMalformed, "the chat server's reply broke off");
    }
    if (!m_hasText && m_calls.empty()) {
        return core::fail(ErrorCode::ProviderMalformed,
            m_finishReason == "content_filter" ? "the chat server filtered its reply away"
                                               : "the chat server's reply is empty");
    }
    for (Call& call : m_calls) {
        if (call.arguments.empty()) {
            call.arguments = "{}";
        }
        const auto arguments = core::parseJson(call.arguments);
        if (call.name.empty() || !arguments || !arguments->is_object()) {
            return core::fail(
                ErrorCode::ProviderMalformed, "the chat server's call has no name or no JSON object as arguments");
        }
    }
    for (const Call& call : m_calls) {
        if (!m_sink.onFunctionCall(call.name, call.arguments)) {
            break;
        }
    }
    return m_usage;
}

} // namespace vivavoce::agent::brain
