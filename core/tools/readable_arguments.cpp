#include "core/tools/readable_arguments.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace vivavoce::core {
namespace {

bool isSly(std::uint32_t point)
{
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0xad || point == 0x61c
        || (point >= 0x200b && point <= 0x200f) || (point >= 0x2028 && point <= 0x202e)
        || (point >= 0x2060 && point <= 0x206f) || point == 0xfeff || (point >= 0xe0000 && point <= 0xe007f);
}

/// Of valid UTF-8: the JSON parser has seen to that.
std::string plain(std::string_view text)
{
    std::string shown;
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        std::uint32_t point = length == 1 ? lead : lead & (0x7fU >> length);
        for (std::size_t more = 1; more < length && i + more < text.size(); ++more) {
            point = (point << 6U) | (static_cast<unsigned char>(text[i + more]) & 0x3fU);
        }
        shown += point == '\n' ? std::string_view(" \xe2\x86\xb5 ")
            : isSly(point)     ? std::string_view("\xef\xbf\xbd")
                               : text.substr(i, length);
        i += length;
    }
    return shown;
}

} // namespace

std::string readableArguments(const std::string& json)
{
    const auto arguments = parseJson(json);
    if (!arguments || !arguments->is_object()) {
        return plain(json);
    }
    std::string lines;
    for (const auto& [name, value] : arguments->items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : writeJson(value);
        lines += (lines.empty() ? "" : "\n") + plain(name) + ": " + plain(text);
    }
    return lines;
}

} // namespace vivavoce::core
