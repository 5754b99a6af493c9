#pragma once

#include <string>
#include <string_view>

/// Text made ready for the voice. Pure. [any thread]
namespace vivavoce::agent::skills {

/// Says figures, ISO dates, clock times and common signs in words and takes markup away.
[[nodiscard]] std::string speakable(std::string_view text);

/// The output of a function as a sentence or two: JSON is flattened, an error said plainly, the rest as it is. At most about 600 bytes.
[[nodiscard]] std::string speakableOutput(std::string_view output);

} // namespace vivavoce::agent::skills
