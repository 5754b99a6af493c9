#include "core/tools/mcp_server.h"

#include "core/base/json.h"
#include "core/tools/readable_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr const char* kNewestVersion = "2025-11-25";
constexpr std::array<std::string_view, 4> kVersions{"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"};
constexpr Milliseconds kPatience{20'000};
constexpr Milliseconds kPauseOfLists{1'000};
constexpr std::size_t kMostTools = 200;
constexpr int kMostPages = 50;
constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestDescription = 1'024;
constexpr std::size_t kLongestId = 128;
constexpr std::size_t kMostRemarks = 10;
constexpr int kMethodNotFound = -32601;

std::string text(const Json& object, const char* key)
{
    const auto found = object.is_object() ? object.find(key) : object.end();
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// At a character's boundary.
std::string shortened(std::string words, std::size_t most)
{
    if (words.size() > most) {
        while (most > 0 && (static_cast<unsigned char>(words[most]) & 0xc0U) == 0x80U) {
            --most;
        }
        words.resize(most);
    }
    return words;
}

/// A number or a short text, as people number their requests; it is sent back.
bool isId(const Json& id)
{
    return id.is_number() || (id.is_string() && id.get_ref<const std::string&>().size() <= kLongestId);
}

/// As providers take it.
std::string functionName(const std::string& server, const std::string& tool)
{
    std::string name = server + "__" + tool;
    std::replace_if(
        name.begin(), name.end(),
        [](char c) {
            return !(
                (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-');
        },
        '_');
    return name.substr(0, kLongestName);
}

/// What a function answered, for the model: the structured form where there is one, else its texts.
std::string outputOf(const Json& result)
{
    const auto structured = result.find("structuredContent");
    if (structured != result.end() && structured->is_object()) {
        return writeJson(*structured);
    }
    std::string output;
    const auto content = result.find("content");
    if (content != result.end() && content->is_array()) {
        for (const Json& part : *content) {
            const std::string type = text(part, "type");
            const std::string words = type == "text" ? text(part, "text")
                : type == "resource_link"            ? text(part, "uri")
                                                     : "[" + shortened(type, kLongestName) + ", not shown]";
            output += (output.empty() ? "" : "\n") + words;
        }
    }
    return output;
}

} // namespace

/// One run of the program, and the way back from it. Once let go of, it says nothing more, though the program may live a little.
class McpServer::Link final : public LineProcessListener {
public:
    Link(McpServer& server, std::unique_ptr<LineProcess> process) : m_server(&server), m_process(std::move(process)) {}

    [[nodiscard]] LineProcess& process() { return *m_process; }
    void letGo() { m_server = nullptr; }

    void lineReceived(std::string_view line) override
    {
        if (m_server != nullptr) {
            m_server->lineReceived(line);
        }
    }
    void processEnded(const Error& why) override
    {
        if (m_server != nullptr) {
            m_server->failed(why);
        }
    }

private:
    McpServer* m_server;
    std::unique_ptr<LineProcess> m_process;
};

McpServer::McpServer(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

McpServer::~McpServer()
{
    letGo();
}

void McpServer::start()
{
    if (m_stage == Stage::Starting || m_stage == Stage::Ready) {
        return;
    }
    letGo();
    m_error.reset();
    m_stage = Stage::Starting;
    m_deadline = m_deps.executor.after(kPatience, [this] {
        failed({ErrorCode::Timeout, "it did not begin within 20 s", std::nullopt, {}});
    });
    m_link = std::make_shared<Link>(*this, m_deps.makeProcess());
    m_link->process().start(m_deps.config.command, *m_link);
    request("initialize",
        {{"protocolVersion", kNewestVersion}, {"capabilities", Json::object()},
            {"clientInfo", {{"name", "vivavoce"}, {"version", m_deps.version}}}},
        [this](const Json& result, const std::string& error) { initialised(result, error); });
    tell();
}

void McpServer::stop()
{
    if (m_stage != Stage::Off) {
        end(Stage::Off, std::nullopt);
    }
}

void McpServer::initialised(const Json& result, const std::string& error)
{
    if (!error.empty()) {
        failed({ErrorCode::ToolFailed, "it refused to begin: " + readableText(error), std::nullopt, {}});
        return;
    }
    const std::string version = text(result, "protocolVersion");
    if (std::find(kVersions.begin(), kVersions.end(), version) == kVersions.end()) {
        failed({ErrorCode::ToolFailed, "it speaks a version of the protocol that is not known here", std::nullopt, {}});
        return;
    }
    notify("notifications/initialized", Json::object());
    const auto capabilities = result.find("capabilities");
    if (capabilities != result.end() && capabilities->is_object() && capabilities->contains("tools")) {
        listTools({});
    } else {
        finishList();
    }
}

void McpServer::listTools(const std::string& cursor)
{
    if (cursor.empty()) {
        m_coming.clear();
        m_comingNames.clear();
        m_comingRemarks.clear();
        m_pages = 0;
        m_isListing = true;
        m_isListStale = false;
    }
    ++m_pages;
    Json params = Json::object();
    if (!cursor.empty()) {
        params["cursor"] = cursor;
    }
    request("tools/list", std::move(params),
        [this](const Json& result, const std::string& error) { listed(result, error); });
}

void McpServer::listed(const Json& result, const std::string& error)
{
    const auto tools = result.find("tools");
    if (!error.empty() || tools == result.end() || !tools->is_array()) {
        failed({ErrorCode::ToolFailed,
            "it does not tell its functions" + (error.empty() ? "" : ": " + readableText(error)), std::nullopt, {}});
        return;
    }
    for (const Json& tool : *tools) {
        collect(tool);
    }
    const std::string next = text(result, "nextCursor");
    if (!next.empty() && m_pages < kMostPages && m_coming.size() < kMostTools) {
        listTools(next);
        return;
    }
    if (!next.empty()) {
        leaveOut("what follows", "the server has more than can be taken");
    }
    finishList();
}

void McpServer::collect(const Json& tool)
{
    const std::string own = text(tool, "name");
    const std::string name = functionName(this->name(), own);
    const auto schema = tool.is_object() ? tool.find("inputSchema") : tool.end();
    if (own.empty()) {
        leaveOut("one", "it has no name");
        return;
    }
    if (m_coming.size() >= kMostTools) {
        leaveOut(own, "the server has more than " + std::to_string(kMostTools));
        return;
    }
    // The protocol wants it so, and a provider refuses all settings for one function that is otherwise.
    if (schema == tool.end() || text(*schema, "type") != "object") {
        leaveOut(own, "its inputSchema is not one of \"type\": \"object\"");
        return;
    }
    if (!m_comingNames.emplace(name, own).second) {
        leaveOut(own, "another one would be called the same");
        return;
    }
    Tool found;
    found.declaration.name = name;
    found.declaration.description = shortened(text(tool, "description"), kLongestDescription);
    found.declaration.parameters = openai::RawJson{writeJson(*schema)};
    found.source = this->name();
    found.policy = ToolPolicy::Ask;
    m_coming.push_back(std::move(found));
}

void McpServer::leaveOut(const std::string& tool, const std::string& why)
{
    if (m_comingRemarks.size() < kMostRemarks) {
        m_comingRemarks.push_back(shortened(tool, kLongestName) + " of " + name() + " is left out: " + why);
    } else if (m_comingRemarks.size() == kMostRemarks) {
        m_comingRemarks.push_back("others of " + name() + " are left out, too");
    }
}

void McpServer::finishList()
{
    m_isListing = false;
    m_deadline.reset();
    m_tools = std::exchange(m_coming, {});
    m_names = std::exchange(m_comingNames, {});
    m_remarks = std::exchange(m_comingRemarks, {});
    m_stage = Stage::Ready;
    if (m_isListStale) {
        listAgain();
    }
    tell();
}

void McpServer::listAgain()
{
    m_isListStale = true;
    if (m_isListing || m_pause != nullptr) {
        return;
    }
    m_pause = m_deps.executor.after(kPauseOfLists, [this] { endPause(); });
    m_deadline = m_deps.executor.after(kPatience, [this] {
        failed({ErrorCode::Timeout, "it did not tell its functions again within 20 s", std::nullopt, {}});
    });
    listTools({});
}

void McpServer::endPause()
{
    m_pause.reset();
    if (m_isListStale) {
        listAgain();
    }
}

void McpServer::run(const ToolCall& call, Callback done)
{
    const auto known = m_names.find(call.name);
    const auto arguments = parseJson(call.arguments);
    if (m_stage != Stage::Ready || known == m_names.end() || !arguments || !arguments->is_object()) {
        m_deps.executor.post(
            [done = std::move(done)] { done(fail(ErrorCode::ToolFailed, "the server cannot be asked")); });
        return;
    }
    Call& running = m_calls[call.callId];
    running.done = std::move(done);
    running.request = request("tools/call", {{"name", known->second}, {"arguments", *arguments}},
        [this, callId = call.callId](
            const Json& result, const std::string& error) { answered(callId, result, error); });
}

void McpServer::answered(const std::string& callId, const Json& result, const std::string& error)
{
    const auto call = m_calls.find(callId);
    if (call == m_calls.end()) {
        return;
    }
    const Callback done = std::move(call->second.done);
    m_calls.erase(call);
    const auto isError = result.find("isError");
    if (!error.empty()) {
        done(fail(ErrorCode::ToolFailed, error));
    } else if (isError != result.end() && *isError == true) {
        // In its own words: they are for the model.
        done(writeJson({{"error", codeText(ErrorCode::ToolFailed)}, {"message", outputOf(result)}}));
    } else {
        done(outputOf(result));
    }
}

void McpServer::cancel(const std::string& callId)
{
    const auto call = m_calls.find(callId);
    if (call == m_calls.end()) {
        return;
    }
    const std::int64_t id = call->second.request;
    m_calls.erase(call);
    m_requests.erase(id);
    notify("notifications/cancelled", {{"requestId", id}, {"reason", "not wanted any more"}});
}

void McpServer::cancelAll()
{
    while (!m_calls.empty()) {
        cancel(std::string(m_calls.begin()->first));
    }
}

void McpServer::lineReceived(std::string_view line)
{
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
        return;
    }
    const auto message = parseJson(line);
    if (!message || (!message->is_object() && !message->is_array())) {
        failed(
            {ErrorCode::ToolFailed, "it said something on its standard output that is no message", std::nullopt, {}});
        return;
    }
    if (message->is_object()) {
        take(*message);
        return;
    }
    // Several at once, as of 2025-03-26.
    for (const Json& one : *message) {
        if (m_link != nullptr) {
            take(one);
        }
    }
}

void McpServer::take(const Json& message)
{
    if (text(message, "jsonrpc") != "2.0") {
        failed(
            {ErrorCode::ToolFailed, "it said something on its standard output that is no message", std::nullopt, {}});
        return;
    }
    const std::string method = text(message, "method");
    const auto id = message.find("id");
    if (!method.empty()) {
        if (id != message.end()) {
            serve(*id, method);
        } else if (method == "notifications/tools/list_changed" && (m_isListing || m_stage == Stage::Ready)) {
            listAgain();
        }
        return;
    }
    const auto open =
        id != message.end() && id->is_number_integer() ? m_requests.find(id->get<std::int64_t>()) : m_requests.end();
    if (open == m_requests.end()) {
        // Of a call that was cancelled, or of none.
        return;
    }
    const Answer answer = std::move(open->second);
    m_requests.erase(open);
    const auto result = message.find("result");
    const auto error = message.find("error");
    if (result != message.end() && result->is_object()) {
        answer(*result, {});
    } else {
        const std::string words = error == message.end() ? std::string() : text(*error, "message");
        answer(Json::object(), shortened(words.empty() ? "an error without words" : words, 200));
    }
}

void McpServer::serve(const Json& id, const std::string& method)
{
    if (!isId(id)) {
        failed({ErrorCode::ToolFailed, "it asked for something under an id that is neither a number nor a short text",
            std::nullopt, {}});
    } else if (method == "ping") {
        send({{"jsonrpc", "2.0"}, {"id", id}, {"result", Json::object()}});
    } else {
        send({{"jsonrpc", "2.0"}, {"id", id}, {"error", {{"code", kMethodNotFound}, {"message", "not known here"}}}});
    }
}

std::int64_t McpServer::request(const std::string& method, Json params, Answer answer)
{
    const std::int64_t id = ++m_lastRequest;
    m_requests[id] = std::move(answer);
    send({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", std::move(params)}});
    return id;
}

void McpServer::notify(const std::string& method, Json params)
{
    send({{"jsonrpc", "2.0"}, {"method", method}, {"params", std::move(params)}});
}

void McpServer::send(const Json& message)
{
    if (m_link != nullptr) {
        m_link->process().write(writeJson(message));
    }
}

void McpServer::failed(Error why)
{
    end(Stage::Failed, std::move(why));
}

void McpServer::end(Stage stage, std::optional<Error> why)
{
    auto calls = std::move(m_calls);
    letGo();
    m_stage = stage;
    m_error = std::move(why);
    for (auto& [callId, call] : calls) {
        call.done(fail(ErrorCode::ToolFailed, "the server has ended"));
    }
    tell();
}

void McpServer::letGo()
{
    m_deadline.reset();
    m_requests.clear();
    m_calls.clear();
    m_pause.reset();
    m_tools.clear();
    m_names.clear();
    m_remarks.clear();
    m_isListing = false;
    m_isListStale = false;
    if (m_link != nullptr) {
        m_link->letGo();
        // We may stand in one of its own calls.
        m_deps.executor.post([old = std::exchange(m_link, nullptr)] {});
    }
}

void McpServer::tell()
{
    if (m_follower) {
        m_follower();
    }
}

} // namespace vivavoce::core
