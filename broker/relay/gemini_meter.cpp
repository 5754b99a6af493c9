#include "broker/relay/gemini_meter.h"

#include "broker/relay/gemini_sound.h"
#include "broker/relay/gemini_transcript.h"
#include "core/protocol/gemini/codec.h"
#include "core/session/gemini/gemini_usage.h"
#include "core/usage/usage_tally.h"

#include <algorithm>
#include <utility>

namespace vivavoce::broker::relay {
namespace {

namespace gemini = core::gemini;
using usage::Amounts;
using usage::Measure;

bool isNegative(const std::optional<gemini::Int64>& count)
{
    return count && count->value < 0;
}

bool isNegative(const std::optional<std::vector<gemini::ModalityCount>>& counts)
{
    return counts
        && std::any_of(counts->begin(), counts->end(), [](const auto& one) { return one.tokenCount.value < 0; });
}

bool isNegative(const gemini::UsageMetadata& told)
{
    return isNegative(told.promptTokenCount) || isNegative(told.cachedContentTokenCount)
        || isNegative(told.responseTokenCount) || isNegative(told.toolUsePromptTokenCount)
        || isNegative(told.thoughtsTokenCount) || isNegative(told.totalTokenCount)
        || isNegative(told.promptTokensDetails) || isNegative(told.cacheTokensDetails)
        || isNegative(told.responseTokensDetails) || isNegative(told.toolUsePromptTokensDetails);
}

core::Milliseconds soundIn(const gemini::Content& content)
{
    core::Milliseconds sound{0};
    for (const gemini::Part& part : content.parts) {
        if (part.inlineData) {
            const auto& blob = *part.inlineData;
            sound += geminiSound(blob.mimeType, blob.data.size(), core::kRealtimeRate).value_or(core::Milliseconds{0});
        }
    }
    return sound;
}

} // namespace

GeminiMeter::GeminiMeter(Settings settings)
    : m_settings(std::move(settings)), m_price(m_settings.prices->find(m_settings.model, m_settings.day))
{
}

std::optional<StreamMeter::Bill> GeminiMeter::read(std::string& text, core::MonotonicTime now)
{
    const auto message = gemini::decodeServerMessage(text);
    m_mayHoldWords = message && GeminiTranscript::reads(*message);
    if (!message) {
        // Whatever it was, it was not for nothing.
        m_isOwed = true;
        return std::nullopt;
    }
    Bill bill;
    if (message->serverContent) {
        on(*message->serverContent, now);
    }
    if (message->toolCall && !message->toolCall->functionCalls.empty()) {
        begins();
        bill.amounts[Measure::ToolCalls] = static_cast<std::int64_t>(message->toolCall->functionCalls.size());
    }
    if (message->usageMetadata) {
        counts(*message->usageMetadata, bill.amounts);
    }
    if (message->serverContent && ends(*message->serverContent)) {
        bill.amounts[Measure::Turns] = 1;
    }
    if (bill.amounts.areNothing()) {
        return std::nullopt;
    }
    bill.part = "message " + std::to_string(++m_bills);
    return bill;
}

void GeminiMeter::on(const gemini::ServerContent& content, core::MonotonicTime now)
{
    if (content.modelTurn && !content.modelTurn->parts.empty()) {
        m_audioOut += soundIn(*content.modelTurn);
        begins();
    } else if (content.inputTranscription && m_turn == Turn::None) {
        m_wordsAt = now;
    }
}

void GeminiMeter::begins()
{
    if (m_turn != Turn::Making) {
        m_turn = Turn::Making;
        m_askedAt.reset();
        m_turnCost = 0;
    }
    m_wordsAt.reset();
    m_isOwed = true;
}

void GeminiMeter::counts(const gemini::UsageMetadata& snapshot, Amounts& amounts)
{
    const auto tokens = core::UsageTally::of(core::usageOf(snapshot)).clamped();
    if (isNegative(snapshot) || tokens.isEmpty()) {
        return;
    }
    amounts.add(tokens);
    m_isOwed = false;
    if (m_turn == Turn::None) {
        m_askedAt.reset();
    }
    if (m_settings.isFree) {
        return;
    }
    if (m_price == nullptr) {
        amounts[Measure::Unpriced] = 1;
        return;
    }
    const std::int64_t cost = m_price->costOf(tokens);
    amounts[Measure::NanoDollars] = cost;
    m_turnCost += cost;
}

bool GeminiMeter::ends(const gemini::ServerContent& content)
{
    const bool isMade = content.generationComplete.value_or(false) || content.interrupted.value_or(false);
    if (isMade && m_turn == Turn::Making) {
        m_turn = Turn::Made;
    }
    if (!content.turnComplete.value_or(false)) {
        return false;
    }
    const bool wasSilent = m_turn == Turn::None;
    m_turn = Turn::None;
    // One that was asked for over another one is yet to come.
    const bool wasAsked = wasSilent && std::exchange(m_askedAt, std::nullopt).has_value();
    return !wasSilent || wasAsked;
}

bool GeminiMeter::mayAsk(std::string_view /*eventId*/, core::MonotonicTime now)
{
    if (m_settings.untold > 0 && m_askedAt && now - *m_askedAt < kSlowestAnswer) {
        return false;
    }
    m_askedAt = now;
    return true;
}

bool GeminiMeter::isBillDue(core::MonotonicTime now) const
{
    const bool isAnswerDue = m_wordsAt && now - *m_wordsAt < kSlowestAnswer;
    return isAnswerDue || m_askedAt || m_isOwed || m_turn == Turn::Making;
}

std::vector<StreamMeter::Bill> GeminiMeter::lastBills(core::MonotonicTime /*now*/)
{
    const bool isUnder = m_turn != Turn::None;
    if (!isUnder && !m_askedAt && !m_isOwed) {
        return {};
    }
    Bill bill{"message " + std::to_string(++m_bills), {}, !m_askedAt && !m_isOwed};
    bill.amounts[Measure::Turns] = (isUnder ? 1 : 0) + (m_askedAt ? 1 : 0);
    if (!bill.isTold) {
        // A turn costs no more than that in all.
        const std::int64_t rest = m_isOwed ? std::max<std::int64_t>(m_settings.untold - m_turnCost, 0) : 0;
        bill.amounts[Measure::NanoDollars] = rest + (m_askedAt ? m_settings.untold : 0);
        bill.amounts[Measure::Unpriced] = m_settings.isFree ? 0 : 1;
    }
    return {std::move(bill)};
}

Amounts GeminiMeter::stream(core::Milliseconds connected) const
{
    return amountsOf(connected, m_audioIn, m_audioOut, m_settings.isFree ? nullptr : m_price);
}

} // namespace vivavoce::broker::relay
