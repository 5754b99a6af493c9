#include "broker/config_values.h"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>

#ifndef _WIN32
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace vivavoce::broker {
namespace {

constexpr std::size_t kLongestSecretFile = 16 * 1024;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

/// Nothing of what is no plain file: a pipe without a writer would keep its reader, and whoever waits for that, for ever.
File openPlain(const std::string& path)
{
#ifdef _WIN32
    return {std::fopen(path.c_str(), "rb"), &std::fclose};
#else
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat status {};
    if (descriptor < 0 || ::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        if (descriptor >= 0) {
            ::close(descriptor);
        }
        return {nullptr, &std::fclose};
    }
    return {::fdopen(descriptor, "rb"), &std::fclose};
#endif
}

} // namespace

std::optional<core::Secret> readSecretFile(const std::string& path)
{
    const File file = openPlain(path);
    if (file == nullptr) {
        return std::nullopt;
    }
    // No buffer of the library's, which nobody would wipe.
    std::setvbuf(file.get(), nullptr, _IONBF, 0);
    std::string text(kLongestSecretFile + 1, '\0');
    const std::size_t size = std::fread(text.data(), 1, text.size(), file.get());
    std::string_view value = std::string_view(text).substr(0, size);
    while (!value.empty() && (value.back() == '\n' || value.back() == '\r')) {
        value.remove_suffix(1);
    }
    std::optional<core::Secret> secret;
    if (!value.empty() && size <= kLongestSecretFile) {
        secret.emplace(value);
    }
    core::wipeString(text);
    return secret;
}

bool isReadablePlainFile(const std::string& path)
{
    const File file = openPlain(path);
    // No more of what may be secret than one byte.
    return file != nullptr && std::setvbuf(file.get(), nullptr, _IONBF, 0) == 0 && std::fgetc(file.get()) != EOF;
}

std::optional<std::string> readPlainFile(const std::string& path, std::size_t longest)
{
    const File file = openPlain(path);
    if (file == nullptr) {
        return std::nullopt;
    }
    std::string text;
    std::array<char, 16 * 1024> some{};
    while (text.size() <= longest) {
        const std::size_t size = std::fread(some.data(), 1, some.size(), file.get());
        if (size == 0) {
            break;
        }
        text.append(some.data(), size);
    }
    const bool isWhole = std::ferror(file.get()) == 0 && text.size() <= longest;
    return isWhole ? std::optional(std::move(text)) : std::nullopt;
}

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

namespace {

struct Endpoint {
    std::string address;
    std::uint16_t port = 0;
};

core::Expected<Endpoint, core::Error> readEndpoint(std::string_view key, const std::string& text)
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
    return Endpoint{std::move(address), port};
}

/// Loopback, RFC 1918, RFC 4193: where no stranger comes from.
bool isPrivate(const std::string& text)
{
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(text, error);
    if (error) {
        return false;
    }
    if (address.is_loopback()) {
        return true;
    }
    if (address.is_v6()) {
        return (address.to_v6().to_bytes()[0] & 0xFE) == 0xFC;
    }
    const std::uint32_t number = address.to_v4().to_uint();
    return number >> 24 == 10 || number >> 20 == 0xAC1 || number >> 16 == 0xC0A8;
}

} // namespace

Written writeListen(std::string_view key, const std::string& text, Config& config)
{
    auto endpoint = readEndpoint(key, text);
    if (!endpoint) {
        return core::Unexpected<core::Error>(endpoint.error());
    }
    config.address = std::move(endpoint->address);
    config.port = endpoint->port;
    return {};
}

Written writeMetricsListen(std::string_view key, const std::string& text, Config& config)
{
    auto endpoint = readEndpoint(key, text);
    if (!endpoint) {
        return core::Unexpected<core::Error>(endpoint.error());
    }
    if (!isPrivate(endpoint->address)) {
        return badConfig(key, "has to be an address of this computer or of a private network, such as 127.0.0.1:9100");
    }
    config.metricsAddress = std::move(endpoint->address);
    config.metricsPort = endpoint->port;
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
