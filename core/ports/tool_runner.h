#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <functional>
#include <string>

namespace vivavoce::core {

/// A function call that the model asks for.
struct ToolCall {
    std::string callId;
    std::string name;
    /// JSON text, as the model wrote it: unchecked.
    std::string arguments;

    bool operator==(const ToolCall&) const = default;
};

/// Port: runs functions. The result is JSON text; a failure is told to the model as such.
/// Threads: the executor's own thread; `done` is called exactly once unless the call is cancelled, never from within `run`.
class ToolRunner {
public:
    using Callback = std::function<void(Expected<std::string, Error>)>;

    virtual ~ToolRunner() = default;
    virtual void run(const ToolCall& call, Callback done) = 0;
    /// That call took too long: its result is not wanted any more, and `done` is not called.
    virtual void cancel(const std::string& callId) = 0;
    /// The session is over or was interrupted: results are not wanted any more.
    virtual void cancelAll() = 0;
    /// A call of that function may take so long that the conversation should go on meanwhile, where it can.
    [[nodiscard]] virtual bool takesTime(const std::string&) const { return false; }
};

} // namespace vivavoce::core
