#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/base/voice_rates.h"
#include "core/ports/http_client.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::tests {

/// A broker that mints and renews at once, and knows a spent token when it sees one: the real one's rules for clients, without its limits.
/// Threads: one at a time. Lifetime: the clock outlives it.
class ScriptedBroker {
public:
    struct Options {
        /// Where its tokens open a door.
        std::string connectUrl;
        std::chrono::seconds life{60};
        std::chrono::seconds renewedAfter{48};
        /// The first token of a session is to be renewed at once.
        bool isFirstDue = false;
        /// Whose door it is.
        std::string provider = "openai";
        std::string auth = "bearer";
        std::string dialect = "openai-ga";
        core::VoiceRates rates{};
    };

    ScriptedBroker(const core::Clock& clock, Options options) : m_clock(clock), m_options(std::move(options)) {}

    [[nodiscard]] core::HttpClient::Response answer(const core::HttpClient::Request& request, std::string_view bearer);
    /// It opens a door: it is the latest of its session, and has not expired.
    [[nodiscard]] bool isGood(std::string_view token) const;
    /// The user's sessions are over: their tokens open nothing and are not renewed.
    void revokeAll() { m_sessions.clear(); }

    int mints = 0;
    int renewals = 0;
    /// Tokens that were asked for though the one before had not come near its time.
    int early = 0;
    /// Codes of what it refused.
    std::vector<std::string> refused;

private:
    struct Session {
        std::string token;
        core::MonotonicTime madeAt;
        /// What the present token was made from, and for which request.
        std::string spent;
        std::string key;
    };

    [[nodiscard]] core::HttpClient::Response mint(const core::HttpClient::Request& request);
    [[nodiscard]] core::HttpClient::Response renew(const core::HttpClient::Request& request, std::string_view bearer);
    [[nodiscard]] core::HttpClient::Response give(const std::string& id, bool isDue);
    void makeToken(Session& session);
    [[nodiscard]] core::HttpClient::Response refuse(int status, const std::string& code);

    const core::Clock& m_clock;
    Options m_options;
    std::map<std::string, Session> m_sessions;
    int m_tokens = 0;
};

/// Requests to it without a network.
class ScriptedBrokerClient final : public core::HttpClient {
public:
    ScriptedBrokerClient(ScriptedBroker& broker, core::Executor& executor) : m_broker(broker), m_executor(executor) {}

    [[nodiscard]] std::unique_ptr<core::HttpCall> send(Request request, Callback done) override;

private:
    ScriptedBroker& m_broker;
    core::Executor& m_executor;
};

} // namespace vivavoce::tests
