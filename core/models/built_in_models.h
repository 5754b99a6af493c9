#pragma once

#include <string_view>

namespace vivavoce::core {

/// resources/models/models.json, as it was when the program was built.
[[nodiscard]] std::string_view builtInModels();

/// resources/models/voices.json, as well.
[[nodiscard]] std::string_view builtInVoices();

} // namespace vivavoce::core
