#pragma once

#include "core/base/units.h"
#include "core/usage/usage_tally.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace vivavoce::broker::usage {

/// What is counted. Times in milliseconds, money in billionths of a US dollar, tokens as they are billed: cached ones are not among the
/// fresh ones.
enum class Measure : std::size_t {
    ConnectedMs,
    AudioInMs,
    AudioOutMs,
    Turns,
    ToolCalls,
    TextIn,
    CachedTextIn,
    TextOut,
    AudioIn,
    CachedAudioIn,
    AudioOut,
    ImageIn,
    CachedImageIn,
    TranscribedMs,
    TranscriptionTokens,
    NanoDollars,
    /// Responses, and transcriptions, whose price nobody knows: the money is less than it should be.
    Unpriced,
};
inline constexpr std::size_t kMeasures = 17;
/// As the tables' columns are called: "connected_ms".
[[nodiscard]] std::string_view columnOf(Measure measure);
[[nodiscard]] const std::array<Measure, kMeasures>& allMeasures();

/// An amount of each. Value type.
class Amounts {
public:
    [[nodiscard]] std::int64_t& operator[](Measure measure) { return m_values[static_cast<std::size_t>(measure)]; }
    [[nodiscard]] std::int64_t operator[](Measure measure) const { return m_values[static_cast<std::size_t>(measure)]; }
    [[nodiscard]] bool areNothing() const { return *this == Amounts(); }
    Amounts& operator+=(const Amounts& other);
    void add(const core::UsageTally& tokens);
    [[nodiscard]] core::Milliseconds connected() const { return core::Milliseconds((*this)[Measure::ConnectedMs]); }
    bool operator==(const Amounts&) const = default;

private:
    std::array<std::int64_t, kMeasures> m_values{};
};

} // namespace vivavoce::broker::usage
