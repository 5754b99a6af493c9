#include "core/usage/dated_name.h"

#include <algorithm>
#include <cctype>

namespace vivavoce::core {
namespace {

/// Whether a text is such a sequence; 'd' stands for a digit.
bool hasShape(std::string_view text, std::string_view shape)
{
    return text.size() == shape.size() && std::equal(text.begin(), text.end(), shape.begin(), [](char c, char wanted) {
        return wanted == 'd' ? std::isdigit(static_cast<unsigned char>(c)) != 0 : c == wanted;
    });
}

} // namespace

bool isDay(std::string_view text)
{
    return hasShape(text, "dddd-dd-dd");
}

std::string_view withoutDay(std::string_view model)
{
    constexpr std::string_view kShape = "-dddd-dd-dd";
    if (model.size() <= kShape.size()) {
        return model;
    }
    const std::size_t begin = model.size() - kShape.size();
    return hasShape(model.substr(begin), kShape) ? model.substr(0, begin) : model;
}

} // namespace vivavoce::core
