#pragma once

#include "core/ports/usage_book.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// A book in memory; the test says when the disk is full.
class FakeUsageBook final : public core::UsageBook {
public:
    core::Expected<void, core::Error> put(const std::vector<core::UsageRecord>& records) override
    {
        ++puts;
        if (writeFault) {
            return core::Unexpected<core::Error>(*writeFault);
        }
        for (const core::UsageRecord& record : records) {
            const auto known = std::find_if(all.begin(), all.end(), [&](const core::UsageRecord& each) {
                return each.session == record.session && each.part == record.part;
            });
            if (known == all.end()) {
                all.push_back(record);
            } else {
                const std::string day = known->day;
                *known = record;
                known->day = day;
            }
        }
        return {};
    }
    [[nodiscard]] core::Expected<std::vector<core::UsageSum>, core::Error> sums(const core::UsageQuery& query) override
    {
        if (readFault) {
            return core::Unexpected<core::Error>(*readFault);
        }
        std::map<std::string, std::pair<core::UsageSum, std::set<std::string>>> found;
        if (query.by == core::UsageGrouping::All) {
            found[""];
        }
        for (const core::UsageRecord& record : all) {
            const bool isMeant = record.day >= query.from && (query.to.empty() || record.day <= query.to)
                && (!query.broker || *query.broker == record.broker)
                && (!query.session || *query.session == record.session);
            if (isMeant) {
                auto& [sum, sessions] = found[keyOf(record, query.by)];
                sum.figures += record.figures;
                sessions.insert(record.session);
                sum.newestPrices = std::max(sum.newestPrices, record.pricesFrom);
                if (!record.pricesFrom.empty()) {
                    sum.oldestPrices =
                        sum.oldestPrices.empty() ? record.pricesFrom : std::min(sum.oldestPrices, record.pricesFrom);
                }
            }
        }
        std::vector<core::UsageSum> sums;
        for (auto& [key, one] : found) {
            one.first.key = key;
            one.first.sessions = static_cast<std::int64_t>(one.second.size());
            sums.insert(sums.begin(), one.first);
        }
        sums.resize(std::min(sums.size(), query.most));
        return sums;
    }
    core::Expected<void, core::Error> clear() override
    {
        all.clear();
        return {};
    }

    /// Of everything.
    [[nodiscard]] core::UsageFigures total() const
    {
        core::UsageFigures figures;
        for (const core::UsageRecord& record : all) {
            figures += record.figures;
        }
        return figures;
    }

    std::vector<core::UsageRecord> all;
    int puts = 0;
    std::optional<core::Error> writeFault;
    std::optional<core::Error> readFault;

private:
    [[nodiscard]] static std::string keyOf(const core::UsageRecord& record, core::UsageGrouping by)
    {
        switch (by) {
        case core::UsageGrouping::Day:
            return record.day;
        case core::UsageGrouping::Month:
            return record.day.substr(0, 7);
        case core::UsageGrouping::Model:
            return record.model;
        case core::UsageGrouping::Session:
            return record.session;
        case core::UsageGrouping::All:
            break;
        }
        return {};
    }
};

} // namespace vivavoce::tests
