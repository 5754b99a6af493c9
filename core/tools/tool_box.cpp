#include "core/tools/tool_box.h"

#include "core/tools/readable_text.h"

#include <algorithm>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr std::size_t kLongestName = 64;

Error error(ErrorCode code, std::string detail)
{
    return Error{code, std::move(detail), std::nullopt, {}};
}

/// As providers take it.
bool isName(const std::string& name)
{
    return !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

std::string listed(const std::vector<std::string>& words)
{
    std::string text;
    for (const std::string& word : words) {
        text += (text.empty() ? "" : ", ") + word;
    }
    return text;
}

} // namespace

ToolBox::ToolBox(Dependencies dependencies, Limits limits)
    : m_deps(std::move(dependencies)), m_limits(limits), m_self(std::make_shared<ToolBox*>(this))
{
    for (ToolSource* source : m_deps.sources) {
        source->follow([self = std::weak_ptr(m_self)] {
            if (const auto box = self.lock()) {
                (*box)->readTools();
            }
        });
    }
    readTools();
}

ToolBox::~ToolBox()
{
    m_self.reset();
    for (ToolSource* source : m_deps.sources) {
        source->cancelAll();
        source->follow({});
    }
}

void ToolBox::readTools()
{
    m_offers.clear();
    m_offeredBytes = 0;
    m_leftOut = 0;
    m_remarks.clear();
    // A source may tell often that it has changed, and making a schema ready is work.
    Schemas known = std::exchange(m_schemas, {});
    for (ToolSource* source : m_deps.sources) {
        for (const Tool& tool : source->tools()) {
            take(*source, tool, known);
        }
        for (const std::string& text : source->remarks()) {
            remark(text);
        }
    }
    if (m_leftOut > 0) {
        remark(std::to_string(m_leftOut) + " more are left out: at most " + std::to_string(m_limits.functions)
            + " functions are offered, of " + std::to_string(m_limits.declarationBytes / 1024) + " KiB together");
    }
    for (const Follower& follower : m_toolFollowers) {
        follower();
    }
}

void ToolBox::remark(const std::string& text)
{
    m_remarks.push_back(readableText(text));
}

void ToolBox::take(ToolSource& source, const Tool& tool, Schemas& known)
{
    const std::string& name = tool.declaration.name;
    const auto leaveOut = [&](const std::string& why) {
        remark(name.substr(0, kLongestName) + " of " + tool.source + " is left out: " + why);
    };
    if (!isName(name)) {
        leaveOut("such a name is not taken by providers");
        return;
    }
    if (const Offer* const same = find(name)) {
        leaveOut("there is one of that name of " + same->tool.source);
        return;
    }
    const std::string text = tool.declaration.parameters ? tool.declaration.parameters->text : "{}";
    const std::size_t bytes = name.size() + tool.declaration.description.value_or(std::string()).size() + text.size();
    if (m_offers.size() >= m_limits.functions || m_offeredBytes + bytes > m_limits.declarationBytes) {
        ++m_leftOut;
        return;
    }
    auto schema = m_schemas.find(text);
    if (schema == m_schemas.end()) {
        auto kept = known.extract(text);
        schema =
            kept ? m_schemas.insert(std::move(kept)).position : m_schemas.emplace(text, m_deps.makeSchema(text)).first;
    }
    if (!schema->second) {
        leaveOut("its parameters cannot be checked: " + schema->second.error());
        return;
    }
    if (!schema->second->ignored().empty()) {
        remark(name + " of " + tool.source + ": left to it to check: " + listed(schema->second->ignored()));
    }
    m_offeredBytes += bytes;
    m_offers.push_back({&source, tool, *schema->second});
}

ToolPolicy ToolBox::policyOf(const Tool& tool) const
{
    const ToolPolicy policy =
        m_deps.decided ? m_deps.decided(tool.declaration.name).value_or(tool.policy) : tool.policy;
    return tool.alwaysAsks && policy == ToolPolicy::Always ? ToolPolicy::Ask : policy;
}

std::vector<openai::FunctionTool> ToolBox::begin()
{
    m_allowed.clear();
    std::vector<openai::FunctionTool> declarations;
    for (const Offer& offer : m_offers) {
        if (policyOf(offer.tool) != ToolPolicy::Never) {
            declarations.push_back(offer.tool.declaration);
        }
    }
    return declarations;
}

std::vector<OfferedTool> ToolBox::tools() const
{
    std::vector<OfferedTool> all;
    for (const Offer& offer : m_offers) {
        const openai::FunctionTool& declaration = offer.tool.declaration;
        all.push_back({declaration.name, offer.tool.source, declaration.description.value_or(std::string()),
            policyOf(offer.tool), offer.tool.alwaysAsks});
    }
    return all;
}

void ToolBox::run(const ToolCall& call, Callback done)
{
    if (m_open.contains(call.callId)) {
        m_deps.executor.post([done = std::move(done)] {
            done(Unexpected<Error>(error(ErrorCode::ToolFailed, "that call runs already")));
        });
        return;
    }
    Open& open = m_open[call.callId];
    open.call = call;
    open.done = std::move(done);
    open.serial = ++m_lastSerial;
    const Offer* const offer = find(call.name);
    if (offer == nullptr) {
        finishLater(call.callId, open.serial, error(ErrorCode::ToolFailed, "there is no such function"));
        return;
    }
    open.source = offer->source;
    if (call.arguments.size() > m_limits.argumentBytes) {
        finishLater(call.callId, open.serial, error(ErrorCode::ToolArguments, "the arguments are too long"));
        return;
    }
    auto checked = offer->schema.check(call.arguments);
    if (!checked) {
        finishLater(call.callId, open.serial, error(ErrorCode::ToolArguments, checked.error()));
        return;
    }
    open.call.arguments = std::move(*checked);
    const ToolPolicy policy = policyOf(offer->tool);
    if (policy == ToolPolicy::Never) {
        finishLater(call.callId, open.serial, error(ErrorCode::ToolDenied, "it is set to never run"));
    } else if (policy == ToolPolicy::Ask && (offer->tool.alwaysAsks || !m_allowed.contains(call.name))) {
        ask(*offer, open);
    } else {
        start(call.callId);
    }
}

const ToolBox::Offer* ToolBox::find(const std::string& name) const
{
    const auto offer = std::find_if(
        m_offers.begin(), m_offers.end(), [&](const Offer& one) { return one.tool.declaration.name == name; });
    return offer == m_offers.end() ? nullptr : &*offer;
}

bool ToolBox::takesTime(const std::string& name) const
{
    const Offer* const offer = find(name);
    return offer != nullptr && (policyOf(offer->tool) == ToolPolicy::Ask || offer->source->takesTime(name));
}

void ToolBox::ask(const Offer& offer, Open& open)
{
    m_pending.push_back({open.call.callId, open.call.name, offer.tool.source, open.call.arguments,
        m_deps.clock.now() + m_limits.approval, offer.tool.alwaysAsks});
    open.deadline = m_deps.executor.after(m_limits.approval, [this, id = open.call.callId, serial = open.serial] {
        forgetRequest(id);
        finish(id, serial, Unexpected<Error>(error(ErrorCode::ToolDenied, "nobody allowed it in time")));
        tellFollowers();
    });
    // Whoever is told may answer at once, and that must not be from within our call.
    m_deps.executor.post([self = std::weak_ptr(m_self)] {
        if (const auto box = self.lock()) {
            (*box)->tellFollowers();
        }
    });
}

void ToolBox::answer(const std::string& callId, Approval approval)
{
    const auto open = m_open.find(callId);
    const auto request = std::find_if(
        m_pending.begin(), m_pending.end(), [&](const ApprovalRequest& one) { return one.callId == callId; });
    if (request == m_pending.end() || open == m_open.end()) {
        return;
    }
    const bool isForAll = approval == Approval::Conversation && !request->alwaysAsks;
    m_pending.erase(request);
    open->second.deadline.reset();
    if (approval == Approval::Deny) {
        finish(
            callId, open->second.serial, Unexpected<Error>(error(ErrorCode::ToolDenied, "the user did not allow it")));
    } else {
        if (isForAll) {
            m_allowed.insert(open->second.call.name);
        }
        start(callId);
        // Others may have waited for the same word.
        for (const ApprovalRequest& other : std::vector(m_pending)) {
            if (!other.alwaysAsks && m_allowed.contains(other.tool) && forgetRequest(other.callId)) {
                start(other.callId);
            }
        }
    }
    tellFollowers();
}

void ToolBox::start(const std::string& callId)
{
    const auto open = m_open.find(callId);
    if (open == m_open.end()) {
        return;
    }
    const int serial = open->second.serial;
    ToolSource* const source = open->second.source;
    open->second.deadline = m_deps.executor.after(m_limits.run, [this, source, callId, serial] {
        source->cancel(callId);
        finish(callId, serial, Unexpected<Error>(error(ErrorCode::Timeout, "the tool did not answer in time")));
    });
    const ToolCall call = open->second.call;
    source->run(call, [self = std::weak_ptr(m_self), callId, serial](Expected<std::string, Error> result) {
        if (const auto box = self.lock()) {
            (*box)->finish(callId, serial, std::move(result));
        }
    });
}

void ToolBox::finish(const std::string& callId, int serial, Expected<std::string, Error> result)
{
    const auto open = m_open.find(callId);
    if (open == m_open.end() || open->second.serial != serial) {
        return;
    }
    const Open over = std::move(open->second);
    m_open.erase(open);
    if (result && result->size() > m_limits.outputBytes) {
        result = Unexpected<Error>(error(ErrorCode::ToolFailed, "it answered with too much"));
    }
    over.done(std::move(result));
}

void ToolBox::finishLater(const std::string& callId, int serial, Error error)
{
    m_deps.executor.post([self = std::weak_ptr(m_self), callId, serial, error = std::move(error)] {
        if (const auto box = self.lock()) {
            (*box)->finish(callId, serial, Unexpected<Error>(error));
        }
    });
}

bool ToolBox::forgetRequest(const std::string& callId)
{
    return std::erase_if(m_pending, [&](const ApprovalRequest& request) { return request.callId == callId; }) > 0;
}

void ToolBox::drop(const std::string& callId)
{
    const auto open = m_open.find(callId);
    if (open == m_open.end()) {
        return;
    }
    ToolSource* const source = open->second.source;
    m_open.erase(open);
    if (!forgetRequest(callId) && source != nullptr) {
        source->cancel(callId);
    }
}

void ToolBox::cancel(const std::string& callId)
{
    const std::size_t waiting = m_pending.size();
    drop(callId);
    if (m_pending.size() != waiting) {
        tellFollowers();
    }
}

void ToolBox::cancelAll()
{
    const bool wasAsking = !m_pending.empty();
    while (!m_open.empty()) {
        // A copy: the entry with its own name goes.
        drop(std::string(m_open.begin()->first));
    }
    if (wasAsking) {
        tellFollowers();
    }
}

void ToolBox::tellFollowers() const
{
    for (const Follower& follower : std::vector(m_followers)) {
        follower();
    }
}

} // namespace vivavoce::core
