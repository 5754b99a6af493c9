#pragma once

#include "core/base/units.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// What a question asks for, by its number: every tenth, beginning with 7, a function; every tenth, beginning with 9, an answer that does
/// not end by itself.
enum class TurnKind { Plain, Tool, Endless };

inline TurnKind turnKind(int number)
{
    return number % 10 == 7 ? TurnKind::Tool : number % 10 == 9 ? TurnKind::Endless : TurnKind::Plain;
}

inline std::string questionText(int number)
{
    return "Question " + std::to_string(number) + " please?";
}

inline std::string answerText(int number)
{
    return "Answer " + std::to_string(number) + " to what was asked, in about as many words as that.";
}

/// The number of a question or of an answer, also of one that breaks off behind it.
inline std::optional<int> turnNumber(std::string_view text)
{
    const std::size_t begin = text.find(' ');
    int number = 0;
    if (begin == std::string_view::npos
        || std::from_chars(text.data() + begin + 1, text.data() + text.size(), number).ec != std::errc()) {
        return std::nullopt;
    }
    return number;
}

/// Speech that says its number in every sample, so that it is known again however it is cut: 1 to 30,000.
inline std::vector<std::int16_t> spokenQuestion(
    int number, core::Milliseconds length, core::SampleRate rate = core::kRealtimeRate)
{
    const auto samples = static_cast<std::size_t>(core::FrameCount::of(length, rate).value());
    return std::vector<std::int16_t>(samples, static_cast<std::int16_t>(1'000 + number));
}

/// 0: silence.
inline int spokenNumber(std::span<const std::int16_t> samples)
{
    const auto loud =
        std::find_if(samples.rbegin(), samples.rend(), [](std::int16_t s) { return std::abs(s) > 1'000; });
    return loud == samples.rend() ? 0 : *loud - 1'000;
}

} // namespace vivavoce::tests
