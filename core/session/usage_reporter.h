#pragma once

#include "core/base/clock.h"
#include "core/base/executor.h"
#include "core/ports/http_client.h"
#include "core/session/session_effect.h"
#include "core/token/credential_source.h"

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// Tells a broker what sessions came to that go to the provider directly (`POST /api/voice/usage`): nobody else could. It is told what the
/// provider bills, never what was said. In the background: what cannot be told is tried again, and given up where the broker refuses it,
/// or a credential that does not change.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it; what it has not told by its end stays untold.
class UsageReporter {
public:
    struct Dependencies {
        HttpClient& http;
        const Clock& clock;
        Executor& executor;
        /// "https://broker.example" without a trailing slash.
        std::string baseUrl;
        std::shared_ptr<CredentialSource> credential;
        /// Empty: nobody writes down what the user says.
        std::string transcriptionModel;
    };

    explicit UsageReporter(Dependencies dependencies) : m_deps(std::move(dependencies)) {}

    void told(const SessionNotice& notice);
    /// All that it knows has been told.
    [[nodiscard]] bool isDone() { return !m_isAsking && m_call == nullptr && nextToTell() == nullptr; }

private:
    struct Session {
        std::string id;
        Milliseconds connected{0};
        std::int64_t toolCalls = 0;
        std::deque<std::string> events;
        /// More than was told.
        bool isNews = false;
    };

    [[nodiscard]] Session* current() { return m_isDirect && !m_sessions.empty() ? &m_sessions.back() : nullptr; }
    [[nodiscard]] Session* nextToTell();
    void tokenChanged(const session_notice::TokenChanged& changed);
    void phaseChanged(Phase phase);
    void addEvent(std::string event);
    /// The time since it was last looked at.
    void countTime();
    void tell();
    /// Nothing: there is no credential to tell it with.
    void send(std::optional<HttpClient::Request> request, const std::string& id, std::size_t events);
    void tellLater(Milliseconds delay);
    /// Until there is news, and a credential that was not refused.
    void rest();
    void answered(const std::string& id, std::size_t events, const Expected<HttpClient::Response, Error>& answer);

    Dependencies m_deps;
    std::deque<Session> m_sessions;
    bool m_isDirect = false;
    bool m_isLive = false;
    MonotonicTime m_countedUntil{};
    /// For the credential, before m_call.
    bool m_isAsking = false;
    /// Not kept for its sake: whoever it is of may sign out.
    CredentialPtr::weak_type m_shown;
    /// For good. Nothing: none was.
    std::optional<CredentialPtr::weak_type> m_refused;
    std::unique_ptr<HttpCall> m_call;
    std::unique_ptr<Timer> m_timer;
    /// A credential that comes late finds nothing here when we are gone.
    std::shared_ptr<UsageReporter*> m_self = std::make_shared<UsageReporter*>(this);
};

} // namespace vivavoce::core
