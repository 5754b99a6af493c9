#include "broker/relay/session_meter.h"

#include "broker/relay/openai_transcript.h"
#include "core/base/json.h"
#include "core/base/random_id.h"
#include "core/protocol/openai/codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

namespace openai = core::openai;
using usage::Amounts;
using usage::Measure;

constexpr std::size_t kLetters = 4;
constexpr std::size_t kBytes = 3;
constexpr std::size_t kLongestName = 100;

std::size_t bytesPerMillisecond(core::SampleRate rate)
{
    // Two bytes a sample.
    return std::max<std::size_t>(std::min(rate.hz(), core::SampleRate::kHighest) / 500, 1);
}

/// `known`: of PCM whose rate is not named, as the beta's never is.
std::size_t bytesPerMillisecond(const openai::AudioFormat& format, core::SampleRate known)
{
    if (format.encoding != openai::AudioEncoding::Pcm) {
        return 8;
    }
    return bytesPerMillisecond(format.rate.isValid() ? format.rate : known);
}

bool isNegative(const openai::TokenCounts& counts)
{
    return counts.text < 0 || counts.audio < 0 || counts.image < 0;
}

bool isNegative(const openai::Usage& usage)
{
    const auto& in = usage.inputDetails;
    return usage.totalTokens < 0 || usage.inputTokens < 0 || usage.outputTokens < 0
        || (in && (in->cached < 0 || isNegative(in->tokens) || (in->cachedDetails && isNegative(*in->cachedDetails))))
        || (usage.outputDetails && isNegative(*usage.outputDetails));
}

/// Whether the provider says what a response has read and written. Nothing was only where nothing was made.
bool isTold(const openai::Response& response, bool hasOutput)
{
    if (response.usage && isNegative(*response.usage)) {
        return false;
    }
    if (response.usage && !core::UsageTally::of(*response.usage).isEmpty()) {
        return true;
    }
    const bool isBroken = response.status == openai::ResponseStatus::Failed
        || (response.usage && response.status == openai::ResponseStatus::Cancelled);
    return isBroken && !hasOutput;
}

bool isTold(const openai::TranscriptionUsage& usage)
{
    const auto* const lasted = std::get_if<openai::TranscriptionDuration>(&usage);
    return lasted != nullptr ? lasted->seconds > 0 : std::get<openai::TranscriptionTokens>(usage).totalTokens > 0;
}

/// What so much sound comes to at most, with a transcriber of that price. OpenAI, "Managing costs": a token for 100 ms of a user's sound.
std::int64_t costOfSound(const core::PriceRow& price, core::Milliseconds sound)
{
    constexpr std::int64_t kMsOfAToken = 100;
    return price.minute > 0 ? price.costOf(sound) : sound.count() / kMsOfAToken * price.audioIn;
}

/// What the provider calls it, or a name of ours where that does not do.
std::string partOf(const char* kind, const std::string& id)
{
    const bool isPlain = !id.empty() && id.size() <= kLongestName
        && std::all_of(id.begin(), id.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    return kind + (isPlain ? id : core::randomId());
}

/// Empty: whichever response is under way.
std::string cancelling(const std::string& response)
{
    core::Json event{{"type", "response.cancel"}, {"event_id", "event_" + core::randomId()}};
    if (!response.empty()) {
        event["response_id"] = response;
    }
    return core::writeJson(event);
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
      m_inputBytes(bytesPerMillisecond(m_settings.rates.input)),
      m_outputBytes(bytesPerMillisecond(m_settings.rates.output)),
      m_transcriber(m_settings.transcriber)
{
}

std::optional<SessionMeter::Bill> SessionMeter::read(const MessageScan& scan, std::string_view text)
{
    m_hasOutput = m_hasOutput || (scan.type.starts_with("response.") && scan.type.ends_with(".delta"));
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
        m_hasOutput = false;
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

std::optional<SessionMeter::Bill> SessionMeter::read(std::string& text, core::MonotonicTime now)
{
    const MessageScan scan = scanMessage(text);
    m_mayHoldWords = scan.fault.empty() && OpenAiTranscript::reads(scan.type);
    if (scan.type.starts_with("response.")) {
        m_lastOfResponses = now;
        m_turnEndedAt.reset();
    } else if (scan.type == openai::InputAudioBufferCommitted::kType && m_answersTurns) {
        m_turnEndedAt = now;
    }
    return read(scan, text);
}

bool SessionMeter::mayAsk(std::string_view eventId, core::MonotonicTime now)
{
    m_underWay.forgetRefused(now);
    if (m_settings.untold > 0 && !m_underWay.areNone()) {
        return false;
    }
    asked(eventId, now);
    m_lastOfResponses = now;
    return true;
}

bool SessionMeter::isBillDue(core::MonotonicTime now) const
{
    const bool isAnswerDue = m_turnEndedAt && now - *m_turnEndedAt < kSlowestAnswer;
    return isAnswerDue || !m_underWay.areNone();
}

std::vector<std::string> SessionMeter::cancellations()
{
    std::vector<std::string> events;
    for (const std::string& response : m_underWay.begun()) {
        if (m_cancelled.insert(response).second) {
            events.push_back(cancelling(response));
        }
    }
    if (events.empty() && m_underWay.onlyAsked() > 0 && m_cancelled.insert(std::string()).second) {
        events.push_back(cancelling(std::string()));
    }
    return events;
}

void SessionMeter::readFormats(const openai::Session& session)
{
    const core::VoiceRates& known = m_settings.rates;
    m_inputBytes = session.inputFormat ? bytesPerMillisecond(*session.inputFormat, known.input) : m_inputBytes;
    m_outputBytes = session.outputFormat ? bytesPerMillisecond(*session.outputFormat, known.output) : m_outputBytes;
    if (!session.transcription.isAbsent()) {
        const openai::Transcription* const transcription = session.transcription.value();
        m_transcriber = transcription == nullptr ? std::string() : transcription->model.value_or(std::string());
    }
    if (!session.turnDetection.isAbsent()) {
        const openai::TurnDetection* const detection = session.turnDetection.value();
        m_answersTurns = detection != nullptr
            && std::visit([](const auto& kind) { return kind.createResponse.value_or(true); }, *detection);
    }
}

void SessionMeter::heard(core::Milliseconds audio)
{
    m_audioIn += audio;
    m_untranscribed += audio;
}

bool SessionMeter::isPaidByTime() const
{
    return m_price != nullptr && m_price->minute > 0 && m_price->textIn + m_price->textOut == 0
        && m_price->audioIn + m_price->audioOut == 0;
}

SessionMeter::Bill SessionMeter::untoldBill(const std::string& id) const
{
    const bool isPaid = isPaidByTime();
    Bill bill{partOf("response ", id), {}, isPaid};
    bill.amounts[Measure::Turns] = 1;
    bill.amounts[Measure::NanoDollars] = m_settings.untold;
    bill.amounts[Measure::Unpriced] = m_settings.isFree || isPaid ? 0 : 1;
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

std::vector<SessionMeter::Bill> SessionMeter::lastBills(core::MonotonicTime now)
{
    m_underWay.forgetRefused(now);
    return untoldBills();
}

std::vector<SessionMeter::Bill> SessionMeter::giveUpSilent(core::MonotonicTime now)
{
    if (m_settings.untold == 0 || now - m_lastOfResponses < kLongestSilence) {
        return {};
    }
    auto bills = untoldBills();
    m_underWay.giveUp();
    return bills;
}

SessionMeter::Bill SessionMeter::billOf(const openai::Response& response)
{
    const bool hasOutput = std::exchange(m_hasOutput, false) || !response.output.empty();
    Bill bill = isTold(response, hasOutput) ? Bill{partOf("response ", response.id), {}} : untoldBill(response.id);
    bill.amounts[Measure::Turns] = 1;
    bill.amounts[Measure::ToolCalls] = std::count_if(response.output.begin(), response.output.end(),
        [](const openai::Item& item) { return item.type == openai::ItemType::FunctionCall; });
    const auto tokens = response.usage ? core::UsageTally::of(*response.usage).clamped() : core::UsageTally();
    bill.amounts.add(tokens);
    if (m_settings.isFree) {
        return bill;
    }
    std::int64_t& cost = bill.amounts[Measure::NanoDollars];
    if (m_price != nullptr) {
        cost = std::max(cost, m_price->costOf(tokens));
    } else if (!tokens.isEmpty()) {
        bill.amounts[Measure::Unpriced] = 1;
    }
    return bill;
}

SessionMeter::Bill SessionMeter::billOf(const openai::InputAudioTranscriptionCompleted& transcript)
{
    Bill bill{partOf("transcript ", transcript.itemId), {}};
    const core::Milliseconds sound = std::exchange(m_untranscribed, core::Milliseconds{0});
    const core::PriceRow* const price = m_settings.prices->find(m_transcriber, m_settings.day);
    const bool isSaid = transcript.usage && isTold(*transcript.usage);
    if (isSaid) {
        const auto tally = core::TranscriptionTally::of(*transcript.usage).clamped();
        bill.amounts[Measure::TranscribedMs] = tally.time.count();
        bill.amounts[Measure::TranscriptionTokens] = tally.tokens;
    }
    if (m_settings.isFree || (price == nullptr && isPaidByTime())) {
        return bill;
    }
    const auto cost = isSaid && price != nullptr ? price->costOf(*transcript.usage) : std::nullopt;
    if (!cost) {
        // Nobody knows; where it has a price it is not free.
        bill.isTold = isSaid;
        bill.amounts[Measure::Unpriced] = 1;
    }
    bill.amounts[Measure::NanoDollars] = cost.value_or(price != nullptr ? costOfSound(*price, sound) : 0);
    return bill;
}

Amounts SessionMeter::stream(core::Milliseconds connected) const
{
    return amountsOf(connected, m_audioIn, m_audioOut, m_settings.isFree ? nullptr : m_price);
}

} // namespace vivavoce::broker::relay
