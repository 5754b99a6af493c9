#include "core/sign_in/device_authorization.h"

#include "core/base/json.h"
#include "core/base/visible_ascii.h"
#include "core/sign_in/secure_url.h"
#include "core/sign_in/token_answer.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>

namespace vivavoce::core {
namespace {

constexpr std::size_t kLongestCode = 8 * 1024;
constexpr std::size_t kLongestUserCode = 64;
constexpr std::int64_t kUsualInterval = 5;
constexpr std::int64_t kLongestInterval = 60;
/// However long the issuer would wait.
constexpr std::int64_t kLongestLife = 30 * 60;

bool isVisible(const std::string& text, std::size_t longest)
{
    return !text.empty() && text.size() <= longest && isVisibleAscii(text);
}

std::string takeText(Json& object, const char* name)
{
    const auto found = object.find(name);
    return found != object.end() && found->is_string() ? std::move(found->get_ref<std::string&>()) : std::string();
}

std::optional<std::chrono::seconds> secondsOf(
    const Json& object, const char* name, std::optional<std::int64_t> usual, std::int64_t longest)
{
    const auto found = object.find(name);
    if (found != object.end() && !found->is_number_integer()) {
        return std::nullopt;
    }
    const auto value = found != object.end() ? std::optional(found->get<std::int64_t>()) : usual;
    return value && *value > 0 ? std::optional(std::chrono::seconds(std::min(*value, longest))) : std::nullopt;
}

} // namespace

Expected<DeviceAuthorization, Error> readDeviceAuthorization(HttpClient::Response& response)
{
    if (response.status != 200) {
        Error error = errorOfIssuer(response);
        wipeString(response.body);
        return Unexpected<Error>(std::move(error));
    }
    auto parsed = parseJson(response.body);
    wipeString(response.body);
    const auto malformed = [] {
        return fail(ErrorCode::ProviderMalformed, "the issuer's code for another device is none");
    };
    if (!parsed || !parsed->is_object()) {
        return malformed();
    }
    DeviceAuthorization device;
    std::string code = takeText(*parsed, "device_code");
    const bool hasCode = isVisible(code, kLongestCode);
    device.deviceCode = Secret(code);
    wipeString(code);
    device.userCode = takeText(*parsed, "user_code");
    device.verificationUrl = takeText(*parsed, "verification_uri");
    device.completeUrl = takeText(*parsed, "verification_uri_complete");
    const auto life = secondsOf(*parsed, "expires_in", std::nullopt, kLongestLife);
    const auto interval = secondsOf(*parsed, "interval", kUsualInterval, kLongestInterval);
    const bool isCompleteGood = device.completeUrl.empty() || isSecureUrl(device.completeUrl);
    if (!hasCode || !isVisible(device.userCode, kLongestUserCode) || !isSecureUrl(device.verificationUrl)
        || !isCompleteGood || !life || !interval) {
        return malformed();
    }
    device.life = *life;
    device.interval = *interval;
    return device;
}

} // namespace vivavoce::core
