#pragma once

#include "broker/alerts/alert.h"
#include "broker/alerts/alert_settings.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "net/awaitable.h"
#include "net/http_client.h"

#include <functional>
#include <memory>

namespace vivavoce::broker::alerts {

/// Port: a way to tell operators of something.
/// Threads: [any thread]; one `send` at a time.
class AlertChannel {
public:
    using Sent = core::Expected<void, core::Error>;

    virtual ~AlertChannel() = default;

    /// One attempt, of bounded time; it may come twice where nobody knows whether the first one did. Errors: any; `detail` holds nothing of
    /// where it goes to, and nothing of what was answered.
    [[nodiscard]] virtual net::Awaitable<Sent> send(Alert alert) = 0;
};

using Fetch = std::function<net::Awaitable<core::Expected<net::ClientResponse, core::Error>>(net::ClientRequest)>;

/// What a channel is made of. `fetch` and clock outlive it.
struct ChannelParts {
    Fetch fetch;
    const core::Clock& clock;
};
[[nodiscard]] std::shared_ptr<AlertChannel> makeChannel(const ChannelSettings& settings, const ChannelParts& parts);

} // namespace vivavoce::broker::alerts
