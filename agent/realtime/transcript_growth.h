#pragma once

#include <string>
#include <string_view>

namespace vivavoce::agent::realtime {

/// Makes deltas out of partial texts that may still change: clients append deltas, so only words that two partials in a row
/// agreed on are told, and the last word of a partial never is. The completed text is the truth, whatever was told.
/// Pure. Threads: one at a time.
class TranscriptGrowth {
public:
    /// What to append after this partial; often nothing.
    [[nodiscard]] std::string partial(std::string_view text);
    /// What to append at the end; nothing where the final text differs from what was told.
    [[nodiscard]] std::string finish(std::string_view text);

private:
    [[nodiscard]] std::string grow(std::string_view stable);

    std::string m_previous;
    std::string m_told;
};

} // namespace vivavoce::agent::realtime
