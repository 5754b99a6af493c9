#pragma once

#include "broker/alerts/alert.h"
#include "broker/alerts/alert_settings.h"
#include "broker/store/database.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "net/awaitable.h"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::alerts {

/// An alert that is to be told once, whichever broker sees it, and whether it is still to be told.
struct Draft {
    Alert alert;
    /// Who is to hear of it.
    std::vector<std::string> channels;
    /// Names of what has come about: it is told where the last of them is new. Empty: of `subject` alone.
    std::vector<std::string> marks;
    /// What it is about, and how that is now: told where it was otherwise. That something is well is not told where nobody knew of it.
    std::string subject;
    bool isFine = false;
};

/// How far an alert has come with one channel.
struct Delivery {
    std::string channel;
    /// "waiting", "sent", "given_up".
    std::string state;
    int attempts = 0;
    /// When it is tried next, or was sent or given up.
    core::WallTime at{};
    /// Why the last attempt failed (writeChannelFault); empty.
    std::string reason;
};

struct ListedAlert {
    Alert alert;
    std::vector<Delivery> deliveries;
};

/// Alerts and how far they came, in the broker's database: what is written down here is told after a restart too, and by another broker
/// where the one that wanted to is gone.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: database and clock outlive it.
class AlertBook {
public:
    template <typename T>
    using Result = net::Awaitable<core::Expected<T, DatabaseDown>>;

    /// For so long a delivery is its taker's alone: an attempt, the second that mail has beyond its time, and what the database may take for
    /// `take` before and `settle` after it (Database::Settings::deadline).
    static constexpr core::Milliseconds kLease = ChannelSettings::kLongestTimeout + core::Milliseconds(15'000);
    static constexpr std::size_t kMostListed = 200;
    /// So many of one kind and severity are told within an hour; the others are written down alone, and the last that is told says so.
    static constexpr long long kMostTold = 60;

    AlertBook(Database& database, const core::Clock& clock) : m_database(database), m_clock(clock) {}

    /// Writes down those that are new; gives these, with their ids.
    [[nodiscard]] Result<std::vector<Alert>> add(std::vector<Draft> drafts);
    /// The newest first; of those before that id, where it is not empty.
    [[nodiscard]] Result<std::vector<ListedAlert>> list(std::string before, std::size_t most);

    struct Errand {
        Alert alert;
        /// With this one.
        int attempts = 0;
    };
    /// What that channel is to tell now: the caller's for `kLease`.
    [[nodiscard]] Result<std::optional<Errand>> take(std::string channel);
    struct Outcome {
        bool isSent = false;
        std::string reason;
        /// Nothing: it is given up.
        std::optional<core::WallTime> next;
    };
    /// `attempts`: the errand's. False: its lease is over, and somebody else has taken it since.
    [[nodiscard]] Result<bool> settle(std::string alert, std::string channel, int attempts, Outcome outcome);
    /// Not waited for. What was told of a budget is known until its month is over, also where less is kept.
    void forget(std::chrono::days kept);

private:
    Database& m_database;
    const core::Clock& m_clock;
};

} // namespace vivavoce::broker::alerts
