#pragma once

#include "core/base/executor.h"
#include "core/ports/tool_runner.h"

namespace vivavoce::app {

/// The window brings no functions of its own yet: whatever the model asks for is told to be missing.
class NoTools final : public core::ToolRunner {
public:
    explicit NoTools(core::Executor& executor) : m_executor(executor) {}

    void run(const core::ToolCall& call, Callback done) override
    {
        m_executor.post([name = call.name, done = std::move(done)] {
            done(core::fail(core::ErrorCode::ToolFailed, "there is no tool " + name));
        });
    }
    void cancel(const std::string&) override {}
    void cancelAll() override {}

private:
    core::Executor& m_executor;
};

} // namespace vivavoce::app
