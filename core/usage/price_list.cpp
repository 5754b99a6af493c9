#include "core/usage/price_list.h"

#include "core/base/json.h"
#include "core/usage/built_in_prices.h"
#include "core/usage/dated_name.h"
#include "core/usage/utc_day.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace vivavoce::core {
namespace {

struct Money {
    const char* name;
    std::int64_t PriceRow::*member;
};
constexpr std::array kTokenPrices{Money{"textIn", &PriceRow::textIn}, Money{"cachedTextIn", &PriceRow::cachedTextIn},
    Money{"textOut", &PriceRow::textOut}, Money{"audioIn", &PriceRow::audioIn},
    Money{"cachedAudioIn", &PriceRow::cachedAudioIn}, Money{"audioOut", &PriceRow::audioOut},
    Money{"imageIn", &PriceRow::imageIn}, Money{"cachedImageIn", &PriceRow::cachedImageIn}};
constexpr std::array kLengths{
    Money{"longestInput", &PriceRow::longestInput}, Money{"longestOutput", &PriceRow::longestOutput}};
/// A dollar for a million is so many billionths for one.
constexpr double kPerToken = 1'000;
constexpr double kNano = 1e9;
constexpr double kDearest = 1e6;
constexpr std::int64_t kLongest = 100'000'000;

bool readMoney(const Json& value, double scale, std::int64_t& into)
{
    if (!value.is_number()) {
        return false;
    }
    const auto dollars = value.get<double>();
    if (!(dollars >= 0 && dollars <= kDearest)) {
        return false;
    }
    into = std::llround(dollars * scale);
    return true;
}

bool readMember(const std::string& name, const Json& value, PriceRow& row)
{
    const auto isIt = [&](const Money& one) { return one.name == name; };
    if (const auto* const price = std::find_if(kTokenPrices.begin(), kTokenPrices.end(), isIt);
        price != kTokenPrices.end()) {
        return readMoney(value, kPerToken, row.*price->member);
    }
    if (const auto* const length = std::find_if(kLengths.begin(), kLengths.end(), isIt); length != kLengths.end()) {
        const bool isGood = value.is_number_unsigned() && value.get<std::uint64_t>() <= kLongest;
        row.*length->member = isGood ? value.get<std::int64_t>() : 0;
        return isGood;
    }
    if (name == "minute") {
        return readMoney(value, kNano, row.minute);
    }
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        return false;
    }
    if (name == "model") {
        row.model = value.get<std::string>();
        return true;
    }
    row.from = value.get<std::string>();
    return name == "from" && isDay(row.from);
}

Expected<PriceRow, std::string> readRow(const Json& json)
{
    if (!json.is_object()) {
        return Unexpected<std::string>("it has to be an object");
    }
    PriceRow row;
    for (const auto& [name, value] : json.items()) {
        if (!readMember(name, value, row)) {
            return Unexpected<std::string>(name + " is not known, or not what it has to be");
        }
    }
    if (row.model.empty() || row.from.empty()) {
        return Unexpected<std::string>("model and from have to be there");
    }
    // A kind without a price would be free, and a budget would never run out.
    const auto hasPrice = [&](const Money& one) { return json.contains(one.name); };
    if (!json.contains("minute") && !std::all_of(kTokenPrices.begin(), kTokenPrices.end(), hasPrice)) {
        return Unexpected<std::string>("each kind of token has to have a price, or the minute has to");
    }
    return row;
}

} // namespace

std::int64_t PriceRow::costOf(const UsageTally& tally) const
{
    return tally.textIn * textIn + tally.cachedTextIn * cachedTextIn + tally.textOut * textOut + tally.audioIn * audioIn
        + tally.cachedAudioIn * cachedAudioIn + tally.audioOut * audioOut + tally.imageIn * imageIn
        + tally.cachedImageIn * cachedImageIn;
}

std::int64_t PriceRow::costOf(const openai::Usage& usage) const
{
    return costOf(UsageTally::of(usage).clamped());
}

std::int64_t PriceRow::costOf(Milliseconds connected) const
{
    // A minute's price fits into 50 bits, and a year has 35 bits of milliseconds: whole minutes first.
    constexpr std::int64_t kMinute = 60'000;
    const std::int64_t ms = connected.count();
    return ms / kMinute * minute
        + static_cast<std::int64_t>(static_cast<double>(ms % kMinute) * static_cast<double>(minute) / kMinute);
}

std::optional<std::int64_t> PriceRow::costOf(const openai::TranscriptionUsage& usage) const
{
    const auto* const tokens = std::get_if<openai::TranscriptionTokens>(&usage);
    if ((tokens == nullptr) != (minute > 0)) {
        return std::nullopt;
    }
    if (tokens == nullptr) {
        return costOf(TranscriptionTally::of(usage).time);
    }
    UsageTally tally;
    tally.textOut = tokens->outputTokens;
    tally.audioIn = tokens->inputDetails ? tokens->inputDetails->audio : tokens->inputTokens;
    tally.textIn = tokens->inputDetails ? tokens->inputDetails->text : 0;
    return costOf(tally.clamped());
}

std::int64_t PriceRow::costOfLongestTurn() const
{
    return longestInput * std::max({textIn, audioIn, imageIn}) + longestOutput * std::max(textOut, audioOut);
}

Expected<PriceList, std::string> PriceList::parse(std::string_view json)
{
    const auto all = parseJson(json);
    if (!all) {
        return Unexpected<std::string>(all.error().detail);
    }
    const auto prices = all->is_object() ? all->find("prices") : all->end();
    if (!all->is_object() || prices == all->end() || !prices->is_array()) {
        return Unexpected<std::string>("it has to be an object with a list \"prices\"");
    }
    PriceList list;
    for (const Json& one : *prices) {
        auto row = readRow(one);
        if (!row) {
            return Unexpected<std::string>("row " + std::to_string(list.m_rows.size() + 1) + ": " + row.error());
        }
        list.m_rows.push_back(std::move(*row));
    }
    const auto key = [](const PriceRow& row) { return std::tie(row.model, row.from); };
    std::sort(
        list.m_rows.begin(), list.m_rows.end(), [&](const PriceRow& a, const PriceRow& b) { return key(a) < key(b); });
    const auto twice = std::adjacent_find(
        list.m_rows.begin(), list.m_rows.end(), [&](const PriceRow& a, const PriceRow& b) { return key(a) == key(b); });
    if (twice != list.m_rows.end()) {
        return Unexpected<std::string>(twice->model + " has two prices from the same day");
    }
    return list;
}

const PriceList& PriceList::builtIn()
{
    static const PriceList list = parse(builtInPrices()).value_or(PriceList());
    return list;
}

const PriceRow* PriceList::find(std::string_view model, WallTime day) const
{
    return find(model, utcDay(day));
}

const PriceRow* PriceList::find(std::string_view model, std::string_view day) const
{
    for (const std::string_view name : {model, withoutDay(model)}) {
        const auto begin =
            std::find_if(m_rows.begin(), m_rows.end(), [&](const PriceRow& row) { return row.model == name; });
        const PriceRow* found = nullptr;
        for (auto row = begin; row != m_rows.end() && row->model == name; ++row) {
            if (found == nullptr || row->from <= day) {
                found = &*row;
            }
        }
        if (found != nullptr) {
            return found;
        }
    }
    return nullptr;
}

namespace {

const PriceRow* newest(std::string_view model)
{
    // A day that is after all of them.
    return PriceList::builtIn().find(model, WallTime(std::chrono::hours(24 * 365 * 200)));
}

} // namespace

std::optional<Estimate> estimate(std::string_view model, const UsageTally& tally)
{
    const PriceRow* const row = newest(model);
    return row == nullptr ? std::nullopt : std::optional(Estimate{row->costOf(tally), row->from});
}

std::optional<Estimate> estimate(std::string_view transcriber, const TranscriptionTally& tally)
{
    const PriceRow* const row = newest(transcriber);
    const bool isByTime = row != nullptr && row->minute > 0 && tally.tokens == 0;
    return isByTime ? std::optional(Estimate{row->costOf(tally.time), row->from}) : std::nullopt;
}

} // namespace vivavoce::core
