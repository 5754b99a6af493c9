#pragma once

#include <string>
#include <vector>

namespace vivavoce::agent::speech {

/// A trigram model of sentences as ARPA text, smoothed after Witten and Bell (IEEE Trans. Inf. Theory 37(4), 1991, method C):
/// every context's probabilities sum to 1, unseen words included. Words are separated by white space. Deterministic; pure.
[[nodiscard]] std::string makeArpa(const std::vector<std::string>& sentences);

} // namespace vivavoce::agent::speech
