#pragma once

#include "broker/fault.h"
#include "broker/projects/policy.h"
#include "broker/providers/watched_provider.h"
#include "core/protocol/broker/messages.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::broker {

/// The providers of one broker, and which of them serves a session: its model tells. [any thread]
class Providers {
public:
    /// In the order in which they are looked at: whose a model is may hold for the models of those behind it, too.
    /// `first` is who serves callers who ask for nothing. Lifetime: they outlive it.
    Providers(std::vector<WatchedProvider*> all, WatchedProvider& first) : m_all(std::move(all)), m_first(first) {}

    /// The first of all where it is nobody's: of a session that has outlived its provider.
    [[nodiscard]] Provider& ofModel(const std::string& model) const;
    /// Fills in the model where none is asked for and the policy lists some. UnknownProvider, ProviderRejected (it has no such model).
    [[nodiscard]] core::Expected<Provider*, Fault> choose(
        const Policy& policy, core::broker::TokenRequest& asked) const;

    /// How those do that were asked; nothing until one was.
    [[nodiscard]] std::optional<bool> areFine() const;
    /// Each of them by name; nothing where nobody knows. `isWanted`: somebody relies on it, and the next answer is to be a fresh one.
    [[nodiscard]] std::vector<std::pair<std::string, std::optional<bool>>> states(bool isWanted) const;
    /// All at the same time: nobody waits for a slow one's answer.
    [[nodiscard]] net::Awaitable<> probeIfDue() const { return probeFrom(0); }

private:
    [[nodiscard]] net::Awaitable<> probeFrom(std::size_t first) const;
    [[nodiscard]] Provider* named(const std::string& name) const;
    /// Null: nobody.
    [[nodiscard]] Provider* serving(const std::string& model) const;
    /// Of the policy's the first one of that provider; nobody: of one that the policy allows. The first of all where there is none such.
    [[nodiscard]] std::optional<std::string> firstModel(const Policy& policy, const Provider* provider) const;

    const std::vector<WatchedProvider*> m_all;
    WatchedProvider& m_first;
};

} // namespace vivavoce::broker
