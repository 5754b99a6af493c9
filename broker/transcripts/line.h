#pragma once

#include "core/base/clock.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::broker::transcripts {

enum class Speaker {
    User,
    Assistant,
    /// A function that the model called: its name, and nothing of what it was given or gave.
    Tool
};
/// "user", "assistant", "tool".
[[nodiscard]] std::string_view textOf(Speaker speaker);
[[nodiscard]] std::optional<Speaker> speakerOf(std::string_view text);

/// How much of it was said.
enum class Extent {
    Whole,
    /// It was cut short, and not all of it was heard.
    Interrupted,
    /// The connection ended in the middle.
    Unfinished
};
/// "whole", "interrupted", "unfinished".
[[nodiscard]] std::string_view textOf(Extent extent);
[[nodiscard]] std::optional<Extent> extentOf(std::string_view text);

/// One thing that was said. The same position told again takes the place of what was told before.
struct Line {
    /// Its place within its stream: what was said later has a higher one, whenever it became known.
    std::int64_t position = 0;
    Speaker speaker = Speaker::User;
    /// UTF-8, at most kLongestLine.
    std::string text;
    Extent extent = Extent::Whole;
    core::WallTime at{};
    /// There was more of it than a line holds. Without a text: something was said of which nothing is known any more.
    bool isCut = false;
    /// Typed before anything was answered: a client that comes again may only repeat what was said.
    bool isOpening = false;
};
inline constexpr std::size_t kLongestLine = 16 * 1024;

/// Whose words they are.
struct Conversation {
    std::string session;
    /// Never empty.
    std::string project;
    /// auth::Caller::key, and the same for people to read.
    std::string caller;
    std::string issuer;
    std::string subject;
    std::string model;
    core::WallTime startedAt{};
    /// When the stream began: one of a session's streams comes after the other.
    core::WallTime begun{};
    /// From the last word on.
    std::chrono::days kept{30};
};

/// Appends as much as a line holds, never a part of a character. False: there was more.
bool append(std::string& line, std::string_view more);
/// As the database takes it: what is no UTF-8, and NUL, becomes U+FFFD.
[[nodiscard]] std::string sound(std::string_view text);

} // namespace vivavoce::broker::transcripts
