#include "broker/limits/redis_address.h"

#include <charconv>
#include <optional>

namespace vivavoce::broker {
namespace {

core::Unexpected<core::Error> refuse(const char* why)
{
    return core::fail(core::ErrorCode::BadConfiguration, std::string("the URL of Redis ") + why);
}

template <typename Number>
std::optional<Number> numberOf(std::string_view text, Number atMost)
{
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < 0 || value > atMost) {
        return std::nullopt;
    }
    return value;
}

std::optional<std::string> percentDecoded(std::string_view text)
{
    std::string result;
    // One allocation: what is wiped later must be the only copy.
    result.reserve(text.size());
    while (!text.empty()) {
        if (text.front() != '%') {
            result += text.front();
            text.remove_prefix(1);
            continue;
        }
        unsigned value = 0;
        const char* const end = text.data() + 3;
        if (text.size() < 3 || std::from_chars(text.data() + 1, end, value, 16).ptr != end) {
            core::wipeString(result);
            return std::nullopt;
        }
        result += static_cast<char>(value);
        text.remove_prefix(3);
    }
    return result;
}

bool takeUserInfo(std::string_view& rest, RedisAddress& address)
{
    const std::size_t end = rest.substr(0, rest.find('/')).rfind('@');
    if (end == std::string_view::npos) {
        return true;
    }
    const std::string_view info = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    const std::size_t colon = info.find(':');
    if (colon == std::string_view::npos) {
        return false;
    }
    auto user = percentDecoded(info.substr(0, colon));
    auto password = percentDecoded(info.substr(colon + 1));
    if (!user || !password) {
        return false;
    }
    address.user = std::move(*user);
    address.password = core::Secret(*password);
    core::wipeString(*password);
    return true;
}

bool takeDatabase(std::string_view text, RedisAddress& address)
{
    constexpr int kMostDatabases = 1'000'000;
    const auto database = text.empty() ? std::optional<int>(0) : numberOf<int>(text, kMostDatabases);
    address.database = database.value_or(0);
    return database.has_value();
}

bool takeHost(std::string_view authority, RedisAddress& address)
{
    std::size_t hostEnd = authority.find(':');
    if (authority.starts_with('[')) {
        const std::size_t bracket = authority.find(']');
        if (bracket == std::string_view::npos) {
            return false;
        }
        address.host = authority.substr(1, bracket - 1);
        hostEnd = bracket + 1;
    } else {
        address.host = authority.substr(0, hostEnd);
    }
    if (address.host.empty() || address.host.find('\0') != std::string::npos) {
        return false;
    }
    if (hostEnd >= authority.size()) {
        return true;
    }
    const auto port = authority[hostEnd] == ':' ? numberOf<int>(authority.substr(hostEnd + 1), 65'535) : std::nullopt;
    address.port = static_cast<std::uint16_t>(port.value_or(0));
    return address.port != 0;
}

} // namespace

bool RedisAddress::hasTls()
{
#ifdef VV_HIREDIS_TLS
    return true;
#else
    return false;
#endif
}

core::Expected<RedisAddress, core::Error> RedisAddress::parse(std::string_view url)
{
    const std::size_t schemeEnd = url.find("://");
    const std::string_view scheme = url.substr(0, schemeEnd);
    if (schemeEnd == std::string_view::npos || (scheme != "redis" && scheme != "rediss" && scheme != "unix")) {
        return refuse("has to begin with redis://, rediss:// or unix://");
    }
    RedisAddress address;
    std::string_view rest = url.substr(schemeEnd + 3);
    if (!takeUserInfo(rest, address)) {
        return refuse("has a user without a password, or a bad percent sign in either");
    }
    if (scheme == "unix") {
        const std::size_t query = rest.find('?');
        address.socketPath = rest.substr(0, query);
        std::string_view wish = query == std::string_view::npos ? "db=" : rest.substr(query + 1);
        const bool isKnown = wish.starts_with("db=");
        wish.remove_prefix(isKnown ? 3 : 0);
        if (!address.socketPath.starts_with('/') || !isKnown || !takeDatabase(wish, address)) {
            return refuse("has to be unix:///path or unix:///path?db=number");
        }
        return address;
    }
    const std::size_t slash = rest.find('/');
    if (!takeHost(rest.substr(0, slash), address)) {
        return refuse("has no host, or a port that is none");
    }
    if (slash != std::string_view::npos && !takeDatabase(rest.substr(slash + 1), address)) {
        return refuse("has a database that is no number");
    }
    address.isTls = scheme == "rediss";
    if (address.isTls && !hasTls()) {
        return refuse("asks for TLS, which this build's hiredis does not have");
    }
    return address;
}

} // namespace vivavoce::broker
