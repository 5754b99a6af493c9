#pragma once

#include "core/base/clock.h"

#include <functional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// What a person is asked before a function runs.
struct ApprovalRequest {
    std::string callId;
    std::string tool;
    /// Where the function comes from, for people.
    std::string source;
    /// JSON text that fits the function's parameters.
    std::string arguments;
    /// Without an answer until then it is denied.
    MonotonicTime deadline{};
    /// It is asked for each time: a yes for the conversation is a yes for once.
    bool alwaysAsks = false;

    bool operator==(const ApprovalRequest&) const = default;
};

enum class Approval { Once, Conversation, Deny };

/// Port: what waits for a person's word.
/// Threads: the executor's own thread. Followers live as long as it is changed.
class ToolApprovals {
public:
    using Follower = std::function<void()>;

    virtual ~ToolApprovals() = default;
    virtual void follow(Follower follower) = 0;
    /// The oldest first.
    [[nodiscard]] virtual const std::vector<ApprovalRequest>& pending() const = 0;
    /// Nothing where that one no longer waits: an answer counts once.
    virtual void answer(const std::string& callId, Approval approval) = 0;
};

} // namespace vivavoce::core
