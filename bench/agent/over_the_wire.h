#pragma once

#include "bench/agent/spoken_corpus.h"

#include <optional>
#include <string>
#include <vector>

namespace vivavoce::bench {

/// What a client sees of a running agent.
struct WireFigures {
    /// From the last sample of each question to the first sound of its reply, the silence that ends a turn included.
    std::vector<double> replyMs;
    /// The agent's own, with the one session open; nothing where the system does not tell.
    std::string memory;
};

/// Starts `program` (a vivavoce-agent) and asks it the questions over a WebSocket, at the pace at which they are spoken. Nothing: it does
/// not start, or does not answer.
[[nodiscard]] std::optional<WireFigures> askOverTheWire(
    const std::string& program, const std::vector<Utterance>& questions);

} // namespace vivavoce::bench
