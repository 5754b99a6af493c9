#pragma once

#include "broker/usage/amounts.h"
#include "core/base/clock.h"
#include "core/base/voice_rates.h"
#include "core/usage/price_list.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// Port: what a stream's messages come to, by the provider's own word. One for each protocol.
/// Threads: one at a time.
class StreamMeter {
public:
    /// A response that is under way is heard of much more often.
    static constexpr core::Milliseconds kLongestSilence{60'000};
    /// A provider that answers by itself where a turn has ended begins within that.
    static constexpr core::Milliseconds kSlowestAnswer{2'000};

    /// Something that the provider has billed: a response, whether it was heard out or not, or a transcription.
    struct Bill {
        /// Unique in the stream.
        std::string part;
        usage::Amounts amounts;
        /// False: what the provider said of it could not be read, or never came.
        bool isTold = true;
    };
    struct Settings {
        std::string model;
        std::shared_ptr<const core::PriceList> prices;
        /// The prices of that day.
        core::WallTime day;
        /// Whatever is said with this provider costs nothing.
        bool isFree = false;
        /// Who writes down what the user says, until the provider tells.
        std::string transcriber{};
        /// What a response costs, in billionths of a US dollar, of which the provider does not say what it costs.
        std::int64_t untold = 0;
        /// At which the voices are exchanged, until the provider names others.
        core::VoiceRates rates{};
    };

    virtual ~StreamMeter() = default;

    /// A message of the provider's, and what it bills. The text may move.
    [[nodiscard]] virtual std::optional<Bill> read(std::string& text, core::MonotonicTime now) = 0;
    /// Whether there may be something in the message that was read last that was said, and not only heard.
    [[nodiscard]] virtual bool mayHoldWords() const { return true; }
    /// What the client has sent.
    virtual void heard(core::Milliseconds audio) = 0;
    /// Something of it goes to the provider; `eventId` is empty where it has no name. Not what mayAsk was asked for.
    virtual void sent(std::string_view eventId, core::MonotonicTime now) = 0;
    /// A response that is under way gets what it has waited for.
    virtual void answered() {}
    /// The client wants a response, which counts as under way from now on. False: the budget bears one at a time, and one is.
    [[nodiscard]] virtual bool mayAsk(std::string_view eventId, core::MonotonicTime now) = 0;
    /// The provider may still say what a response costs.
    [[nodiscard]] virtual bool isBillDue(core::MonotonicTime now) const = 0;
    /// Under a budget, and where it has said nothing of the responses under way for so long that it never will: what they count as, and none is
    /// under way any more.
    [[nodiscard]] virtual std::vector<Bill> giveUpSilent(core::MonotonicTime /*now*/) { return {}; }
    /// Of what is under way, as nobody will hear of its end any more.
    [[nodiscard]] virtual std::vector<Bill> lastBills(core::MonotonicTime now) = 0;
    /// What ends the responses under way, as the client would say it; of each once.
    [[nodiscard]] virtual std::vector<std::string> cancellations() { return {}; }
    /// The stream itself, after so long; without what the bills have.
    [[nodiscard]] virtual usage::Amounts stream(core::Milliseconds connected) const = 0;
    /// Of the input, as the provider has it, where its messages do not say it themselves.
    [[nodiscard]] virtual std::size_t inputBytesPerMillisecond() const { return 48; }
};

/// What the sound and the time of a stream come to. Null: the minutes cost nothing.
[[nodiscard]] inline usage::Amounts amountsOf(
    core::Milliseconds connected, core::Milliseconds audioIn, core::Milliseconds audioOut, const core::PriceRow* price)
{
    usage::Amounts amounts;
    amounts[usage::Measure::ConnectedMs] = connected.count();
    amounts[usage::Measure::AudioInMs] = audioIn.count();
    amounts[usage::Measure::AudioOutMs] = audioOut.count();
    amounts[usage::Measure::NanoDollars] = price != nullptr ? price->costOf(connected) : 0;
    return amounts;
}

} // namespace vivavoce::broker::relay
