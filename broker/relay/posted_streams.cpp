#include "broker/relay/posted_streams.h"

#include "broker/relay/close_codes.h"
#include "core/base/random_id.h"

#include <utility>

namespace vivavoce::broker::relay {
namespace {

/// For the last words of a stream that has ended.
constexpr core::Milliseconds kFarewell{30'000};

} // namespace

std::shared_ptr<PostedClient> PostedStreams::find(const std::string& sessionId) const
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_clients.find(sessionId);
    return found == m_clients.end() ? nullptr : found->second;
}

std::shared_ptr<PostedClient> PostedStreams::open(
    const std::string& sessionId, const net::IoExecutor& executor, Run run)
{
    auto client = std::make_shared<PostedClient>(executor, m_limits, core::randomId());
    {
        const std::lock_guard lock(m_mutex);
        if (m_isGoing) {
            return nullptr;
        }
        auto& place = m_clients[sessionId];
        if (place != nullptr && !place->isOver()) {
            return place;
        }
        place = client;
    }
    if (!m_tasks.spawn(executor, hold(sessionId, client, std::move(run)))) {
        forget(sessionId, *client);
        return nullptr;
    }
    return client;
}

net::Awaitable<> PostedStreams::hold(std::string sessionId, std::shared_ptr<PostedClient> client, Run run)
{
    bool hasFailed = false;
    try {
        co_await run(*client);
    } catch (const std::exception&) {
        hasFailed = true;
    }
    if (hasFailed) {
        co_await client->close(closing::kInternal, "internal");
    }
    co_await client->farewell(kFarewell);
    forget(sessionId, *client);
}

void PostedStreams::forget(const std::string& sessionId, const PostedClient& client)
{
    const std::lock_guard lock(m_mutex);
    const auto found = m_clients.find(sessionId);
    if (found != m_clients.end() && found->second.get() == &client) {
        m_clients.erase(found);
    }
}

void PostedStreams::goAway()
{
    Clients clients;
    {
        const std::lock_guard lock(m_mutex);
        m_isGoing = true;
        clients = m_clients;
    }
    for (const auto& [id, client] : clients) {
        client->hangUp({closing::kGoingAway, "the server is going away"});
    }
}

} // namespace vivavoce::broker::relay
