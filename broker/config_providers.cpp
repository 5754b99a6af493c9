#include "broker/config_providers.h"

#include "broker/config_secrets.h"
#include "broker/config_toml.h"
#include "broker/providers/profile.h"

#include <algorithm>
#include <array>
#include <set>

namespace vivavoce::broker {
namespace {

constexpr std::size_t kLongestName = 32;
constexpr std::array<std::string_view, 3> kTaken{"openai", "local", "gemini"};

bool isName(std::string_view text)
{
    return !text.empty() && text.size() <= kLongestName && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

bool isTaken(std::string_view name)
{
    return std::find(kTaken.begin(), kTaken.end(), name) != kTaken.end();
}

std::string profileList()
{
    std::string list;
    for (const Profile& profile : profiles()) {
        list += (list.empty() ? "" : ", ") + profile.name;
    }
    return list;
}

void keepKey(std::string_view key, core::Secret secret, CompatibleProvider& provider, Problems& problems)
{
    if (!isHeaderWord(secret.reveal())) {
        problems.add(key, "has to be one word of visible ASCII characters");
    }
    provider.key = std::make_shared<const core::Secret>(std::move(secret));
}

Written readRate(const std::string& key, toml::node& node, std::optional<core::SampleRate>& into)
{
    std::uint32_t hz = 0;
    auto written = readWhole(key, node, {core::SampleRate::kLowest, core::SampleRate::kHighest}, hz);
    if (written) {
        into = core::SampleRate(hz);
    }
    return written;
}

Written readHandshake(const std::string& key, toml::node& node, std::optional<core::Milliseconds>& into)
{
    // A model may have to be loaded first.
    constexpr Range kRange{100, 120'000};
    core::Milliseconds patience{0};
    auto written = readWhole(key, node, kRange, patience);
    if (written) {
        into = patience;
    }
    return written;
}

struct Row {
    std::string_view name;
    std::string CompatibleProvider::*text;
};
constexpr std::array kTexts{Row{"name", &CompatibleProvider::name}, Row{"profile", &CompatibleProvider::profile},
    Row{"url", &CompatibleProvider::url}, Row{"ca_file", &CompatibleProvider::caFile}};

void readOne(const std::string& prefix, toml::table& table, CompatibleProvider& provider, Problems& problems)
{
    const auto known = compatibleKeys();
    if (table.contains("api_key") && table.contains("api_key_file")) {
        problems.add(prefix + "api_key_file", "and api_key cannot both be set");
    }
    for (const auto& entry : inFileOrder(table)) {
        const std::string& name = entry.first;
        toml::node& node = *entry.second;
        const std::string key = prefix + name;
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            tellUnknownKey(key, node, prefixed(prefix, known), problems);
            continue;
        }
        if (!enterKey(key, node, problems)) {
            continue;
        }
        Written written;
        const auto* const text =
            std::find_if(kTexts.begin(), kTexts.end(), [&](const Row& row) { return row.name == name; });
        if (text != kTexts.end()) {
            written = readText(key, node, provider.*text->text);
        } else if (name == "models") {
            written = readTexts(key, node, provider.models);
        } else if (name == "input_rate") {
            written = readRate(key, node, provider.inputRate);
        } else if (name == "output_rate") {
            written = readRate(key, node, provider.outputRate);
        } else if (name == "handshake_ms") {
            written = readHandshake(key, node, provider.handshake);
        } else if (auto secret =
                       name == "api_key" ? readSecretText(key, node, problems) : readSecretPath(key, node, problems)) {
            keepKey(key, std::move(*secret), provider, problems);
        }
        if (!written) {
            problems.add(key, written.error());
        }
    }
    for (const char* needed : {"name", "profile", "url", "models"}) {
        if (!table.contains(needed)) {
            problems.add(prefix + needed, "has to be there");
        }
    }
}

} // namespace

bool CompatibleProvider::isSame(const CompatibleProvider& other) const
{
    const bool haveSameKey =
        key != nullptr && other.key != nullptr ? key->equals(other.key->reveal()) : key == other.key;
    return haveSameKey && name == other.name && profile == other.profile && url == other.url && models == other.models
        && caFile == other.caFile && inputRate == other.inputRate && outputRate == other.outputRate
        && handshake == other.handshake;
}

std::vector<std::string> compatibleKeys()
{
    return {"name", "profile", "url", "models", "ca_file", "input_rate", "output_rate", "handshake_ms", "api_key",
        "api_key_file"};
}

void readCompatible(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    for (const auto& [prefix, table] : tablesOf(key, node, problems)) {
        readOne(prefix, *table, config.compatible.emplace_back(), problems);
    }
}

void readProviderKeys(const Environment& environment, const std::string& folder, Config& config, Problems& problems)
{
    for (std::size_t i = 0; i < config.compatible.size(); ++i) {
        CompatibleProvider& one = config.compatible[i];
        if (!isName(one.name) || isTaken(one.name)) {
            continue;
        }
        if (auto found = secretOfEnvironment(environment, folder, keyNames(one.name), problems)) {
            problems.setOrigin("providers.compatible[" + std::to_string(i) + "].api_key", found->origin);
            keepKey(found->origin, std::move(found->value), one, problems);
        }
    }
}

void checkProviders(const Config& config, Problems& problems)
{
    if (const auto& fault = faultOfProfiles()) {
        problems.add("profiles.json", "as this program has it is wrong: " + *fault);
    }
    std::set<std::string> names;
    std::set<std::string> models;
    for (std::size_t i = 0; i < config.compatible.size(); ++i) {
        const CompatibleProvider& one = config.compatible[i];
        const std::string key = "providers.compatible[" + std::to_string(i) + "].";
        const auto tell = [&](const char* name, std::string_view what) {
            if (!problems.has(key + name)) {
                problems.add(key + name, what);
            }
        };
        if (!isName(one.name)) {
            tell("name", "has to be made of a to z, 0 to 9 and dashes, at most 32");
        } else if (isTaken(one.name)) {
            tell("name", "cannot be openai, local or gemini: others are called so");
        } else if (!names.insert(one.name).second) {
            tell("name", "is there twice");
        }
        if (profileNamed(one.profile) == nullptr) {
            tell("profile", "has to be one of " + profileList());
        }
        if (one.models.empty()) {
            tell("models", "has to name one at least");
        }
        for (const std::string& model : one.models) {
            if ((config.isProviderThere() && model == config.providerModel)
                || (!config.geminiKey.empty() && model == config.geminiModel)) {
                tell("models",
                    "names one that provider.model or providers.gemini.model names: a model tells whose a session is");
            }
            if (!models.insert(model).second) {
                tell("models", "names one that is there already: a model tells whose a session is");
            }
        }
    }
}

void printProviders(const Config& config, toml::table& providers)
{
    toml::array list;
    for (const CompatibleProvider& one : config.compatible) {
        toml::table table{
            {"name", one.name}, {"profile", one.profile}, {"url", one.url}, {"models", listOf(one.models)}};
        if (!one.caFile.empty()) {
            table.insert("ca_file", one.caFile);
        }
        if (one.inputRate) {
            table.insert("input_rate", std::int64_t{one.inputRate->hz()});
        }
        if (one.outputRate) {
            table.insert("output_rate", std::int64_t{one.outputRate->hz()});
        }
        if (one.handshake) {
            table.insert("handshake_ms", static_cast<std::int64_t>(one.handshake->count()));
        }
        list.push_back(std::move(table));
    }
    if (!list.empty()) {
        providers.insert("compatible", std::move(list));
    }
}

} // namespace vivavoce::broker
