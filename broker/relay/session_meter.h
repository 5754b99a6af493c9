#pragma once

#include "broker/relay/message_scan.h"
#include "broker/relay/responses_under_way.h"
#include "broker/relay/stream_meter.h"
#include "core/protocol/openai/server_events.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker::relay {

/// The OpenAI Realtime protocol, both dialects.
class SessionMeter final : public StreamMeter {
public:
    explicit SessionMeter(Settings settings);

    [[nodiscard]] std::optional<Bill> read(std::string& text, core::MonotonicTime now) override;
    [[nodiscard]] bool mayHoldWords() const override { return m_mayHoldWords; }
    /// The same of one that somebody has looked into.
    [[nodiscard]] std::optional<Bill> read(const MessageScan& scan, std::string_view text);
    void heard(core::Milliseconds audio) override;
    void sent(std::string_view eventId, core::MonotonicTime now) override { m_underWay.sent(eventId, now); }
    [[nodiscard]] bool mayAsk(std::string_view eventId, core::MonotonicTime now) override;
    [[nodiscard]] bool isBillDue(core::MonotonicTime now) const override;
    [[nodiscard]] std::vector<Bill> giveUpSilent(core::MonotonicTime now) override;
    [[nodiscard]] std::vector<Bill> lastBills(core::MonotonicTime now) override;
    [[nodiscard]] std::vector<std::string> cancellations() override;
    /// Its response.create goes to the provider.
    void asked(std::string_view eventId, core::MonotonicTime now) { m_underWay.asked(eventId, now); }
    /// The provider begins a response by itself where a turn of the user's has ended.
    [[nodiscard]] bool answersTurns() const { return m_answersTurns; }
    [[nodiscard]] const ResponsesUnderWay& underWay() const { return m_underWay; }
    /// Of the responses under way, as nobody will hear of their end any more.
    [[nodiscard]] std::vector<Bill> untoldBills() const;
    [[nodiscard]] usage::Amounts stream(core::Milliseconds connected) const override;
    [[nodiscard]] std::size_t inputBytesPerMillisecond() const override { return m_inputBytes; }

private:
    void readFormats(const core::openai::Session& session);
    /// It is the minutes that cost, and nothing besides: nobody has to say what a turn did.
    [[nodiscard]] bool isPaidByTime() const;
    [[nodiscard]] Bill untoldBill(const std::string& id) const;
    [[nodiscard]] Bill billOf(const core::openai::Response& response);
    [[nodiscard]] Bill billOf(const core::openai::InputAudioTranscriptionCompleted& transcript);

    const Settings m_settings;
    const core::PriceRow* const m_price;
    /// Of a millisecond.
    std::size_t m_inputBytes;
    std::size_t m_outputBytes;
    std::string m_transcriber;
    ResponsesUnderWay m_underWay;
    bool m_answersTurns = true;
    bool m_mayHoldWords = true;
    /// When a response was last heard of, or asked for.
    core::MonotonicTime m_lastOfResponses{};
    /// When the user's last turn ended that the provider is going to answer, and has not begun to.
    std::optional<core::MonotonicTime> m_turnEndedAt;
    std::set<std::string> m_cancelled;
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
