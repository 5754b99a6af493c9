#include "core/tools/built_in_tools.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr std::size_t kMostTimers = 20;
constexpr const char* kSource = "Vivavoce";

constexpr const char* kTimeSchema =
    R"({"type":"object","properties":{"time_zone":{"type":"string","maxLength":64,"description":"IANA name, as Europe/Oslo; without it the user's own"}},"additionalProperties":false})";
constexpr const char* kSetSchema =
    R"({"type":"object","properties":{"seconds":{"type":"integer","minimum":1,"maximum":86400},"label":{"type":"string","maxLength":80,"description":"What it is for"}},"required":["seconds"],"additionalProperties":false})";
constexpr const char* kNothingSchema = R"({"type":"object","properties":{},"additionalProperties":false})";
constexpr const char* kCancelSchema =
    R"({"type":"object","properties":{"id":{"type":"string","maxLength":40,"description":"As set_timer and list_timers tell it; without it the only one"}},"additionalProperties":false})";
constexpr const char* kLinkSchema =
    R"({"type":"object","properties":{"url":{"type":"string","maxLength":2000,"description":"An https address"}},"required":["url"],"additionalProperties":false})";

Tool tool(const char* name, const char* description, const char* schema, ToolPolicy policy, bool alwaysAsks)
{
    return {{name, description, openai::RawJson{schema}}, kSource, policy, alwaysAsks};
}

/// In words: it is said as it stands.
std::string result(const std::string& words)
{
    return writeJson({{"result", words}});
}

std::string durationOf(long seconds)
{
    const bool isWhole = seconds >= 60 && seconds % 60 == 0;
    const long count = isWhole ? seconds / 60 : seconds;
    return std::to_string(count) + (isWhole ? " minute" : " second") + (count == 1 ? "" : "s");
}

/// https:// with a host, and nothing that would make it look like another address than it is.
bool isPlainHttps(const std::string& url)
{
    constexpr std::string_view kScheme = "https://";
    if (!url.starts_with(kScheme)) {
        return false;
    }
    const bool isPlain = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 0x7f && c != '\\'; });
    const std::string host = url.substr(kScheme.size(), url.find_first_of("/?#", kScheme.size()) - kScheme.size());
    return isPlain && !host.empty() && host.front() != ':' && host.find('@') == std::string::npos;
}

} // namespace

BuiltInTools::BuiltInTools(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_self(std::make_shared<BuiltInTools*>(this))
{
}

BuiltInTools::~BuiltInTools() = default;

std::vector<Tool> BuiltInTools::tools() const
{
    return {
        tool("get_current_time", "The date and the time now", kTimeSchema, ToolPolicy::Always, false),
        tool("set_timer", "Sets a timer; the user is told when it is over", kSetSchema, ToolPolicy::Always, false),
        tool("list_timers", "The timers that run", kNothingSchema, ToolPolicy::Always, false),
        tool("cancel_timer", "Cancels a timer", kCancelSchema, ToolPolicy::Always, false),
        tool("open_link", "Opens a web page in the user's browser, if the user allows it", kLinkSchema, ToolPolicy::Ask,
            true),
    };
}

void BuiltInTools::run(const ToolCall& call, Callback done)
{
    m_open.insert(call.callId);
    m_deps.executor.post([self = std::weak_ptr(m_self), call, done = std::move(done)] {
        const auto tools = self.lock();
        if (tools != nullptr && (*tools)->m_open.erase(call.callId) > 0) {
            done((*tools)->answerTo(call));
        }
    });
}

Expected<std::string, Error> BuiltInTools::answerTo(const ToolCall& call)
{
    const auto arguments = parseJson(call.arguments);
    if (!arguments || !arguments->is_object()) {
        return fail(ErrorCode::ToolArguments, "not a JSON object");
    }
    if (call.name == "get_current_time") {
        return tellTime(arguments->value("time_zone", std::string()));
    }
    if (call.name == "set_timer") {
        return setTimer(arguments->value("seconds", 0L), arguments->value("label", std::string()));
    }
    if (call.name == "list_timers") {
        return listTimers();
    }
    if (call.name == "cancel_timer") {
        return cancelTimer(arguments->value("id", std::string()));
    }
    if (call.name == "open_link") {
        return openLink(arguments->value("url", std::string()));
    }
    return fail(ErrorCode::ToolFailed, "there is no such function");
}

Expected<std::string, Error> BuiltInTools::tellTime(const std::string& zone) const
{
    const auto moment = m_deps.local(m_deps.clock.wallNow(), zone);
    if (!moment) {
        return fail(ErrorCode::ToolArguments, "there is no such time zone; IANA names are known, as Europe/Oslo");
    }
    return result("It is " + moment->time + " on " + moment->weekday + ", " + moment->date + ", in " + moment->zone);
}

Expected<std::string, Error> BuiltInTools::setTimer(long seconds, const std::string& label)
{
    if (m_timers.size() >= kMostTimers) {
        return fail(ErrorCode::ToolArguments, "20 timers run already; cancel one first");
    }
    const std::string id = "timer_" + std::to_string(++m_lastTimer);
    const Milliseconds length = std::chrono::seconds{seconds};
    m_timers.push_back(
        {id, label, m_deps.clock.now() + length, m_deps.executor.after(length, [this, id] { timerDue(id); })});
    return result("The timer is set for " + durationOf(seconds) + ", and its id is " + id);
}

std::string BuiltInTools::listTimers() const
{
    std::string list;
    for (const RunningTimer& running : m_timers) {
        const auto left = std::chrono::ceil<std::chrono::seconds>(running.due - m_deps.clock.now());
        list += (list.empty() ? "" : "; ") + running.id + (running.label.empty() ? "" : " (" + running.label + ")")
            + ": " + durationOf(left.count()) + " left";
    }
    return result(list.empty() ? "No timer runs" : list);
}

Expected<std::string, Error> BuiltInTools::cancelTimer(const std::string& id)
{
    if (id.empty() && m_timers.size() > 1) {
        return fail(ErrorCode::ToolArguments, "several timers run; which one is meant needs its id");
    }
    const std::string wanted = id.empty() && !m_timers.empty() ? m_timers.front().id : id;
    if (std::erase_if(m_timers, [&](const RunningTimer& running) { return running.id == wanted; }) == 0) {
        return fail(ErrorCode::ToolArguments, "no such timer runs");
    }
    return result(wanted + " is cancelled");
}

void BuiltInTools::timerDue(const std::string& id)
{
    const auto found =
        std::find_if(m_timers.begin(), m_timers.end(), [&](const RunningTimer& running) { return running.id == id; });
    if (found == m_timers.end()) {
        return;
    }
    // We stand in its own call.
    const RunningTimer over = std::move(*found);
    m_timers.erase(found);
    if (m_timerFollower) {
        m_timerFollower({over.id, over.label});
    }
}

Expected<std::string, Error> BuiltInTools::openLink(const std::string& url) const
{
    if (!isPlainHttps(url)) {
        return fail(ErrorCode::ToolArguments, "only plain https addresses are opened");
    }
    if (!m_deps.browser.open(url)) {
        return fail(ErrorCode::ToolFailed, "there is no browser");
    }
    return result("The page is open in the browser");
}

} // namespace vivavoce::core
