#include "broker/providers/providers.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>

namespace vivavoce::broker {
namespace {

using namespace boost::asio::experimental::awaitable_operators;

bool isAllowed(const Allowed& names, const std::string& name)
{
    return !names || std::find(names->begin(), names->end(), name) != names->end();
}

} // namespace

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

std::optional<std::string> Providers::firstModel(const Policy& policy, const Provider* provider) const
{
    if (!policy.models || policy.models->empty()) {
        return std::nullopt;
    }
    const auto isTheirs = [&](const std::string& model) {
        const Provider& its = ofModel(model);
        return provider != nullptr ? provider == &its : isAllowed(policy.providers, its.name());
    };
    const auto found = std::find_if(policy.models->begin(), policy.models->end(), isTheirs);
    return found == policy.models->end() ? policy.models->front() : *found;
}

core::Expected<Provider*, Fault> Providers::choose(const Policy& policy, core::broker::TokenRequest& asked) const
{
    Provider* provider = asked.provider ? named(*asked.provider) : nullptr;
    if (asked.provider && provider == nullptr) {
        std::string names;
        for (const WatchedProvider* one : m_all) {
            names += (names.empty() ? "\"" : ", \"") + one->name() + "\"";
        }
        return core::Unexpected<Fault>(Fault{FaultCode::UnknownProvider, "this broker has " + names, std::nullopt});
    }
    if (!asked.model) {
        asked.model = firstModel(policy, provider);
    }
    if (provider == nullptr && asked.model) {
        return &ofModel(*asked.model);
    }
    if (asked.model && provider != &ofModel(*asked.model)) {
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

std::vector<std::pair<std::string, std::optional<bool>>> Providers::states(bool isWanted) const
{
    std::vector<std::pair<std::string, std::optional<bool>>> states;
    for (WatchedProvider* provider : m_all) {
        states.emplace_back(provider->name(), isWanted ? provider->isFine() : provider->lastKnown());
    }
    return states;
}

net::Awaitable<> Providers::probeFrom(std::size_t first) const
{
    if (first < m_all.size()) {
        co_await (m_all[first]->probeIfDue() && probeFrom(first + 1));
    }
}

} // namespace vivavoce::broker
