#include "net/internal/header_block.h"

#include "core/base/http_headers.h"

#include <algorithm>

namespace vivavoce::net {
namespace {

using core::equalsIgnoreCase;

/// tchar of RFC 9110 §5.6.2.
bool isTokenChar(char c)
{
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || kMarks.find(c) != std::string_view::npos;
}

bool isToken(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), isTokenChar);
}

bool isFieldText(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) {
        const auto u = static_cast<unsigned char>(c);
        return u == '\t' || (u >= 0x20 && u != 0x7F);
    });
}

/// method SP target SP HTTP/1.x, single spaces.
bool isRequestLine(std::string_view line)
{
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) {
        return false;
    }
    const std::string_view target = line.substr(first + 1, second - first - 1);
    const std::string_view version = line.substr(second + 1);
    const bool isTarget =
        !target.empty() && std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    return isToken(line.substr(0, first)) && isTarget && (version == "HTTP/1.1" || version == "HTTP/1.0");
}

} // namespace

bool isCleanHeaderBlock(std::string_view block)
{
    int hosts = 0;
    int lengths = 0;
    int encodings = 0;
    bool isFirst = true;
    while (true) {
        const std::size_t end = block.find("\r\n");
        if (end == std::string_view::npos) {
            return false;
        }
        const std::string_view line = block.substr(0, end);
        block.remove_prefix(end + 2);
        if (!isFieldText(line)) {
            // A bare CR or LF, a NUL or another control character.
            return false;
        }
        if (line.empty()) {
            break;
        }
        if (isFirst) {
            if (!isRequestLine(line)) {
                return false;
            }
            isFirst = false;
            continue;
        }
        const std::size_t colon = line.find(':');
        // A folded line begins with white space, so its "name" is no token either.
        if (colon == std::string_view::npos || !isToken(line.substr(0, colon))) {
            return false;
        }
        const std::string_view name = line.substr(0, colon);
        hosts += equalsIgnoreCase(name, "Host") ? 1 : 0;
        lengths += equalsIgnoreCase(name, "Content-Length") ? 1 : 0;
        encodings += equalsIgnoreCase(name, "Transfer-Encoding") ? 1 : 0;
    }
    return !isFirst && hosts == 1 && lengths <= 1 && encodings <= 1 && lengths + encodings <= 1;
}

} // namespace vivavoce::net
