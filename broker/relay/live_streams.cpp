#include "broker/relay/live_streams.h"

#include <utility>
#include <vector>

namespace vivavoce::broker::relay {

void LiveStreams::add(const std::shared_ptr<RelaySession>& stream)
{
    std::shared_ptr<RelaySession> former;
    {
        const std::lock_guard lock(m_mutex);
        former = std::exchange(m_streams[stream->sessionId()], stream);
    }
    if (former != nullptr) {
        former->end({closing::kTakenOver, "taken_over"});
    }
}

void LiveStreams::remove(const std::shared_ptr<RelaySession>& stream)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_streams.find(stream->sessionId());
    if (found != m_streams.end() && found->second == stream) {
        m_streams.erase(found);
    }
}

std::size_t LiveStreams::count() const
{
    const std::lock_guard lock(m_mutex);
    return m_streams.size();
}

std::unordered_map<std::string, std::shared_ptr<RelaySession>> LiveStreams::all() const
{
    const std::lock_guard lock(m_mutex);
    return m_streams;
}

std::shared_ptr<StreamAllowance> LiveStreams::allowanceOf(
    const std::string& sessionId, const RelaySession::Settings& settings)
{
    const std::lock_guard lock(m_mutex);
    auto& allowance = m_allowances[sessionId];
    if (allowance == nullptr) {
        allowance = std::make_shared<StreamAllowance>(settings.messagesPerMinute, settings.audioPerMinute);
    }
    return allowance;
}

void LiveStreams::forgetWhole(core::MonotonicTime now)
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(
        m_allowances, [&](const auto& entry) { return entry.second.use_count() == 1 && entry.second->isWhole(now); });
}

net::Awaitable<> LiveStreams::look(SessionRegistry& registry, const core::Clock& clock)
{
    forgetWhole(clock.now());
    const auto streams = all();
    if (streams.empty()) {
        co_return;
    }
    std::vector<std::string> ids;
    ids.reserve(streams.size());
    for (const auto& [id, stream] : streams) {
        ids.push_back(id);
    }
    const auto expiries = co_await registry.expiriesOf(std::move(ids));
    const core::WallTime now = clock.wallNow();
    for (const auto& [id, stream] : streams) {
        if (expiries) {
            const auto found = expiries->find(id);
            if (found == expiries->end()) {
                stream->end({closing::kSessionEnded, "session_ended"});
                continue;
            }
            stream->renewedUntil(found->second);
        }
        stream->endIfOver(now);
    }
}

net::Awaitable<> LiveStreams::giveWay(usage::Ledger& ledger)
{
    const auto streams = all();
    std::vector<std::string> ids;
    for (const auto& [id, stream] : streams) {
        // Asked before the ledger is: it may have been entered there since.
        if (stream->account().isHolder()) {
            ids.push_back(id);
        }
    }
    if (ids.empty()) {
        co_return;
    }
    const auto holders = co_await ledger.holders(std::move(ids));
    for (const auto& [id, holder] : holders) {
        const auto& stream = streams.at(id);
        if (holder != stream->account().account().stream) {
            stream->end({closing::kTakenOver, "taken_over"});
        }
    }
}

net::Awaitable<> LiveStreams::tell(usage::Ledger& ledger)
{
    co_await giveWay(ledger);
    const auto streams = all();
    std::vector<usage::Entry> entries;
    for (const auto& [id, stream] : streams) {
        if (auto entry = stream->account().due()) {
            entries.push_back(std::move(*entry));
        }
    }
    if (entries.empty()) {
        co_return;
    }
    const auto over = co_await ledger.record(std::move(entries));
    for (const std::string& id : over) {
        if (const auto found = streams.find(id); found != streams.end()) {
            found->second->end({closing::kBudgetExhausted, "budget_exhausted"});
        }
    }
}

} // namespace vivavoce::broker::relay
