#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/usage/usage_figures.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// What one reply, one transcription, or a session's connection on one day came to. Figures only, never what was said.
struct UsageRecord {
    std::string session;
    /// Unique in the session: "reply resp_1", "words item_1", "connection 2026-11-29".
    std::string part;
    /// "2026-11-29", UTC.
    std::string day;
    /// Its address; empty: the agent of this computer.
    std::string broker;
    std::string model;
    UsageFigures figures;
    /// From when the price is that it was counted with; empty: it has none.
    std::string pricesFrom{};
};

enum class UsageGrouping { All, Day, Month, Model, Session };

/// Which of it, and what is told apart. Days both counted in; empty: from the first, to the last.
struct UsageQuery {
    std::string from{};
    std::string to{};
    std::optional<std::string> broker{};
    std::optional<std::string> session{};
    UsageGrouping by = UsageGrouping::All;
    /// The newest ones.
    std::size_t most = 1'000;
};

struct UsageSum {
    /// "2026-11-29", "2026-11", a model's name or a session's id; empty: of all.
    std::string key;
    std::int64_t sessions = 0;
    UsageFigures figures;
    /// How old the oldest and the newest of the prices are; empty: there was none.
    std::string oldestPrices;
    std::string newestPrices;
};

/// Port: what was used on this computer, for the user alone. Nothing is made before something is put.
/// Each call is one transaction: what it has done is on the disk when it returns. HistoryFailed: it is not there, and nothing else has changed.
/// Threads: the executor's own thread.
class UsageBook {
public:
    virtual ~UsageBook() = default;
    /// A part that is there already is replaced, and stays in its day: told twice it counts once.
    virtual Expected<void, Error> put(const std::vector<UsageRecord>& records) = 0;
    /// The newest first; models by their money. With nothing told apart there is one, also where nothing was used.
    [[nodiscard]] virtual Expected<std::vector<UsageSum>, Error> sums(const UsageQuery& query) = 0;
    /// Also where nothing can be read any more.
    virtual Expected<void, Error> clear() = 0;
};

/// What this UTC month has come to so far. Billionths of a US dollar.
[[nodiscard]] Expected<std::int64_t, Error> spentInMonthOf(UsageBook& book, const std::string& day);

} // namespace vivavoce::core
