#include "broker/setup/check_policies.h"

#include "broker/providers/profile.h"
#include "core/models/voice_list.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker {
namespace {

/// A provider that callers are offered.
struct Offered {
    std::string name;
    /// Whose voices it has; empty: nobody knows.
    std::string voices;
    /// Its tokens hold a session to instructions.
    bool pins = true;
    std::function<bool(const std::string& model)> serves;
};

/// Many speak OpenAI's protocol.
std::string whoseVoices(const std::string& profile, const std::string& url)
{
    const bool isAnybodys = profile == "openai" && !url.starts_with("https://api.openai.com");
    return isAnybodys ? std::string() : profile;
}

/// In the order in which a model is looked for.
std::vector<Offered> offeredBy(const Config& config)
{
    std::vector<Offered> all;
    for (const CompatibleProvider& one : config.compatible) {
        const Profile* const profile = profileNamed(one.profile);
        all.push_back({one.name, whoseVoices(one.profile, one.url), profile == nullptr || profile->pins,
            [&one](const std::string& model) {
                return std::find(one.models.begin(), one.models.end(), model) != one.models.end();
            }});
    }
    if (!config.geminiKey.empty()) {
        all.push_back({"gemini", "gemini", true, [&config](const std::string& model) {
                           return model.starts_with("gemini-") || model.starts_with("models/gemini-")
                               || model == config.geminiModel;
                       }});
    }
    if (config.isProviderThere() || all.empty()) {
        const std::string name = config.providerName();
        all.push_back({name, whoseVoices(name, config.providerUrl), true, [](const std::string&) { return true; }});
    }
    return all;
}

bool isAmong(const Allowed& names, const std::string& name)
{
    return !names || std::find(names->begin(), names->end(), name) != names->end();
}

/// One policy, where it stands in the configuration, and what it comes to with everybody's.
struct Checked {
    std::string prefix;
    const Policy& own;
    Policy whole;
};

/// The first name that `isNobodys`; null: there is none.
const std::string* firstOf(const Allowed& names, const std::function<bool(const std::string&)>& isNobodys)
{
    if (!names) {
        return nullptr;
    }
    const auto found = std::find_if(names->begin(), names->end(), isNobodys);
    return found == names->end() ? nullptr : &*found;
}

void warn(const Checked& policy, const char* key, const std::string& what, Problems& problems)
{
    problems.add(policy.prefix + key, what, Problems::Severity::Warning);
}

void checkNames(const Checked& policy, const std::vector<Offered>& offered, Problems& problems)
{
    const auto isNoProvider = [&](const std::string& name) {
        return std::none_of(offered.begin(), offered.end(), [&](const Offered& one) { return one.name == name; });
    };
    const auto isNoModel = [&](const std::string& model) {
        const auto its =
            std::find_if(offered.begin(), offered.end(), [&](const Offered& one) { return one.serves(model); });
        return its == offered.end() || !isAmong(policy.whole.providers, its->name);
    };
    if (const std::string* const name = firstOf(policy.own.providers, isNoProvider)) {
        warn(policy, "providers", "names \"" + *name + "\", which this broker does not have", problems);
    }
    if (const std::string* const model = firstOf(policy.own.models, isNoModel)) {
        warn(policy, "models", "names \"" + *model + "\", which none of its providers has", problems);
    }
}

/// New ones come faster than programs: it may be one all the same.
void checkVoices(const Checked& policy, const std::vector<Offered>& offered, Problems& problems)
{
    const auto isNobodys = [&](const std::string& voice) {
        bool isAsked = false;
        for (const Offered& one : offered) {
            const bool isAllowed = isAmong(policy.own.providers, one.name);
            isAsked = isAsked || isAllowed;
            if (isAllowed && !core::VoiceList::builtIn().isUnknown(voice, one.voices)) {
                return false;
            }
        }
        return isAsked;
    };
    if (const std::string* const voice = firstOf(policy.own.voices, isNobodys)) {
        warn(policy, "voices", "names \"" + *voice + "\", which none of its providers is known to have", problems);
    }
}

void checkInstructions(const Checked& policy, const std::vector<Offered>& offered, Problems& problems)
{
    if (!policy.own.instructions) {
        return;
    }
    const Allowed& models = policy.whole.models;
    const auto isShutOut = [&](const Offered& one) {
        const bool hasAny = !models || std::any_of(models->begin(), models->end(), one.serves);
        return !one.pins && hasAny && isAmong(policy.whole.providers, one.name);
    };
    const auto found = std::find_if(offered.begin(), offered.end(), isShutOut);
    if (found != offered.end()) {
        warn(policy, "instructions", "cannot be held by \"" + found->name + "\", whose sessions are refused with them",
            problems);
    }
}

} // namespace

void checkPolicies(const Config& config, Problems& problems)
{
    const std::vector<Offered> offered = offeredBy(config);
    std::vector<Checked> all{{"policy.", config.policy, config.policy}};
    for (std::size_t i = 0; i < config.policies.size(); ++i) {
        const Policy& own = config.policies[i].policy;
        all.push_back({"policies[" + std::to_string(i) + "].", own, narrowed(config.policy, own)});
    }
    for (const Checked& policy : all) {
        checkNames(policy, offered, problems);
        checkVoices(policy, offered, problems);
        checkInstructions(policy, offered, problems);
    }
}

} // namespace vivavoce::broker
