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
#include <string>

namespace vivavoce::broker::alerts {

/// Port: a way to tell operators of something.
/// Threads: [any thread]; one `send` at a time.
class AlertChannel {
public:
    using Sent = core::Expected<void, core::Error>;

    virtual ~AlertChannel() = default;

    /// One attempt, of bounded time; it may come twice where nobody knows whether the first one did. Errors: any; `detail` holds nothing of
    /// where it goes to, and nothing of what was answered but its status, which is the error's `foreignCode`.
    [[nodiscard]] virtual net::Awaitable<Sent> send(Alert alert) = 0;
};

/// Why an attempt failed, for the log and for whoever lists alerts.
struct ChannelFault {
    /// Stable: "channel.answered", "channel.unreachable", "channel.timeout", "channel.malformed", "channel.login_refused", "channel.busy",
    /// "channel.stopped", "channel.failed".
    std::string reason;
    /// What it answered: a status of HTTP, or of a mail server; 0: nothing.
    int status = 0;
};
/// Pure.
[[nodiscard]] ChannelFault channelFaultOf(const core::Error& error);
/// One text of both, as it is kept, and both of one. Pure.
[[nodiscard]] std::string writeChannelFault(const ChannelFault& fault);
[[nodiscard]] ChannelFault readChannelFault(const std::string& text);

using Fetch = std::function<net::Awaitable<core::Expected<net::ClientResponse, core::Error>>(net::ClientRequest)>;

/// What a channel is made of. `fetch` and clock outlive it.
struct ChannelParts {
    Fetch fetch;
    const core::Clock& clock;
};
[[nodiscard]] std::shared_ptr<AlertChannel> makeChannel(const ChannelSettings& settings, const ChannelParts& parts);

} // namespace vivavoce::broker::alerts
