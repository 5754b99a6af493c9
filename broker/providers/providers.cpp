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

void addName(std::string& list, const std::string& name)
{
    list += (list.empty() ? "\"" : ", \"") + name + "\"";
}

/// `asked`: who was asked for it; null: nobody in particular.
Fault noSuchModel(const Policy& policy, const Provider* asked)
{
    constexpr std::size_t kMostNames = 10;
    if (asked == nullptr) {
        return {FaultCode::ProviderRejected, "no provider of this broker has that model", std::nullopt};
    }
    std::string names;
    std::size_t count = 0;
    for (const std::string& model : asked->models()) {
        if (isAllowed(policy.models, model) && ++count <= kMostNames) {
            addName(names, model);
        }
    }
    if (count > kMostNames) {
        names += " and " + std::to_string(count - kMostNames) + " more";
    }
    return {FaultCode::ProviderRejected,
        "\"" + asked->name() + "\" has no such model" + (names.empty() ? "" : ": it has ") + names, std::nullopt};
}

} // namespace

Provider* Providers::serving(const std::string& model) const
{
    const auto found = std::find_if(
        m_all.begin(), m_all.end(), [&](const WatchedProvider* provider) { return provider->serves(model); });
    return found == m_all.end() ? nullptr : *found;
}

Provider& Providers::ofModel(const std::string& model) const
{
    Provider* const its = serving(model);
    return its == nullptr ? m_first : *its;
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
            addName(names, one->name());
        }
        return core::Unexpected<Fault>(Fault{FaultCode::UnknownProvider, "this broker has " + names, std::nullopt});
    }
    if (!asked.model) {
        asked.model = firstModel(policy, provider);
    }
    if (asked.model) {
        Provider* const its = serving(*asked.model);
        if (its == nullptr || (provider != nullptr && provider != its)) {
            return core::Unexpected<Fault>(noSuchModel(policy, provider));
        }
        return its;
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
