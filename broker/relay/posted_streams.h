#pragma once

#include "broker/relay/posted_client.h"
#include "net/task_group.h"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace vivavoce::broker::relay {

/// The clients without WebSockets, each with the stream that goes on between its requests.
/// Threads: [any thread]. Lifetime: shared with requests.
class PostedStreams {
public:
    /// Runs on the client's executor.
    using Run = std::function<net::Awaitable<>(net::WebSocketSession&)>;

    PostedStreams(net::IoExecutor executor, PostedClient::Limits limits)
        : m_limits(limits), m_tasks(std::move(executor))
    {
    }

    /// That session's; nothing where none goes on, or none whose last words nobody has fetched.
    [[nodiscard]] std::shared_ptr<PostedClient> find(const std::string& sessionId) const;
    /// Begins one there, or gives the one that another request has begun meanwhile. Nothing: the broker goes.
    [[nodiscard]] std::shared_ptr<PostedClient> open(
        const std::string& sessionId, const net::IoExecutor& executor, Run run);
    /// Ends all, and lets no more begin.
    void goAway();
    [[nodiscard]] net::Awaitable<bool> join(core::Milliseconds deadline) { return m_tasks.join(deadline); }

private:
    using Clients = std::unordered_map<std::string, std::shared_ptr<PostedClient>>;

    [[nodiscard]] net::Awaitable<> hold(std::string sessionId, std::shared_ptr<PostedClient> client, Run run);
    void forget(const std::string& sessionId, const PostedClient& client);

    const PostedClient::Limits m_limits;
    mutable std::mutex m_mutex;
    Clients m_clients;
    bool m_isGoing = false;
    net::TaskGroup m_tasks;
};

} // namespace vivavoce::broker::relay
