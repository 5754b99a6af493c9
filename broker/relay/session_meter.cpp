#include "broker/relay/session_meter.h"

#include "core/base/random_id.h"
#include "core/protocol/openai/codec.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

namespace openai = core::openai;
using usage::Amounts;
using usage::Measure;

constexpr std::size_t kLetters = 4;
constexpr std::size_t kBytes = 3;
constexpr std::size_t kLongestName = 100;
constexpr std::int64_t kMostTokens = 10'000'000;

std::size_t bytesPerMillisecond(const openai::AudioFormat& format)
{
    if (format.encoding != openai::AudioEncoding::Pcm) {
        return 8;
    }
    // Two bytes a sample.
    return std::max<std::size_t>(std::min(format.rate.hz(), core::SampleRate::kHighest) / 500, 1);
}

/// A million turns of the longest kind do not overflow a sum, whatever a provider may say.
core::UsageTally sane(core::UsageTally tally)
{
    for (std::int64_t* const count : {&tally.textIn, &tally.audioIn, &tally.imageIn, &tally.cachedTextIn,
             &tally.cachedAudioIn, &tally.cachedImageIn, &tally.textOut, &tally.audioOut}) {
        *count = std::clamp<std::int64_t>(*count, 0, kMostTokens);
    }
    return tally;
}

/// What the provider calls it, or a name of ours where that does not do.
std::string partOf(const char* kind, const std::string& id)
{
    const bool isPlain = !id.empty() && id.size() <= kLongestName
        && std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    return kind + (isPlain ? id : core::randomId());
}

/// Also where the message is such that nobody should be sure of its type.
bool isResponseDone(const MessageScan& scan, std::string_view text)
{
    if (scan.fault.empty()) {
        return scan.type == openai::ResponseDone::kType;
    }
    return text.find("\"response.done\"") != std::string_view::npos;
}

} // namespace

core::Milliseconds soundIn(std::size_t base64Letters, std::size_t bytesPerMillisecond)
{
    return core::Milliseconds(base64Letters / kLetters * kBytes / bytesPerMillisecond);
}

SessionMeter::SessionMeter(Settings settings)
    : m_settings(std::move(settings)),
      m_price(m_settings.prices->find(m_settings.model, m_settings.day)),
      m_transcriber(m_settings.transcriber)
{
}

std::optional<SessionMeter::Bill> SessionMeter::read(const MessageScan& scan, std::string_view text)
{
    if (scan.type == "response.output_audio.delta" || scan.type == "response.audio.delta") {
        m_audioOut += soundIn(scan.delta.size(), m_outputBytes);
        return std::nullopt;
    }
    const bool isDone = isResponseDone(scan, text);
    const bool isOfInterest = isDone || scan.type == openai::ResponseCreated::kType
        || scan.type == openai::ErrorEvent::kType || scan.type == openai::SessionCreated::kType
        || scan.type == openai::SessionUpdated::kType || scan.type == openai::InputAudioTranscriptionCompleted::kType;
    if (!isOfInterest) {
        return std::nullopt;
    }
    const auto event = openai::decodeServerEvent(text);
    const auto* const done = event ? std::get_if<openai::ResponseDone>(&*event) : nullptr;
    if (isDone && done == nullptr) {
        m_underWay.ended({});
        return untoldBill({});
    }
    if (!event) {
        return std::nullopt;
    }
    if (done != nullptr) {
        m_underWay.ended(done->response.id);
        return billOf(done->response);
    }
    if (const auto* transcript = std::get_if<openai::InputAudioTranscriptionCompleted>(&*event)) {
        return billOf(*transcript);
    }
    if (const auto* begun = std::get_if<openai::ResponseCreated>(&*event)) {
        m_underWay.began(begun->response.id);
    } else if (const auto* error = std::get_if<openai::ErrorEvent>(&*event)) {
        m_underWay.refused(error->error.eventId.value_or(std::string()),
            error->error.code == std::string_view("conversation_already_has_active_response"));
    } else if (const auto* created = std::get_if<openai::SessionCreated>(&*event)) {
        readFormats(created->session);
    } else if (const auto* updated = std::get_if<openai::SessionUpdated>(&*event)) {
        readFormats(updated->session);
    }
    return std::nullopt;
}

std::optional<SessionMeter::Bill> SessionMeter::read(std::string text)
{
    const MessageScan scan = scanMessage(text);
    return read(scan, text);
}

void SessionMeter::readFormats(const openai::Session& session)
{
    m_inputBytes = session.inputFormat ? bytesPerMillisecond(*session.inputFormat) : m_inputBytes;
    m_outputBytes = session.outputFormat ? bytesPerMillisecond(*session.outputFormat) : m_outputBytes;
    if (!session.transcription.isAbsent()) {
        const openai::Transcription* const transcription = session.transcription.value();
        m_transcriber = transcription == nullptr ? std::string() : transcription->model.value_or(std::string());
    }
}

SessionMeter::Bill SessionMeter::untoldBill(const std::string& id) const
{
    Bill bill{partOf("response ", id), {}, false};
    bill.amounts[Measure::Turns] = 1;
    bill.amounts[Measure::NanoDollars] = m_settings.untold;
    bill.amounts[Measure::Unpriced] = m_settings.isFree ? 0 : 1;
    return bill;
}

std::vector<SessionMeter::Bill> SessionMeter::untoldBills() const
{
    std::vector<Bill> bills;
    for (const std::string& id : m_underWay.begun()) {
        bills.push_back(untoldBill(id));
    }
    for (std::size_t i = 0; i < m_underWay.onlyAsked(); ++i) {
        bills.push_back(untoldBill({}));
    }
    return bills;
}

std::vector<SessionMeter::Bill> SessionMeter::giveUp()
{
    auto bills = untoldBills();
    m_underWay.giveUp();
    return bills;
}

SessionMeter::Bill SessionMeter::billOf(const openai::Response& response) const
{
    Bill bill{partOf("response ", response.id), {}};
    bill.amounts[Measure::Turns] = 1;
    bill.amounts[Measure::ToolCalls] = std::count_if(response.output.begin(), response.output.end(),
        [](const openai::Item& item) { return item.type == openai::ItemType::FunctionCall; });
    if (!response.usage) {
        // What was never made costs nothing; what was made and has no figures costs what nobody knows.
        const bool isMade = response.status == openai::ResponseStatus::Completed;
        bill.amounts[Measure::Unpriced] = isMade && !m_settings.isFree ? 1 : 0;
        bill.amounts[Measure::NanoDollars] = isMade ? m_settings.untold : 0;
        return bill;
    }
    const auto tokens = sane(core::UsageTally::of(*response.usage));
    bill.amounts.add(tokens);
    if (m_price != nullptr) {
        bill.amounts[Measure::NanoDollars] = m_settings.isFree ? 0 : m_price->costOf(tokens);
    } else {
        bill.amounts[Measure::Unpriced] = m_settings.isFree || tokens.isEmpty() ? 0 : 1;
    }
    return bill;
}

std::optional<SessionMeter::Bill> SessionMeter::billOf(const openai::InputAudioTranscriptionCompleted& transcript) const
{
    if (!transcript.usage) {
        return std::nullopt;
    }
    Bill bill{partOf("transcript ", transcript.itemId), {}};
    const core::PriceRow* const price = m_settings.prices->find(m_transcriber, m_settings.day);
    bool isPriced = m_settings.isFree;
    if (const auto* lasted = std::get_if<openai::TranscriptionDuration>(&*transcript.usage)) {
        constexpr double kLongest = 86'400;
        const core::Milliseconds length(std::llround(std::clamp(lasted->seconds, 0.0, kLongest) * 1'000));
        bill.amounts[Measure::TranscribedMs] = length.count();
        if (price != nullptr && !isPriced) {
            bill.amounts[Measure::NanoDollars] = price->costOf(length);
            isPriced = true;
        }
    } else {
        const auto& tokens = std::get<openai::TranscriptionTokens>(*transcript.usage);
        bill.amounts[Measure::TranscriptionTokens] = std::clamp<std::int64_t>(tokens.totalTokens, 0, kMostTokens);
        if (price != nullptr && !isPriced && price->minute == 0) {
            core::UsageTally tally;
            tally.textOut = tokens.outputTokens;
            tally.audioIn = tokens.inputDetails ? tokens.inputDetails->audio : tokens.inputTokens;
            tally.textIn = tokens.inputDetails ? tokens.inputDetails->text : 0;
            bill.amounts[Measure::NanoDollars] = price->costOf(sane(tally));
            isPriced = true;
        }
    }
    bill.amounts[Measure::Unpriced] = isPriced ? 0 : 1;
    return bill;
}

Amounts SessionMeter::stream(core::Milliseconds connected) const
{
    Amounts amounts;
    amounts[Measure::ConnectedMs] = connected.count();
    amounts[Measure::AudioInMs] = m_audioIn.count();
    amounts[Measure::AudioOutMs] = m_audioOut.count();
    if (m_price != nullptr && !m_settings.isFree) {
        amounts[Measure::NanoDollars] = m_price->costOf(connected);
    }
    return amounts;
}

} // namespace vivavoce::broker::relay
