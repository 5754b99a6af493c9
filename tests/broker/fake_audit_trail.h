#pragma once

#include "broker/audit/audit_trail.h"

#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace vivavoce::tests {

/// A trail in memory that stores at once, or fails as the test says.
class FakeAuditTrail final : public broker::AuditTrail {
public:
    [[nodiscard]] net::Awaitable<Appended> append(broker::AuditRecord record) override
    {
        const std::lock_guard lock(m_mutex);
        if (m_failure) {
            return answer(core::Unexpected<broker::AuditFailure>(*m_failure));
        }
        m_records.push_back(std::move(record));
        return answer(Appended());
    }

    [[nodiscard]] bool isWorking() const override
    {
        const std::lock_guard lock(m_mutex);
        return !m_failure || !m_isNoticed;
    }

    /// From now on; nothing makes it work again. Where it is not noticed, the trail calls itself working all the same.
    void failWith(std::optional<broker::AuditFailure> failure, bool isNoticed = true)
    {
        const std::lock_guard lock(m_mutex);
        m_failure = failure;
        m_isNoticed = isNoticed;
    }
    [[nodiscard]] std::vector<broker::AuditRecord> records() const
    {
        const std::lock_guard lock(m_mutex);
        return m_records;
    }

private:
    [[nodiscard]] static net::Awaitable<Appended> answer(Appended result) { co_return result; }

    mutable std::mutex m_mutex;
    std::optional<broker::AuditFailure> m_failure;
    bool m_isNoticed = true;
    std::vector<broker::AuditRecord> m_records;
};

} // namespace vivavoce::tests
