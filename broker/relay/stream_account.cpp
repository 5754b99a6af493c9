#include "broker/relay/stream_account.h"

#include "core/base/random_id.h"
#include "net/timer.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/this_coro.hpp>

#include <utility>
#include <vector>

namespace vivavoce::broker::relay {
namespace {

namespace asio = boost::asio;
using namespace boost::asio::experimental::awaitable_operators;

using net::asTuple;
constexpr core::Milliseconds kSettlePatience{250};
/// It hears the provider out, and tells.
constexpr core::Milliseconds kFormersPatience{1'300};
constexpr core::Milliseconds kBetweenLooks{50};
/// The one that is on its way, and one that should have come.
constexpr int kMostTellingsUnderWay = 2;

usage::Account withStream(usage::Account account)
{
    account.stream = core::randomId();
    return account;
}

} // namespace

using core::Milliseconds;

StreamAccount::StreamAccount(
    usage::Account account, std::unique_ptr<StreamMeter> meter, usage::Ledger& ledger, const core::Clock& clock)
    : m_account(withStream(std::move(account))),
      m_ledger(ledger),
      m_clock(clock),
      m_meter(std::move(meter)),
      m_told(clock.now()),
      m_known{m_told},
      m_toldLast{m_told}
{
}

net::Awaitable<std::optional<Fault>> StreamAccount::ask(Question question)
{
    const auto until = std::chrono::steady_clock::now() + kFormersPatience;
    auto fault = co_await (m_ledger.*question)(m_account);
    while (fault && fault->code == FaultCode::Unavailable && std::chrono::steady_clock::now() < until) {
        net::Timer pause(co_await asio::this_coro::executor, kBetweenLooks);
        co_await pause.async_wait(asTuple);
        fault = co_await (m_ledger.*question)(m_account);
    }
    co_return fault;
}

net::Awaitable<std::optional<Fault>> StreamAccount::begin()
{
    // Nobody's budget needs to be asked for it.
    const bool isNeeded = !m_account.budgets.areUnlimited();
    std::optional<Fault> fault;
    if (isNeeded) {
        fault = co_await ask(&usage::Ledger::begin);
    } else {
        fault = co_await m_ledger.begin(m_account);
    }
    {
        const std::lock_guard lock(m_mutex);
        m_isHolder = !fault;
    }
    co_return isNeeded ? std::move(fault) : std::nullopt;
}

net::Awaitable<std::optional<Fault>> StreamAccount::outlastFormer()
{
    auto fault = co_await ask(&usage::Ledger::mayGoOn);
    co_return fault;
}

bool StreamAccount::isHolder() const
{
    const std::lock_guard lock(m_mutex);
    return m_isHolder;
}

void StreamAccount::opened()
{
    const std::lock_guard lock(m_mutex);
    m_since = m_clock.now();
    m_told = *m_since;
    m_known.at = m_toldLast.at = *m_since;
}

void StreamAccount::closed()
{
    const std::lock_guard lock(m_mutex);
    m_until = m_clock.now();
}

void StreamAccount::heard(const Verdict& passed)
{
    const std::lock_guard lock(m_mutex);
    m_meter->heard(passed.audio);
    if (!passed.asksForResponse) {
        m_meter->sent(passed.eventId, m_clock.now());
    }
    if (passed.isWaitedFor) {
        m_meter->answered();
    }
}

bool StreamAccount::mayAsk(std::string_view eventId)
{
    const std::lock_guard lock(m_mutex);
    return m_meter->mayAsk(eventId, m_clock.now());
}

std::vector<StreamMeter::Bill> StreamAccount::giveUpSilent()
{
    const std::lock_guard lock(m_mutex);
    auto bills = m_meter->giveUpSilent(m_clock.now());
    m_untold += bills.size();
    return bills;
}

std::optional<StreamMeter::Bill> StreamAccount::read(std::string& text)
{
    const std::lock_guard lock(m_mutex);
    auto bill = m_meter->read(text, m_clock.now());
    m_untold += bill && !bill->isTold ? 1 : 0;
    return bill;
}

bool StreamAccount::isBillDue() const
{
    const std::lock_guard lock(m_mutex);
    return m_meter->isBillDue(m_clock.now());
}

std::vector<std::string> StreamAccount::cancellations()
{
    const std::lock_guard lock(m_mutex);
    return m_meter->cancellations();
}

std::uint64_t StreamAccount::untold() const
{
    const std::lock_guard lock(m_mutex);
    return m_untold;
}

std::size_t StreamAccount::inputBytesPerMillisecond() const
{
    const std::lock_guard lock(m_mutex);
    return m_meter->inputBytesPerMillisecond();
}

bool StreamAccount::mayHoldWords() const
{
    const std::lock_guard lock(m_mutex);
    return m_meter->mayHoldWords();
}

usage::Entry StreamAccount::entryOf(const StreamMeter::Bill& bill) const
{
    usage::Entry entry;
    entry.account = m_account;
    // A provider that counts its responses from one again with each connection bills them again.
    entry.part = bill.part + ' ' + m_account.stream;
    entry.amounts = bill.amounts;
    return entry;
}

net::Awaitable<StreamAccount::Settled> StreamAccount::settle(StreamMeter::Bill bill)
{
    const auto isTold = std::make_shared<std::atomic<bool>>(false);
    std::vector<usage::Entry> entries;
    entries.push_back(entryOf(bill));
    entries.back().isTold = isTold;
    net::Timer patience(co_await asio::this_coro::executor, kSettlePatience);
    // What is given up here is told once more by the ledger itself, and counts once.
    const auto settled = co_await (m_ledger.record(std::move(entries)) || patience.async_wait(asTuple));
    const auto* const recorded = std::get_if<0>(&settled);
    if (recorded != nullptr && recorded->isTold) {
        co_return recorded->over.empty() ? Settled::GoesOn : Settled::Spent;
    }
    if (m_account.budgets.areUnlimited()) {
        co_return Settled::GoesOn;
    }
    {
        const std::lock_guard lock(m_mutex);
        m_lateBills.push_back({isTold, bill.amounts[usage::Measure::NanoDollars]});
    }
    co_return isBeyondHold() ? Settled::Unknown : Settled::GoesOn;
}

bool StreamAccount::isBeyondHold()
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_lateBills, [](const LateBill& bill) { return bill.isTold->load(); });
    if (m_isLastTold != nullptr && *m_isLastTold) {
        m_known = m_toldLast;
    }
    std::int64_t untold = m_toldLast.nanoDollars - m_known.nanoDollars;
    for (const LateBill& bill : m_lateBills) {
        untold += bill.nanoDollars;
    }
    const bool isTimeOut =
        m_account.budgets.boundTime() && m_toldLast.at - m_known.at >= kMostTellingsUnderWay * kTellEvery;
    return isTimeOut || (m_account.isMoneyBounded() && untold > m_account.hold);
}

usage::Entry StreamAccount::standing(std::string ending) const
{
    usage::Entry entry;
    entry.account = m_account;
    entry.part = "stream " + m_account.stream;
    const auto lasted = m_since ? m_until.value_or(m_clock.now()) - *m_since : core::MonotonicTime::duration{0};
    entry.amounts = m_meter->stream(std::chrono::duration_cast<Milliseconds>(lasted));
    entry.ending = std::move(ending);
    return entry;
}

std::optional<usage::Entry> StreamAccount::due()
{
    const std::lock_guard lock(m_mutex);
    const core::MonotonicTime now = m_clock.now();
    if (now - m_told < kTellEvery) {
        return std::nullopt;
    }
    m_told = now;
    usage::Entry entry = standing({});
    if (m_isLastTold != nullptr && *m_isLastTold) {
        m_known = m_toldLast;
    }
    m_isLastTold = std::make_shared<std::atomic<bool>>(false);
    m_toldLast = {m_until.value_or(now), entry.amounts[usage::Measure::NanoDollars]};
    entry.isTold = m_isLastTold;
    return entry;
}

net::Awaitable<> StreamAccount::close(std::string reason)
{
    std::vector<usage::Entry> entries;
    {
        const std::lock_guard lock(m_mutex);
        for (const StreamMeter::Bill& bill : m_meter->lastBills(m_clock.now())) {
            entries.push_back(entryOf(bill));
            m_untold += bill.isTold ? 0 : 1;
        }
        entries.push_back(standing(std::move(reason)));
        entries.back().isLast = true;
    }
    const auto recorded = co_await m_ledger.record(std::move(entries));
    static_cast<void>(recorded);
}

} // namespace vivavoce::broker::relay
