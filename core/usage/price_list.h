#pragma once

#include "core/base/clock.h"
#include "core/base/expected.h"
#include "core/base/units.h"
#include "core/usage/usage_tally.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// What a model costs from a day on. Billionths of a US dollar for one token: $0.40 for a million of them is 400.
struct PriceRow {
    std::string model;
    /// "2026-10-09", UTC: the day on which these prices were read, or from which they hold.
    std::string from;
    std::int64_t textIn = 0;
    std::int64_t cachedTextIn = 0;
    std::int64_t textOut = 0;
    std::int64_t audioIn = 0;
    std::int64_t cachedAudioIn = 0;
    std::int64_t audioOut = 0;
    std::int64_t imageIn = 0;
    std::int64_t cachedImageIn = 0;
    /// Of a connection, whatever is said, or of what is transcribed. Billionths of a US dollar.
    std::int64_t minute = 0;
    /// Tokens that one response can read and write at most; 0: not known.
    std::int64_t longestInput = 0;
    std::int64_t longestOutput = 0;

    /// Billionths of a US dollar.
    [[nodiscard]] std::int64_t costOf(const UsageTally& tally) const;
    /// Of one response, whatever a server may say: never less than nothing.
    [[nodiscard]] std::int64_t costOf(const openai::Usage& usage) const;
    [[nodiscard]] std::int64_t costOf(Milliseconds connected) const;
    /// Of a transcriber; nothing where it is billed in another way than it has told.
    [[nodiscard]] std::optional<std::int64_t> costOf(const openai::TranscriptionUsage& usage) const;
    /// The most that one response can cost.
    [[nodiscard]] std::int64_t costOfLongestTurn() const;
};

/// Money in billionths of a US dollar, and how old the prices are that it was made of.
struct Estimate {
    std::int64_t nanoDollars = 0;
    std::string asOf;
};

/// Prices by model and day. Immutable. [any thread]
class PriceList {
public:
    /// As resources/prices/prices.json is written: dollars for a million tokens, or for a minute. The text of a failure names the row and
    /// what is wrong with it. A provider without a cached price bills the full one, and so does the list.
    [[nodiscard]] static Expected<PriceList, std::string> parse(std::string_view json);
    /// What came with the program.
    [[nodiscard]] static const PriceList& builtIn();

    /// The newest one that holds on that day, else the oldest one. A dated name ("gpt-realtime-2026-01-15") is its model's.
    [[nodiscard]] const PriceRow* find(std::string_view model, WallTime day) const;
    /// The day as "2026-10-09", UTC.
    [[nodiscard]] const PriceRow* find(std::string_view model, std::string_view day) const;
    [[nodiscard]] const std::vector<PriceRow>& rows() const { return m_rows; }

private:
    /// By model, then by day.
    std::vector<PriceRow> m_rows;
};

/// What it comes to by the newest of the built-in prices; nothing for a model that is not in the list.
/// Never more than an estimate: prices change, and discounts are not ours to know.
[[nodiscard]] std::optional<Estimate> estimate(std::string_view model, const UsageTally& tally);
/// The same for a transcriber; nothing also where it is billed by tokens, whose kinds a tally does not keep.
[[nodiscard]] std::optional<Estimate> estimate(std::string_view transcriber, const TranscriptionTally& tally);

} // namespace vivavoce::core
