#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/ports/tool_approvals.h"
#include "core/ports/tool_catalog.h"
#include "core/ports/tool_source.h"
#include "core/tools/argument_schema.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// All functions of a conversation behind one port: finds the source of a call, holds its arguments against the function's schema, asks a
/// person where that is wanted, and bounds the time and the size of the answer, and how many functions there are. Of two functions with one name the first source's counts.
/// Invariant: a source is given a call only once it fits and may run.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class ToolBox final : public ToolRunner, public ToolApprovals {
public:
    struct Limits {
        /// For a person's answer; then it is "no".
        Milliseconds approval{30'000};
        Milliseconds run{30'000};
        std::size_t argumentBytes = 64 * 1024;
        std::size_t outputBytes = 64 * 1024;
        /// Of all sources together, as names, descriptions and schemas. Providers refuse all settings that hold more than they take.
        std::size_t functions = 128;
        std::size_t declarationBytes = 256 * 1024;
    };
    struct Dependencies {
        const Clock& clock;
        Executor& executor;
        std::vector<ToolSource*> sources;
        /// What a person has decided of a function by that name; nothing: what its source says.
        std::function<std::optional<ToolPolicy>(const std::string& name)> decided;
        std::function<Expected<ArgumentSchema, std::string>(std::string_view)> makeSchema = &ArgumentSchema::create;
    };

    explicit ToolBox(Dependencies dependencies) : ToolBox(std::move(dependencies), Limits()) {}
    ToolBox(Dependencies dependencies, Limits limits);
    ~ToolBox() override;

    /// A conversation begins: what was allowed for the last one is not for this. The functions that it may ask for.
    [[nodiscard]] std::vector<openai::FunctionTool> begin();
    /// All, also those that may not run; by source.
    [[nodiscard]] std::vector<OfferedTool> tools() const;
    /// Functions that are left out, and parameters that are not checked in full: a line each, for people.
    [[nodiscard]] const std::vector<std::string>& remarks() const { return m_remarks; }
    /// There are other tools, or other remarks.
    void followTools(Follower follower) { m_toolFollowers.push_back(std::move(follower)); }
    /// Approval and run together: the session waits at least so long.
    [[nodiscard]] Milliseconds longest() const { return m_limits.approval + m_limits.run; }

    void run(const ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override;
    void cancelAll() override;
    /// A person who is asked does, whatever the function is.
    [[nodiscard]] bool takesTime(const std::string& name) const override;

    void follow(Follower follower) override { m_followers.push_back(std::move(follower)); }
    [[nodiscard]] const std::vector<ApprovalRequest>& pending() const override { return m_pending; }
    void answer(const std::string& callId, Approval approval) override;

private:
    struct Offer {
        ToolSource* source = nullptr;
        Tool tool;
        ArgumentSchema schema;
    };
    /// By their text.
    using Schemas = std::map<std::string, Expected<ArgumentSchema, std::string>>;
    /// A call that is not answered yet.
    struct Open {
        ToolCall call;
        Callback done;
        ToolSource* source = nullptr;
        std::unique_ptr<Timer> deadline;
        /// A call that was cancelled and comes again is another one.
        int serial = 0;
    };

    void readTools();
    void take(ToolSource& source, const Tool& tool, Schemas& known);
    void remark(const std::string& text);
    [[nodiscard]] ToolPolicy policyOf(const Tool& tool) const;
    /// Null: there is no such function.
    [[nodiscard]] const Offer* find(const std::string& name) const;
    void ask(const Offer& offer, Open& open);
    void start(const std::string& callId);
    void finish(const std::string& callId, int serial, Expected<std::string, Error> result);
    void finishLater(const std::string& callId, int serial, Error error);
    void drop(const std::string& callId);
    bool forgetRequest(const std::string& callId);
    void tellFollowers() const;

    Dependencies m_deps;
    Limits m_limits;
    std::vector<Offer> m_offers;
    std::size_t m_offeredBytes = 0;
    std::size_t m_leftOut = 0;
    Schemas m_schemas;
    std::vector<std::string> m_remarks;
    std::map<std::string, Open> m_open;
    std::vector<ApprovalRequest> m_pending;
    /// Of this conversation.
    std::set<std::string> m_allowed;
    std::vector<Follower> m_followers;
    std::vector<Follower> m_toolFollowers;
    int m_lastSerial = 0;
    /// What comes late finds nothing here when we are gone.
    std::shared_ptr<ToolBox*> m_self;
};

} // namespace vivavoce::core
