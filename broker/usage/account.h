#pragma once

#include "broker/projects/budgets.h"
#include "broker/usage/amounts.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace vivavoce::broker::usage {

/// Whose account a session's usage goes to.
struct Account {
    std::string sessionId;
    /// auth::Caller::key.
    std::string caller;
    /// The same for people to read.
    std::string issuer;
    std::string subject;
    /// Empty: none.
    std::string project;
    std::string provider;
    std::string model;
    /// "direct", "relay".
    std::string transport;
    Budgets budgets;
    /// Held back all session long: the most that a turn can cost, in billionths of a US dollar.
    std::int64_t hold = 0;
    /// The session's stream that this is told of; empty: none.
    std::string stream{};

    /// There is a budget of money that it spends.
    [[nodiscard]] bool isMoneyBounded() const
    {
        return budgets.userDay.nanoDollars || budgets.userMonth.nanoDollars || budgets.projectDay.nanoDollars
            || budgets.projectMonth.nanoDollars;
    }
};

/// What one part of a session came to. The same part told again, with more or with the same in it, takes the place of what was told before:
/// nothing counts twice.
struct Entry {
    Account account;
    /// Names the part within its session: a stream, a response, a transcription. At most 160 bytes.
    std::string part;
    Amounts amounts;
    /// The client said so; nobody else could know.
    bool isReported = false;
    /// Why the session's stream ended, where this is the last of it.
    std::string ending{};
    /// Its stream has said all, whether it has an ending or not: nothing is held for it any more.
    bool isLast = false;
    /// Set once the ledger has it, however late that is; empty: nobody wants to know.
    std::shared_ptr<std::atomic<bool>> isTold{};
};

} // namespace vivavoce::broker::usage
