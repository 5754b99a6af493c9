#include "broker/providers/profile.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Json;

constexpr std::string_view kOpenAi = "openai";

/// A text of the row that is one of those; any where there are none.
core::Expected<std::string, std::string> textOf(
    const Json& row, const char* key, std::initializer_list<std::string_view> known = {})
{
    const auto found = row.find(key);
    std::string text = found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
    const bool isKnown = known.size() == 0 || std::find(known.begin(), known.end(), text) != known.end();
    if (text.empty() || !isKnown) {
        return core::Unexpected<std::string>(std::string(key) + " is missing, or nothing that is known");
    }
    return text;
}

/// Nothing is wrong where the row does not have it.
std::optional<std::string> readRate(const Json& row, const char* key, core::SampleRate& rate)
{
    const auto found = row.find(key);
    if (found == row.end()) {
        return std::nullopt;
    }
    const auto hz = found->is_number_integer() ? found->get<std::int64_t>() : std::int64_t{0};
    if (hz < core::SampleRate::kLowest || hz > core::SampleRate::kHighest) {
        return std::string(key) + " is no sampling rate in Hz";
    }
    rate = core::SampleRate(static_cast<std::uint32_t>(hz));
    return std::nullopt;
}

core::Expected<Profile, std::string> profileOf(const Json& row)
{
    Profile profile;
    std::string key;
    std::string tokens;
    struct Field {
        std::string& into;
        const char* name;
        std::initializer_list<std::string_view> known;
    };
    for (const Field& field : {Field{profile.name, "name", {}}, Field{profile.from, "from", {}},
             Field{profile.root, "root", {}}, Field{profile.query, "query", {}},
             Field{key, "key", {"bearer", "api-key"}}, Field{tokens, "tokens", {"pinned", "none"}},
             Field{profile.dialect, "dialect", {"openai-ga", "openai-beta"}}}) {
        auto text = textOf(row, field.name, field.known);
        if (!text) {
            return core::Unexpected<std::string>(std::move(text.error()));
        }
        field.into = std::move(*text);
    }
    for (auto fault :
        {readRate(row, "input_rate", profile.rates.input), readRate(row, "output_rate", profile.rates.output)}) {
        if (fault) {
            return core::Unexpected<std::string>(std::move(*fault));
        }
    }
    profile.keyHeader = key == "api-key" ? Profile::KeyHeader::ApiKey : Profile::KeyHeader::Bearer;
    profile.pins = tokens == "pinned";
    return profile;
}

const core::Expected<std::vector<Profile>, std::string>& builtIn()
{
    static const auto all = parseProfiles(builtInProfiles());
    return all;
}

} // namespace

core::Expected<std::vector<Profile>, std::string> parseProfiles(std::string_view file)
{
    const auto fault = [](const std::string& text) { return core::Unexpected<std::string>(text); };
    const auto parsed = core::parseJson(file);
    const auto rows = parsed && parsed->is_object() ? parsed->find("profiles") : Json::const_iterator();
    if (!parsed || !parsed->is_object() || rows == parsed->end() || !rows->is_array()) {
        return fault("there is no list of profiles in it");
    }
    std::vector<Profile> all;
    bool hasOpenAi = false;
    for (const Json& row : *rows) {
        auto profile = row.is_object() ? profileOf(row) : core::Unexpected<std::string>("is no object");
        if (!profile) {
            return fault("row " + std::to_string(all.size() + 1) + ": " + profile.error());
        }
        hasOpenAi = hasOpenAi || profile->name == kOpenAi;
        all.push_back(std::move(*profile));
    }
    if (!hasOpenAi) {
        return fault("there is no row \"openai\"");
    }
    return all;
}

const std::vector<Profile>& profiles()
{
    static const std::vector<Profile> all = builtIn() ? *builtIn() : std::vector<Profile>();
    return all;
}

const std::optional<std::string>& faultOfProfiles()
{
    static const std::optional<std::string> fault = builtIn() ? std::nullopt : std::optional(builtIn().error());
    return fault;
}

const Profile* profileNamed(std::string_view name)
{
    const auto found = std::find_if(
        profiles().begin(), profiles().end(), [&](const Profile& profile) { return profile.name == name; });
    return found == profiles().end() ? nullptr : &*found;
}

const Profile& openAiProfile()
{
    static const Profile none;
    const Profile* const known = profileNamed(kOpenAi);
    return known == nullptr ? none : *known;
}

} // namespace vivavoce::broker
