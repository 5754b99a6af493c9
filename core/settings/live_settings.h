#pragma once

#include "core/ports/settings_store.h"

#include <functional>
#include <vector>

namespace vivavoce::core {

/// The settings in use: read once from their store, saved at each change, told to all who follow them.
/// A change that cannot be saved holds until the end of this run; the caller is told.
/// Threads: the executor's own thread. Lifetime: followers live as long as it is changed.
class LiveSettings {
public:
    using Follower = std::function<void(const Settings&)>;

    explicit LiveSettings(SettingsStore& store) : m_store(store), m_current(store.load()) {}

    [[nodiscard]] const Settings& current() const { return m_current; }
    Expected<void, Error> change(const Settings& wanted)
    {
        if (wanted == m_current) {
            return {};
        }
        m_current = wanted;
        auto saved = m_store.save(m_current);
        for (const Follower& follower : m_followers) {
            follower(m_current);
        }
        return saved;
    }
    void follow(Follower follower) { m_followers.push_back(std::move(follower)); }

private:
    SettingsStore& m_store;
    Settings m_current;
    std::vector<Follower> m_followers;
};

} // namespace vivavoce::core
