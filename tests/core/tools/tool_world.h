#pragma once

#include "core/tools/tool_box.h"
#include "tests/support/manual_executor.h"

#include <deque>
#include <map>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// A source whose calls the test answers.
class FakeToolSource final : public core::ToolSource {
public:
    [[nodiscard]] std::vector<core::Tool> tools() const override { return offered; }
    [[nodiscard]] std::vector<std::string> remarks() const override { return remarked; }
    void follow(std::function<void()> changed) override { follower = std::move(changed); }
    void run(const core::ToolCall& call, Callback done) override
    {
        calls.push_back(call);
        open[call.callId] = std::move(done);
    }
    void cancel(const std::string& callId) override
    {
        cancelled.push_back(callId);
        open.erase(callId);
    }
    void cancelAll() override { open.clear(); }
    [[nodiscard]] bool takesTime(const std::string&) const override { return isSlow; }

    void offer(std::string name, core::ToolPolicy policy, std::string schema = "{}", bool alwaysAsks = false)
    {
        offered.push_back(
            {{std::move(name), "does it", core::openai::RawJson{std::move(schema)}}, "the test", policy, alwaysAsks});
    }
    void answer(const std::string& callId, core::Expected<std::string, core::Error> result)
    {
        const auto done = std::move(open.at(callId));
        open.erase(callId);
        done(std::move(result));
    }

    bool isSlow = true;
    std::vector<core::Tool> offered;
    std::vector<std::string> remarked;
    std::function<void()> follower;
    std::vector<core::ToolCall> calls;
    std::map<std::string, Callback> open;
    std::vector<std::string> cancelled;
};

} // namespace vivavoce::tests
