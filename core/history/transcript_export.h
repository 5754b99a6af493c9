#pragma once

#include "core/history/transcript.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace vivavoce::core {

enum class TranscriptFormat { PlainText, Markdown, JsonText, SubRip, WebVtt };

inline constexpr std::array kTranscriptFormats{TranscriptFormat::PlainText, TranscriptFormat::Markdown,
    TranscriptFormat::JsonText, TranscriptFormat::SubRip, TranscriptFormat::WebVtt};

/// ".txt" and the like.
[[nodiscard]] std::string_view fileEnding(TranscriptFormat format);
/// By the ending of a file's name, in whatever case. Nothing: an ending that is none of ours, or none.
[[nodiscard]] std::optional<TranscriptFormat> transcriptFormatOf(std::string_view fileName);

/// A conversation as a file of that format, UTF-8 with Unix line ends. A reply that was interrupted goes as far as it was heard, with a
/// mark; one of which nothing was heard is not in it. Words are words in every format: none of them is mark-up, a cue, a line of somebody
/// else, or an order to a terminal.
/// The texts are UTF-8, as everything that came through parseJson is. [any thread]
[[nodiscard]] std::string exportTranscript(const Transcript& transcript, TranscriptFormat format);

} // namespace vivavoce::core
