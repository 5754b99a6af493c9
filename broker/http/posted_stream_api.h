#pragma once

#include "broker/http/stream_opener.h"
#include "broker/relay/posted_streams.h"

#include <memory>
#include <string>
#include <vector>

namespace vivavoce::broker::http {

/// The relay for clients without WebSockets: POST /api/voice/stream says something in the session whose token it bears, and what is said back
/// comes as server-sent events (WHATWG HTML §9.2) to whoever asks for them. The session's stream goes on between the posts.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class PostedStreamApi {
public:
    struct Dependencies {
        Entrance& entrance;
        std::shared_ptr<StreamOpener> opener;
        std::shared_ptr<relay::PostedStreams> streams;
        const core::Clock& clock;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };

    explicit PostedStreamApi(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    [[nodiscard]] net::Awaitable<net::HttpResponse> post(const net::HttpRequest& request);

private:
    /// The session's client, from before or new; or the answer.
    [[nodiscard]] net::Awaitable<core::Expected<std::shared_ptr<relay::PostedClient>, net::HttpResponse>> clientOf(
        StreamOpener::Visitor visitor, std::string requestId, bool isComingBack);

    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
