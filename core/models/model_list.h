#pragma once

#include "core/base/clock.h"
#include "core/base/expected.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// What is known of a model beside its price.
struct ModelRow {
    std::string model;
    /// As brokers name it.
    std::string provider;
    /// It writes down what was said, and holds no conversation.
    bool isTranscriber = false;
    /// "2026-11-22": the day on which this was read.
    std::string read;
    /// The day on which it is shut down, as announced. Empty: nothing is announced.
    std::string ends;
    /// What its provider recommends in its place. Empty: nothing.
    std::string successor;
    /// Where the end is announced.
    std::string source;
};

/// An announced end that is near or past, as seen on some day.
struct Sunset {
    /// As the session names it.
    std::string model;
    std::string day;
    /// Empty: none is recommended.
    std::string successor;
    std::int64_t daysLeft = 0;

    /// From its day on nobody can rely on it.
    [[nodiscard]] bool isOver() const { return daysLeft <= 0; }
};

/// So many days before it an announced end is told.
inline constexpr std::int64_t kSunsetNoticeDays = 90;

/// Models, and the ends that are announced for them. Immutable. [any thread]
class ModelList {
public:
    /// As resources/models/models.json is written. The text of a failure names the row and what is wrong with it.
    [[nodiscard]] static Expected<ModelList, std::string> parse(std::string_view json);
    /// What came with the program.
    [[nodiscard]] static const ModelList& builtIn();

    /// Null: not known. A dated name ("gpt-realtime-2026-01-15") is its model's.
    [[nodiscard]] const ModelRow* find(std::string_view model) const;
    /// The end of this model, where it is not more than kSunsetNoticeDays away. Days are UTC's. Another provider may call its own the same, and
    /// goes on; `provider` empty: nobody knows whose it is.
    [[nodiscard]] std::optional<Sunset> sunsetOf(
        std::string_view model, WallTime now, std::string_view provider = {}) const;
    /// Those that hold conversations and no end is near of, in the order of the file; `provider` empty: everybody's.
    [[nodiscard]] std::vector<std::string> offered(std::string_view provider, WallTime now) const;
    /// In the order of the file.
    [[nodiscard]] std::vector<std::string> providers() const;

private:
    std::vector<ModelRow> m_rows;
};

/// "gpt-realtime is to be shut down on 2027-01-20, in 51 days; gpt-realtime-2.1 takes its place". English, one line, for logs and scripts.
[[nodiscard]] std::string sunsetText(const Sunset& sunset);

} // namespace vivavoce::core
