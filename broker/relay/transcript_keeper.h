#pragma once

#include "broker/transcripts/line.h"
#include "core/base/clock.h"

#include <functional>
#include <string_view>

namespace vivavoce::broker::relay {

/// Port: what is said in one stream, line by line, in the conversation's order. One for each protocol; only of streams that are kept.
/// A line that becomes known late, or that changes, has the position of its place.
/// Invariant: what it remembers is bounded, whatever either side sends.
/// Threads: one at a time. It waits for nobody.
class TranscriptKeeper {
public:
    using OnLine = std::function<void(transcripts::Line)>;

    virtual ~TranscriptKeeper() = default;

    /// A message of the client's that goes to the provider, and may hold words (Verdict::mayHoldWords).
    virtual void fromClient(std::string_view text, core::WallTime now) = 0;
    /// A message of the provider's that may hold words (StreamMeter::mayHoldWords).
    virtual void fromProvider(std::string_view text, core::WallTime now) = 0;
    /// The stream is over: what is half said is told as it is.
    virtual void ended(core::WallTime now) = 0;
};

} // namespace vivavoce::broker::relay
