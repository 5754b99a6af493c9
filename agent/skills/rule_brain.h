#pragma once

#include "agent/ports.h"
#include "core/base/clock.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace vivavoce::agent::skills {

/// Thinks by rules: chooses among the skills and the functions that the other side declared. It says so when it has not understood,
/// and never calls a function with values that nobody said.
/// Threads: [worker], one caller at a time.
class RuleBrain final : public Brain {
public:
    /// `clock` outlives the brain; `seed` decides coins, dice and jokes.
    RuleBrain(const core::Clock& clock, std::uint32_t seed);
    ~RuleBrain() override;

    core::Expected<std::optional<BrainUsage>, core::Error> reply(
        const BrainRequest& request, BrainSink& sink, std::stop_token stop) override;
    ReminderChanges takeReminders() override;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

class RuleBrainFactory final : public BrainFactory {
public:
    /// `seeds` gives each conversation its seed; left out: the system's random source.
    explicit RuleBrainFactory(const core::Clock& clock, std::function<std::uint32_t()> seeds = {});

    [[nodiscard]] std::unique_ptr<Brain> create() override;
    /// Sentences of the command grammar.

private:
    const core::Clock& m_clock;
    std::function<std::uint32_t()> m_seeds;
};

} // namespace vivavoce::agent::skills
