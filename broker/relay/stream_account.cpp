#include "broker/relay/stream_account.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>
#include <vector>

namespace vivavoce::broker::relay {
namespace {

namespace asio = boost::asio;
using namespace boost::asio::experimental::awaitable_operators;

constexpr auto asTuple = asio::as_tuple(asio::use_awaitable);
constexpr core::Milliseconds kSettlePatience{250};

} // namespace

using core::Milliseconds;

void StreamAccount::heard(Milliseconds audio)
{
    const std::lock_guard lock(m_mutex);
    m_meter.heard(audio);
}

std::optional<SessionMeter::Bill> StreamAccount::read(const MessageScan& scan, std::string_view text)
{
    const std::lock_guard lock(m_mutex);
    return m_meter.read(scan, text);
}

std::size_t StreamAccount::inputBytesPerMillisecond() const
{
    const std::lock_guard lock(m_mutex);
    return m_meter.inputBytesPerMillisecond();
}

net::Awaitable<bool> StreamAccount::settle(SessionMeter::Bill bill)
{
    usage::Entry entry;
    entry.account = m_account;
    // A provider that counts its responses from one again with each connection bills them again.
    entry.part = bill.part + ' ' + m_stream;
    entry.amounts = bill.amounts;
    std::vector<usage::Entry> entries;
    entries.push_back(std::move(entry));
    asio::steady_timer patience(co_await asio::this_coro::executor, kSettlePatience);
    // What is given up here is told once more by the ledger itself, and counts once.
    const auto settled = co_await (m_ledger.record(std::move(entries)) || patience.async_wait(asTuple));
    const auto* const over = std::get_if<0>(&settled);
    co_return over == nullptr || over->empty();
}

usage::Entry StreamAccount::standing(std::string ending) const
{
    usage::Entry entry;
    entry.account = m_account;
    entry.part = "stream " + m_stream;
    entry.amounts = m_meter.stream(std::chrono::duration_cast<Milliseconds>(m_clock.now() - m_since));
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
    return standing({});
}

net::Awaitable<> StreamAccount::close(std::string reason)
{
    std::vector<usage::Entry> entries;
    {
        const std::lock_guard lock(m_mutex);
        entries.push_back(standing(std::move(reason)));
    }
    const auto over = co_await m_ledger.record(std::move(entries));
    static_cast<void>(over);
}

} // namespace vivavoce::broker::relay
