#include "broker/providers/profile.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::broker {
namespace {

using core::Json;

Profile profileOf(const Json& row)
{
    const auto text = [&](const char* key) { return row.value(key, std::string()); };
    Profile profile{text("name"), text("from"), text("root"), text("query"), Profile::KeyHeader::Bearer,
        text("tokens") == "pinned", text("dialect")};
    if (text("key") == "api-key") {
        profile.keyHeader = Profile::KeyHeader::ApiKey;
    }
    return profile;
}

std::vector<Profile> read(std::string_view file)
{
    std::vector<Profile> all;
    const auto parsed = core::parseJson(file);
    if (parsed && parsed->is_object()) {
        for (const Json& row : parsed->value("profiles", Json::array())) {
            all.push_back(profileOf(row));
        }
    }
    return all;
}

} // namespace

const std::vector<Profile>& profiles()
{
    static const std::vector<Profile> all = read(builtInProfiles());
    return all;
}

const Profile* profileNamed(std::string_view name)
{
    const auto found = std::find_if(
        profiles().begin(), profiles().end(), [&](const Profile& profile) { return profile.name == name; });
    return found == profiles().end() ? nullptr : &*found;
}

} // namespace vivavoce::broker
