#pragma once

#include <string>
#include <vector>

namespace vivavoce::test {

/// One event with every field that it can have.
struct EventSample {
    std::string type;
    /// The whole event as JSON, in the words of the GA.
    std::string ga;
    /// The same in the words of the beta; empty where nothing differs.
    std::string beta;
    /// Members without which it means nothing, `type` aside.
    std::vector<std::string> required;
};

/// All 11 client events.
[[nodiscard]] const std::vector<EventSample>& clientSamples();

/// All 46 server events.
[[nodiscard]] const std::vector<EventSample>& serverSamples();

} // namespace vivavoce::test
