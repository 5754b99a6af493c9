#include "broker/relay/live_streams.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace vivavoce::broker::relay {

namespace {

void endTakenOver(const std::shared_ptr<RelaySession>& former)
{
    if (former != nullptr) {
        former->end({closing::kTakenOver, "taken_over"});
    }
}

void endOfSession(RelaySession& stream)
{
    stream.end({closing::kSessionEnded, "session_ended"});
}

SessionRecord sessionOf(const RelaySession& stream)
{
    const usage::Account& account = stream.account().account();
    SessionRecord session;
    session.id = account.sessionId;
    session.transport = SessionTransport::Relay;
    session.caller = account.caller;
    session.issuer = account.issuer;
    session.subject = account.subject;
    session.project = account.project;
    session.model = account.model;
    return session;
}

} // namespace

void LiveStreams::add(const std::shared_ptr<RelaySession>& stream)
{
    std::shared_ptr<RelaySession> former;
    {
        const std::lock_guard lock(m_mutex);
        former = std::exchange(m_coming[stream->sessionId()], stream);
    }
    endTakenOver(former);
}

void LiveStreams::takePlace(const std::shared_ptr<RelaySession>& stream)
{
    std::shared_ptr<RelaySession> former;
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_coming.find(stream->sessionId());
        if (found == m_coming.end() || found->second != stream) {
            // A later one is on its way, and this one has been told so.
            return;
        }
        m_coming.erase(found);
        former = std::exchange(m_streams[stream->sessionId()], stream);
    }
    endTakenOver(former);
}

void LiveStreams::remove(const std::shared_ptr<RelaySession>& stream)
{
    const std::lock_guard lock(m_mutex);
    for (BySession* const streams : {&m_streams, &m_coming}) {
        const auto found = streams->find(stream->sessionId());
        if (found != streams->end() && found->second == stream) {
            streams->erase(found);
        }
    }
}

bool LiveStreams::hasOther(const RelaySession& stream) const
{
    const auto isOther = [&](const BySession& streams) {
        const auto found = streams.find(stream.sessionId());
        return found != streams.end() && found->second.get() != &stream;
    };
    const std::lock_guard lock(m_mutex);
    return isOther(m_streams) || isOther(m_coming);
}

std::size_t LiveStreams::count() const
{
    const std::lock_guard lock(m_mutex);
    return m_streams.size() + m_coming.size();
}

std::vector<std::shared_ptr<RelaySession>> LiveStreams::all() const
{
    const std::lock_guard lock(m_mutex);
    std::vector<std::shared_ptr<RelaySession>> streams;
    streams.reserve(m_streams.size() + m_coming.size());
    for (const BySession* const some : {&m_streams, &m_coming}) {
        for (const auto& [id, stream] : *some) {
            streams.push_back(stream);
        }
    }
    return streams;
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
    for (const auto& stream : streams) {
        ids.push_back(stream->sessionId());
    }
    const auto expiries = co_await registry.expiriesOf(std::move(ids));
    const core::WallTime now = clock.wallNow();
    for (const auto& stream : streams) {
        if (expiries) {
            const auto found = expiries->find(stream->sessionId());
            if (found == expiries->end()) {
                endOfSession(*stream);
                continue;
            }
            stream->renewedUntil(found->second);
        }
        stream->endIfOver(now);
    }
}

net::Awaitable<> LiveStreams::giveWay(usage::Ledger& ledger)
{
    auto streams = all();
    // Asked before the ledger is: it may have been entered there since.
    std::erase_if(streams, [](const auto& stream) { return !stream->account().isHolder(); });
    if (streams.empty()) {
        co_return;
    }
    std::vector<std::string> ids;
    ids.reserve(streams.size());
    for (const auto& stream : streams) {
        ids.push_back(stream->sessionId());
    }
    const auto holders = co_await ledger.holders(std::move(ids));
    for (const auto& stream : streams) {
        const auto found = holders.find(stream->sessionId());
        if (found != holders.end() && found->second != stream->account().account().stream) {
            endTakenOver(stream);
        }
    }
}

net::Awaitable<> LiveStreams::tell(usage::Ledger& ledger)
{
    co_await giveWay(ledger);
    const auto streams = all();
    std::vector<usage::Entry> entries;
    for (const auto& stream : streams) {
        if (auto entry = stream->account().due()) {
            entries.push_back(std::move(*entry));
        }
    }
    if (!entries.empty()) {
        const auto recorded = co_await ledger.record(std::move(entries));
        endSpent(recorded.over);
    }
    for (const auto& stream : streams) {
        if (stream->account().isBeyondHold()) {
            stream->end({closing::kTryAgainLater, "unavailable"});
        }
    }
}

void LiveStreams::endSpent(const std::vector<std::string>& sessions)
{
    if (sessions.empty()) {
        return;
    }
    for (const auto& stream : all()) {
        if (std::find(sessions.begin(), sessions.end(), stream->sessionId()) != sessions.end()) {
            stream->end({closing::kBudgetExhausted, "budget_exhausted"});
        }
    }
}

std::vector<SessionRecord> LiveStreams::sessions(const Which& which) const
{
    std::vector<SessionRecord> found;
    for (const auto& stream : all()) {
        if (stream->isToldToEnd()) {
            continue;
        }
        SessionRecord session = sessionOf(*stream);
        if (which(session)) {
            found.push_back(std::move(session));
        }
    }
    return found;
}

void LiveStreams::endAllOf(const std::vector<SessionRecord>& sessions)
{
    std::unordered_set<std::string_view> ids;
    for (const SessionRecord& session : sessions) {
        ids.insert(session.id);
    }
    for (const auto& stream : all()) {
        if (ids.contains(stream->sessionId())) {
            endOfSession(*stream);
        }
    }
}

} // namespace vivavoce::broker::relay
