#pragma once

#include "broker/relay/stream_meter.h"
#include "core/protocol/gemini/server_messages.h"
#include "core/usage/price_list.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::relay {

/// Gemini Live. It names no responses, and says what they cost in snapshots that are to be added up: something was made that is not paid for
/// until the next one comes. Whoever asks while one is under way interrupts it.
class GeminiMeter final : public StreamMeter {
public:
    explicit GeminiMeter(Settings settings);

    [[nodiscard]] std::optional<Bill> read(std::string& text, core::MonotonicTime now) override;
    [[nodiscard]] bool mayHoldWords() const override { return m_mayHoldWords; }
    void heard(core::Milliseconds audio) override { m_audioIn += audio; }
    void sent(std::string_view /*eventId*/, core::MonotonicTime /*now*/) override {}
    void answered() override { m_isOwed = true; }
    /// False: the last one that was asked for has not begun, and may still do so.
    [[nodiscard]] bool mayAsk(std::string_view eventId, core::MonotonicTime now) override;
    [[nodiscard]] bool isBillDue(core::MonotonicTime now) const override;
    [[nodiscard]] std::vector<Bill> lastBills(core::MonotonicTime now) override;
    [[nodiscard]] usage::Amounts stream(core::Milliseconds connected) const override;

private:
    /// Where the provider is with its turn.
    enum class Turn {
        None,
        Making,
        /// All of it was made, or it was interrupted.
        Made
    };

    void on(const core::gemini::ServerContent& content, core::MonotonicTime now);
    void begins();
    void counts(const core::gemini::UsageMetadata& snapshot, usage::Amounts& amounts);
    /// Whether one has ended.
    [[nodiscard]] bool ends(const core::gemini::ServerContent& content);

    const Settings m_settings;
    const core::PriceRow* const m_price;
    Turn m_turn = Turn::None;
    /// A response that has not begun.
    std::optional<core::MonotonicTime> m_askedAt;
    /// The user was last heard to speak, and that was not answered.
    std::optional<core::MonotonicTime> m_wordsAt;
    /// Something was made of which nobody has said what it cost.
    bool m_isOwed = false;
    /// What was said of this turn so far.
    std::int64_t m_turnCost = 0;
    bool m_mayHoldWords = false;
    std::uint64_t m_bills = 0;
    core::Milliseconds m_audioIn{0};
    core::Milliseconds m_audioOut{0};
};

} // namespace vivavoce::broker::relay
