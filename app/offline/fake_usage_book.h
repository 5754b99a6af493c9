#pragma once

#include "core/base/clock.h"
#include "core/ports/usage_book.h"
#include "core/usage/broker_ledger.h"

#include <vector>

namespace vivavoce::offline {

/// Figures of somebody who has talked for some months; forgets at the end.
class FakeUsageBook final : public core::UsageBook {
public:
    core::Expected<void, core::Error> put(const std::vector<core::UsageRecord>& records) override;
    [[nodiscard]] core::Expected<std::vector<core::UsageSum>, core::Error> sums(const core::UsageQuery& query) override;
    core::Expected<void, core::Error> clear() override;
    /// A conversation on each of some days before that one.
    void fill(core::WallTime today);
    void setBroken() { m_isBroken = true; }
    /// What a broker with the same in its books says; where it has more, somebody talks from elsewhere as well.
    [[nodiscard]] core::BrokerUsage asABrokerHasIt(const core::UsageQuery& query, bool hasMore);

private:
    std::vector<core::UsageRecord> m_all;
    bool m_isBroken = false;
};

} // namespace vivavoce::offline
