#include "app/offline/fake_usage_book.h"

#include "core/usage/price_list.h"
#include "core/usage/utc_day.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace vivavoce::offline {
namespace {

using namespace core;

constexpr const char* kModel = "gpt-realtime-2.1-mini";
constexpr int kDaysBack[] = {0, 1, 2, 5, 6, 12, 33, 34, 61, 95};

std::string keyOf(const UsageRecord& record, UsageGrouping by)
{
    constexpr std::size_t kMonth = 7;
    switch (by) {
    case UsageGrouping::Day:
        return record.day;
    case UsageGrouping::Month:
        return record.day.substr(0, kMonth);
    case UsageGrouping::Model:
        return record.model;
    case UsageGrouping::Session:
        return record.session;
    case UsageGrouping::All:
        break;
    }
    return {};
}

} // namespace

Expected<void, Error> FakeUsageBook::put(const std::vector<UsageRecord>& records)
{
    m_all.insert(m_all.end(), records.begin(), records.end());
    return {};
}

Expected<std::vector<UsageSum>, Error> FakeUsageBook::sums(const UsageQuery& query)
{
    if (m_isBroken) {
        return core::fail(ErrorCode::HistoryFailed, "made up");
    }
    std::map<std::string, UsageSum, std::greater<>> found;
    std::map<std::string, std::set<std::string>> sessions;
    if (query.by == UsageGrouping::All) {
        found[""];
    }
    for (const UsageRecord& record : m_all) {
        if (record.day < query.from || (!query.to.empty() && record.day > query.to)) {
            continue;
        }
        const std::string key = keyOf(record, query.by);
        UsageSum& sum = found[key];
        sum.key = key;
        sum.figures += record.figures;
        sum.oldestPrices = sum.newestPrices = record.pricesFrom;
        sessions[key].insert(record.session);
        sum.sessions = static_cast<std::int64_t>(sessions[key].size());
    }
    std::vector<UsageSum> sums;
    sums.reserve(found.size());
    for (const auto& [key, sum] : found) {
        sums.push_back(sum);
    }
    sums.resize(std::min(sums.size(), query.most));
    return sums;
}

Expected<void, Error> FakeUsageBook::clear()
{
    m_all.clear();
    return {};
}

void FakeUsageBook::fill(WallTime today)
{
    for (const int back : kDaysBack) {
        const WallTime when = today - std::chrono::hours(24 * back);
        const std::string session = "voice_" + std::to_string(back);
        UsageRecord record{session, "reply", utcDay(when), "https://voice.example.com", kModel, {}, {}};
        record.figures.tokens = {180 + back, 6'240 + 40 * back, 0, 512, 9'880 + 12 * back, 0, 226, 3'160 + 25 * back};
        record.figures.transcription.time = Milliseconds{94'000};
        record.figures.connected = Milliseconds{412'000 + 20'000 * back};
        record.figures.turns = 9;
        if (const auto estimated = estimate(kModel, record.figures.tokens)) {
            record.figures.nanoDollars = estimated->nanoDollars;
            record.pricesFrom = estimated->asOf;
        }
        m_all.push_back(std::move(record));
    }
}

BrokerUsage FakeUsageBook::asABrokerHasIt(const UsageQuery& query, bool hasMore)
{
    BrokerUsage usage{1, {}, 0};
    if (const auto here = sums(query); here && !here->empty()) {
        usage.figures = here->front().figures;
    }
    if (hasMore) {
        usage.figures.tokens.audioOut += 12'000;
        usage.figures.nanoDollars += 240'000'000;
        usage.reportedNanoDollars = 120'000'000;
    }
    return usage;
}

} // namespace vivavoce::offline
