#include "broker/config_values.h"

#include <algorithm>
#include <charconv>

namespace vivavoce::broker {

core::Unexpected<core::Error> badConfig(std::string_view key, std::string_view what)
{
    return core::fail(core::ErrorCode::BadConfiguration, std::string(key) + " " + std::string(what));
}

Written checkRange(std::string_view key, std::int64_t value, Range range)
{
    if (value < range.lowest || value > range.highest) {
        return badConfig(
            key, "has to be from " + std::to_string(range.lowest) + " to " + std::to_string(range.highest));
    }
    return {};
}

Written writeListen(std::string_view key, const std::string& text, Config& config)
{
    constexpr std::string_view wanted = "has to be ADDRESS:PORT, such as 127.0.0.1:8790 or [::1]:8790";
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return badConfig(key, wanted);
    }
    std::string address = text.substr(0, colon);
    const bool isBracketed = address.front() == '[' && address.back() == ']';
    if (isBracketed) {
        address = address.substr(1, address.size() - 2);
    }
    std::uint16_t port = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + colon + 1, end, port);
    if (fault != std::errc() || stop != end || address.empty()
        || isBracketed != (address.find(':') != std::string::npos)) {
        return badConfig(key, wanted);
    }
    config.address = std::move(address);
    config.port = port;
    return {};
}

Written writeLogLevel(std::string_view key, const std::string& text, Config& config)
{
    if (text == "error") {
        config.logLevel = LogLevel::Error;
    } else if (text == "warning") {
        config.logLevel = LogLevel::Warning;
    } else if (text == "info") {
        config.logLevel = LogLevel::Info;
    } else if (text == "debug") {
        config.logLevel = LogLevel::Debug;
    } else {
        return badConfig(key, "has to be error, warning, info or debug");
    }
    return {};
}

std::vector<std::string> words(std::string_view list)
{
    std::vector<std::string> found;
    while (!list.empty()) {
        const std::size_t end = std::min(list.find_first_of(", "), list.size());
        if (end > 0) {
            found.emplace_back(list.substr(0, end));
        }
        list.remove_prefix(std::min(end + 1, list.size()));
    }
    return found;
}

core::Expected<std::int64_t, core::Error> readNumber(std::string_view key, const std::string& text, Range range)
{
    std::int64_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data(), end, value);
    if (fault != std::errc() || stop != end) {
        return badConfig(key, "has to be a whole number");
    }
    if (const auto checked = checkRange(key, value, range); !checked) {
        return core::Unexpected<core::Error>(checked.error());
    }
    return value;
}

} // namespace vivavoce::broker
