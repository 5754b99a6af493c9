#pragma once

#include "core/base/clock.h"
#include "core/base/units.h"
#include "core/session/conversation_log.h"

#include <string>
#include <vector>

namespace vivavoce::core {

/// One line of a conversation, with when it was said.
struct TranscriptLine {
    ConversationEntry entry;
    /// Since the conversation's start.
    Milliseconds start{0};
    Milliseconds end{0};

    bool operator==(const TranscriptLine&) const = default;
};

/// What was said, in its order. A value, without I/O; nothing in it is secret, and all of it is private.
struct Transcript {
    WallTime startedAt;
    /// What answered, as the broker calls it. Empty: not known.
    std::string model;
    std::vector<TranscriptLine> lines;

    bool operator==(const Transcript&) const = default;
};

} // namespace vivavoce::core
