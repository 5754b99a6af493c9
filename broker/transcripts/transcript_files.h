#pragma once

#include "broker/transcripts/transcript_book.h"
#include "core/base/json.h"

#include <string>
#include <vector>

/// What was said, written down for whoever asked for it. Pure.
namespace vivavoce::broker::transcripts {

/// Without its lines.
[[nodiscard]] core::Json headJson(const TranscriptHead& head);
[[nodiscard]] core::Json lineJson(const Line& line);
/// The head with "lines".
[[nodiscard]] core::Json writeJson(const Transcript& transcript);
/// RFC 4180 with a header; one record a line that was said.
[[nodiscard]] std::string writeCsv(const std::vector<Transcript>& transcripts);
/// For people, one conversation after the other.
[[nodiscard]] std::string writeText(const std::vector<Transcript>& transcripts);

} // namespace vivavoce::broker::transcripts
