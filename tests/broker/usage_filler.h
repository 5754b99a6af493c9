#pragma once

#include "broker/store/database.h"
#include "tests/broker/broker_harness.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace vivavoce::tests {

/// The ledger's tables with many sessions in them, made by the database itself.
class UsageFiller {
public:
    struct Wanted {
        std::int64_t sessions = 2'500;
        std::int64_t days = 100;
        /// Of the test's clock: 2027-01-15. None of its sessions is of a later day.
        std::int64_t today = 20'833;
        std::int64_t users = 300;
        std::int64_t projects = 20;
    };

    /// Makes the tables. Throws where that cannot be.
    explicit UsageFiller(const std::string& url);
    /// In one transaction: the sessions, and the days as they would be had each session been told of on the day that it began.
    void fill(const Wanted& wanted);
    /// As the broker does each second, until nothing is left to be closed. How often that was.
    int closeDays(core::WallTime now, std::size_t atOnce = 10'000);
    /// In a transaction. Throws where it fails.
    void run(const std::function<void(broker::Connection&)>& work);

    [[nodiscard]] static std::string userNamed(std::int64_t number);
    [[nodiscard]] static std::string projectNamed(std::int64_t number);

private:
    NetThreads m_threads;
    CapturedLog m_log;
    std::unique_ptr<broker::Database> m_database;
};

} // namespace vivavoce::tests
