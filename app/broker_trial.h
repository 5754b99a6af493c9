#pragma once

#include "core/base/error.h"
#include "core/ports/http_client.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::app {

/// Asks a broker whether it is there, by the document that says where its users sign in. A broker without one is there, too.
/// Threads: the executor's own thread. Lifetime: its client outlives it.
class BrokerTrial {
public:
    /// Nothing: it is there. Broker…, Timeout otherwise.
    using Done = std::function<void(std::optional<core::Error>)>;

    explicit BrokerTrial(core::HttpClient& http) : m_http(http) {}

    /// Takes the place of a question that has no answer yet, which gets none.
    void ask(const std::string& url, Done done);

private:
    core::HttpClient& m_http;
    std::unique_ptr<core::HttpCall> m_call;
};

} // namespace vivavoce::app
