#include "broker/providers/providers.h"

#include <algorithm>

namespace vivavoce::broker {

Provider& Providers::ofModel(const std::string& model) const
{
    const auto found = std::find_if(
        m_all.begin(), m_all.end(), [&](const WatchedProvider* provider) { return provider->serves(model); });
    return found == m_all.end() ? m_first : **found;
}

Provider* Providers::named(const std::string& name) const
{
    const auto found = std::find_if(
        m_all.begin(), m_all.end(), [&](const WatchedProvider* provider) { return provider->name() == name; });
    return found == m_all.end() ? nullptr : *found;
}

core::Expected<Provider*, Fault> Providers::choose(const Policy& policy, const core::broker::TokenRequest& asked) const
{
    Provider* provider = asked.provider ? named(*asked.provider) : nullptr;
    if (asked.provider && provider == nullptr) {
        std::string names;
        for (const WatchedProvider* one : m_all) {
            names += (names.empty() ? "\"" : ", \"") + one->name() + "\"";
        }
        return core::Unexpected<Fault>(Fault{FaultCode::UnknownProvider, "this broker has " + names, std::nullopt});
    }
    std::optional<std::string> model = asked.model;
    if (!model && policy.models && !policy.models->empty()) {
        model = policy.models->front();
    }
    if (provider == nullptr && model) {
        return &ofModel(*model);
    }
    if (model && provider != &ofModel(*model)) {
        return core::Unexpected<Fault>(
            Fault{FaultCode::ProviderRejected, "that model is another provider's", std::nullopt});
    }
    if (provider == nullptr && policy.providers) {
        for (const std::string& name : *policy.providers) {
            provider = provider == nullptr ? named(name) : provider;
        }
    }
    return provider == nullptr ? &m_first : provider;
}

std::optional<bool> Providers::areFine() const
{
    std::optional<bool> fine;
    for (WatchedProvider* provider : m_all) {
        if (const auto one = provider->isFine()) {
            fine = fine.value_or(true) && *one;
        }
    }
    return fine;
}

net::Awaitable<> Providers::probeIfDue() const
{
    for (WatchedProvider* provider : m_all) {
        co_await provider->probeIfDue();
    }
}

} // namespace vivavoce::broker
