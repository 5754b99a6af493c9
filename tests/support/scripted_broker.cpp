#include "tests/support/scripted_broker.h"

#include "core/protocol/broker/messages.h"

#include <algorithm>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

class Call final : public HttpCall {
public:
    explicit Call(std::shared_ptr<HttpClient::Callback> done) : m_done(std::move(done)) {}
    ~Call() override { *m_done = nullptr; }

private:
    std::shared_ptr<HttpClient::Callback> m_done;
};

} // namespace

HttpClient::Response ScriptedBroker::answer(const HttpClient::Request& request, std::string_view bearer)
{
    if (request.url.ends_with("/api/voice-agent/token")) {
        return mint(request);
    }
    return request.url.ends_with("/api/voice-agent/refresh-token") ? renew(request, bearer) : refuse(404, "not_found");
}

HttpClient::Response ScriptedBroker::mint(const HttpClient::Request& request)
{
    const auto asked = broker::decodeTokenRequest(request.body);
    if (!asked) {
        return refuse(400, "invalid_request");
    }
    std::string id = asked->resumeSessionId.value_or(std::string());
    if (!id.empty() && !m_sessions.contains(id)) {
        return refuse(404, "session_not_found");
    }
    ++mints;
    const bool isNew = id.empty();
    if (isNew) {
        id = "voice_1_" + std::to_string(mints);
    }
    makeToken(m_sessions[id]);
    return give(id, isNew && m_options.isFirstDue);
}

HttpClient::Response ScriptedBroker::renew(const HttpClient::Request& request, std::string_view bearer)
{
    const auto key = request.headers.find("Idempotency-Key");
    if (!key || !broker::decodeRefreshRequest(request.body)) {
        return refuse(400, "invalid_request");
    }
    const auto found = std::find_if(m_sessions.begin(), m_sessions.end(),
        [&](const auto& one) { return one.second.token == bearer || one.second.spent == bearer; });
    if (found == m_sessions.end()) {
        return refuse(401, "token_invalid");
    }
    auto& [id, session] = *found;
    if (session.spent == bearer) {
        if (session.key != *key) {
            // It may have been stolen, and nobody knows by whom.
            m_sessions.erase(found);
            return refuse(401, "token_reused");
        }
        return give(id, false);
    }
    if (!isGood(bearer)) {
        return refuse(401, "token_expired");
    }
    ++renewals;
    session.spent = session.token;
    session.key = *key;
    makeToken(session);
    return give(id, false);
}

void ScriptedBroker::makeToken(Session& session)
{
    const MonotonicTime now = m_clock.now();
    // A tenth earlier is what a client may do so that not all come at once.
    if (!session.token.empty() && !m_options.isFirstDue && now - session.madeAt < m_options.renewedAfter * 9 / 10) {
        ++early;
    }
    session.token = "ek_" + std::to_string(++m_tokens);
    session.madeAt = now;
}

bool ScriptedBroker::isGood(std::string_view token) const
{
    return std::any_of(m_sessions.begin(), m_sessions.end(), [&](const auto& one) {
        return one.second.token == token && m_clock.now() - one.second.madeAt < m_options.life;
    });
}

HttpClient::Response ScriptedBroker::give(const std::string& id, bool isDue)
{
    const Session& session = m_sessions.at(id);
    broker::TokenResponse token;
    token.token = Secret(session.token);
    token.sessionId = id;
    token.expiresIn = m_options.life.count();
    token.expiresAt = std::chrono::floor<std::chrono::seconds>(m_clock.wallNow()) + m_options.life;
    token.refreshAfter = token.expiresAt - (isDue ? m_options.life : m_options.life - m_options.renewedAfter);
    token.provider = m_options.provider;
    token.model = "scripted";
    token.connect.url = m_options.connectUrl;
    token.connect.auth = m_options.auth;
    token.connect.dialect = m_options.dialect;
    token.connect.audio.rates = m_options.rates;
    return {200, {}, broker::encode(token)};
}

HttpClient::Response ScriptedBroker::refuse(int status, const std::string& code)
{
    refused.push_back(code);
    broker::Problem problem;
    problem.type = "about:blank";
    problem.title = code;
    problem.status = status;
    problem.code = code;
    return {status, {}, broker::encode(problem)};
}

std::unique_ptr<HttpCall> ScriptedBrokerClient::send(Request request, Callback done)
{
    const auto waiting = std::make_shared<Callback>(std::move(done));
    m_executor.post([this, request = std::move(request), waiting] {
        if (*waiting) {
            const std::string bearer(request.bearer == nullptr ? std::string_view() : request.bearer->reveal());
            const auto answer = std::exchange(*waiting, nullptr);
            answer(m_broker.answer(request, bearer));
        }
    });
    return std::make_unique<Call>(waiting);
}

} // namespace vivavoce::tests
