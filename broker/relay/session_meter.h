#pragma once

#include "broker/relay/message_scan.h"
#include "broker/relay/responses_under_way.h"
#include "broker/usage/amounts.h"
#include "core/base/clock.h"
#include "core/protocol/openai/server_events.h"
#include "core/usage/price_list.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// What a stream's messages come to, by the provider's own word. Knows the OpenAI Realtime protocol, both dialects.
/// Threads: one at a time.
class SessionMeter {
public:
    /// Something that the provider has billed: a response, whether it was heard out or not, or a transcription.
    struct Bill {
        /// Unique in the stream: what the provider calls it.
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
    };

    explicit SessionMeter(Settings settings);

    /// A message of the provider's.
    [[nodiscard]] std::optional<Bill> read(const MessageScan& scan, std::string_view text);
    /// The same of one that nobody has looked into yet.
    [[nodiscard]] std::optional<Bill> read(std::string text);
    /// What the client has sent.
    void heard(core::Milliseconds audio);
    /// Its response.create goes to the provider.
    void asked(std::string_view eventId, core::MonotonicTime now) { m_underWay.asked(eventId, now); }
    /// Something else goes to the provider.
    void sent(std::string_view eventId, core::MonotonicTime now) { m_underWay.sent(eventId, now); }
    void forgetRefused(core::MonotonicTime now) { m_underWay.forgetRefused(now); }
    /// The provider begins a response by itself where a turn of the user's has ended.
    [[nodiscard]] bool answersTurns() const { return m_answersTurns; }
    [[nodiscard]] const ResponsesUnderWay& underWay() const { return m_underWay; }
    /// Of the responses under way, as nobody will hear of their end any more.
    [[nodiscard]] std::vector<Bill> untoldBills() const;
    /// The same, and none of them is under way any more.
    [[nodiscard]] std::vector<Bill> giveUp();
    [[nodiscard]] std::int64_t untold() const { return m_settings.untold; }
    /// The stream itself, after so long; without what the bills have.
    [[nodiscard]] usage::Amounts stream(core::Milliseconds connected) const;

    /// Of the input, as the provider has it: 48 for 24 kHz PCM, 8 for G.711.
    [[nodiscard]] std::size_t inputBytesPerMillisecond() const { return m_inputBytes; }

private:
    void readFormats(const core::openai::Session& session);
    [[nodiscard]] Bill untoldBill(const std::string& id) const;
    [[nodiscard]] Bill billOf(const core::openai::Response& response);
    [[nodiscard]] Bill billOf(const core::openai::InputAudioTranscriptionCompleted& transcript);

    const Settings m_settings;
    const core::PriceRow* const m_price;
    std::size_t m_inputBytes = 48;
    std::size_t m_outputBytes = 48;
    std::string m_transcriber;
    ResponsesUnderWay m_underWay;
    bool m_answersTurns = true;
    /// Something of a response has come since the last one ended.
    bool m_hasOutput = false;
    core::Milliseconds m_audioIn{0};
    core::Milliseconds m_audioOut{0};
    /// Of the input, since something was transcribed.
    core::Milliseconds m_untranscribed{0};
};

/// How much sound so many letters of base64 hold.
[[nodiscard]] core::Milliseconds soundIn(std::size_t base64Letters, std::size_t bytesPerMillisecond);

} // namespace vivavoce::broker::relay
