#pragma once

#include "broker/transcripts/line.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// An item of a conversation as far as it was said.
struct SpokenItem {
    /// The provider's name for it; empty: it has none yet.
    std::string id;
    std::string response;
    transcripts::Speaker speaker = transcripts::Speaker::User;
    std::int64_t position = 0;
    /// By the index of their content.
    std::vector<std::string> parts;
    transcripts::Extent extent = transcripts::Extent::Unfinished;
    core::WallTime at{};
    bool isCut = false;
    bool isOpening = false;
    /// Its response has ended.
    bool isOver = false;
    /// It was told, and how.
    bool isTold = false;
    transcripts::Extent toldExtent = transcripts::Extent::Unfinished;
    /// Of the text.
    std::size_t toldHash = 0;

    [[nodiscard]] std::string& part(std::size_t index);
    void set(std::size_t index, std::string_view text);
    void add(std::size_t index, std::string_view text);
    /// Of all parts, line by line.
    [[nodiscard]] transcripts::Line line() const;
};

} // namespace vivavoce::broker::relay
