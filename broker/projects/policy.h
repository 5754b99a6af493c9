#pragma once

#include "broker/fault.h"
#include "broker/projects/budgets.h"
#include "core/protocol/broker/messages.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// Nothing: any. An empty list: none of them.
using Allowed = std::optional<std::vector<std::string>>;

/// What a session may be. What is asked for beyond it is refused, never rewritten; what is not asked for is filled in.
struct Policy {
    Allowed providers;
    /// The first one is for whoever names none.
    Allowed models;
    Allowed voices;
    /// Functions that a relayed session may offer its model, by name.
    Allowed tools;
    /// Everybody's instructions: nobody brings their own then.
    std::optional<std::string> instructions;
    std::optional<std::chrono::seconds> longestSession;
    /// True: whoever asks for a token gets one for the relay, where a session can be metered, bounded and ended.
    bool isRelayed = false;
    /// With any of them, too: what the broker does not see it cannot bound.
    Budgets budgets;
    /// Whether what is said through the relay is kept. A project alone can want it, and whoever says no to it has the last word.
    std::optional<bool> transcripts;
    /// Days for which it is kept, where those are fewer than the broker's own.
    std::optional<std::int64_t> transcriptDays;
    [[nodiscard]] bool areTranscriptsKept() const { return transcripts.value_or(false); }
    [[nodiscard]] bool needsRelay() const { return isRelayed || !budgets.areUnlimited(); }
    /// At the same time.
    std::optional<std::size_t> sessionsOfProject;
    std::optional<std::size_t> sessionsOfUser;

    bool operator==(const Policy&) const = default;
};

/// What both allow; where both choose, `by` does. Never more than `wide`, but for the instructions. Pure.
[[nodiscard]] Policy narrowed(Policy wide, const Policy& by);

/// NotAllowed, with the name of the field; `request` is whole otherwise. `provider` is the one that there is. Pure.
[[nodiscard]] std::optional<Fault> apply(
    const Policy& policy, const std::string& provider, core::broker::TokenRequest& request);

} // namespace vivavoce::broker
