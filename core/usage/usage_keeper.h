#pragma once

#include "core/base/clock.h"
#include "core/ports/usage_book.h"
#include "core/session/session_effect.h"
#include "core/usage/price_list.h"

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>

namespace vivavoce::core {

/// Writes down what a conversation comes to, turn by turn, with the price of that day. What cannot be written is tried again with what comes next,
/// some seconds later at the earliest, and at the conversation's end; of more than a thousand parts that wait the oldest are given up.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it; at its end it writes what is open.
class UsageKeeper {
public:
    struct Dependencies {
        UsageBook& book;
        const Clock& clock;
        /// Its address; empty: the agent of this computer, which costs nothing whatever it calls itself.
        std::string broker;
        /// Once for each time that writing begins to fail.
        std::function<void(const Error&)> failed;
        const PriceList& prices = PriceList::builtIn();
    };

    explicit UsageKeeper(Dependencies dependencies) : m_deps(std::move(dependencies)) {}
    ~UsageKeeper();
    UsageKeeper(const UsageKeeper&) = delete;
    UsageKeeper& operator=(const UsageKeeper&) = delete;

    void told(const SessionNotice& told);

private:
    void tokenChanged(const session_notice::TokenChanged& changed);
    void phaseChanged(Phase phase);
    void replyCame(const session_notice::ReplyUsage& reply);
    void wordsCame(const session_notice::TranscriptionUsage& words);
    /// The time since it was last looked at, to the days that it was in.
    void countTime();
    void addConnection();
    [[nodiscard]] const PriceRow* priceOf(const std::string& model) const;
    [[nodiscard]] UsageRecord record(std::string part, std::string model) const;
    void add(UsageRecord record);
    void write(bool isLast);

    Dependencies m_deps;
    std::string m_session;
    std::string m_model;
    bool m_isLive = false;
    MonotonicTime m_countedUntil{};
    /// Of the session, by day.
    std::map<std::string, Milliseconds> m_connected;
    /// Of them, what has grown since it was added.
    std::set<std::string> m_grown;
    std::deque<UsageRecord> m_waiting;
    bool m_isFailing = false;
    MonotonicTime m_notBefore{};
};

} // namespace vivavoce::core
