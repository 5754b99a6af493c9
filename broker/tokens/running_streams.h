#pragma once

#include "broker/tokens/session_registry.h"

#include <functional>
#include <vector>

namespace vivavoce::broker {

/// Port: the streams that run here, and the sessions whose they are.
/// Threads: [any thread]; waits for nobody.
class RunningStreams {
public:
    using Which = std::function<bool(const SessionRecord&)>;

    virtual ~RunningStreams() = default;

    /// The sessions of those that are not told to end yet, as far as streams know them: id, owner, project and model.
    [[nodiscard]] virtual std::vector<SessionRecord> sessions(const Which& which) const = 0;
    /// Ends those of these sessions: their clients are told that the session has ended.
    virtual void endAllOf(const std::vector<SessionRecord>& sessions) = 0;
};

} // namespace vivavoce::broker
