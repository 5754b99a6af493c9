#pragma once

#include <string_view>

namespace vivavoce::broker::http {

/// The broker's interface as OpenAPI 3.1 (broker/http/openapi.json), JSON in UTF-8.
[[nodiscard]] std::string_view openApiDocument();

} // namespace vivavoce::broker::http
