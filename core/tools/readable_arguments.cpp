#include "core/tools/readable_arguments.h"

#include "core/base/json.h"
#include "core/tools/readable_text.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core {

std::string readableArguments(const std::string& json)
{
    const auto arguments = parseJson(json);
    if (!arguments || !arguments->is_object()) {
        return readableText(json);
    }
    std::string lines;
    for (const auto& [name, value] : arguments->items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : writeJson(value);
        lines += (lines.empty() ? "" : "\n") + readableText(name) + ": " + readableText(text);
    }
    return lines;
}

} // namespace vivavoce::core
