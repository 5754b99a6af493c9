#include "core/settings/broker_address.h"

#include <algorithm>
#include <cctype>

namespace vivavoce::core {
namespace {

std::string_view trimmed(std::string_view text)
{
    const auto isBlank = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
    while (!text.empty() && isBlank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && isBlank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

std::string lower(std::string_view text)
{
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
        [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool isNumber(std::string_view text, int most)
{
    const bool isDigits = !text.empty() && text.size() <= 5
        && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    return isDigits && std::stoi(std::string(text)) <= most;
}

/// 127.x.y.z, ::1 in brackets, localhost. A name that only starts like one ("127.0.0.1.example") is another computer.
bool isLoopbackHost(const std::string& host)
{
    if (host == "localhost" || host == "[::1]") {
        return true;
    }
    std::string_view rest = host;
    for (int part = 0; part < 4; ++part) {
        const std::size_t dot = rest.find('.');
        const std::string_view number = rest.substr(0, dot);
        if (!isNumber(number, 255) || (part == 0 && number != "127")
            || (dot == std::string_view::npos) != (part == 3)) {
            return false;
        }
        rest.remove_prefix(dot == std::string_view::npos ? rest.size() : dot + 1);
    }
    return true;
}

bool isHost(std::string_view host)
{
    if (host.starts_with('[')) {
        return host.size() > 3 && host.ends_with(']')
            && std::all_of(host.begin() + 1, host.end() - 1,
                [](unsigned char c) { return std::isxdigit(c) != 0 || c == ':' || c == '.'; });
    }
    return !host.empty() && host.front() != '.' && host.front() != '-'
        && std::all_of(host.begin(), host.end(),
            [](unsigned char c) { return c >= 0x80 || std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; });
}

} // namespace

Expected<std::string, AddressFault> brokerAddress(std::string_view typed)
{
    std::string_view rest = trimmed(typed);
    if (rest.empty()) {
        return Unexpected<AddressFault>(AddressFault::Empty);
    }
    std::string scheme = "https";
    if (const std::size_t mark = rest.find("://"); mark != std::string_view::npos) {
        scheme = lower(rest.substr(0, mark));
        rest.remove_prefix(mark + 3);
    }
    if (scheme != "https" && scheme != "http") {
        return Unexpected<AddressFault>(AddressFault::NotAnAddress);
    }
    if (rest.find_first_of("@?#") != std::string_view::npos) {
        return Unexpected<AddressFault>(AddressFault::TooMuch);
    }
    const std::size_t slash = std::min(rest.find('/'), rest.size());
    const std::string authority = lower(rest.substr(0, slash));
    std::string path(rest.substr(slash));
    const std::size_t bracket = authority.find(']');
    const std::size_t colon = authority.find(':', bracket == std::string::npos ? 0 : bracket);
    const std::string host = authority.substr(0, colon);
    const bool isPortFine = colon == std::string::npos || isNumber(authority.substr(colon + 1), 65'535);
    const bool isPathFine = std::none_of(path.begin(), path.end(), [](unsigned char c) { return c <= ' '; });
    if (!isHost(host) || !isPortFine || !isPathFine) {
        return Unexpected<AddressFault>(AddressFault::NotAnAddress);
    }
    if (scheme == "http" && !isLoopbackHost(host)) {
        return Unexpected<AddressFault>(AddressFault::Insecure);
    }
    while (path.ends_with('/')) {
        path.pop_back();
    }
    return scheme + "://" + authority + path;
}

} // namespace vivavoce::core
