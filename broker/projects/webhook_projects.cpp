#include "broker/projects/webhook_projects.h"

#include "broker/projects/policy_json.h"
#include "broker/webhook_signature.h"
#include "core/base/json.h"
#include "core/base/random_id.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::broker {
namespace {

using core::Json;
using std::chrono::seconds;

constexpr std::size_t kMaxAnswerBytes = 64 * 1024;
constexpr seconds kTryAgain{5};

core::Unexpected<Fault> isAway()
{
    return core::Unexpected<Fault>(
        Fault{FaultCode::Unavailable, "the caller's projects cannot be found out now", kTryAgain});
}

/// Nothing: it is not an answer.
std::optional<ProjectDirectory::Answer> readAnswer(const std::string& body)
{
    const auto json = core::parseJson(body);
    if (!json || !json->is_object()) {
        return std::nullopt;
    }
    const auto allowed = json->find("allowed");
    if (allowed == json->end() || !allowed->is_boolean()) {
        return std::nullopt;
    }
    if (!allowed->get<bool>()) {
        return projectNotAllowed();
    }
    const auto policy = json->find("policy");
    if (policy == json->end()) {
        return Policy{};
    }
    auto read = readPolicy(*policy);
    return read ? std::optional<ProjectDirectory::Answer>(std::move(*read)) : std::nullopt;
}

} // namespace

/// Lands the flight of whoever asks, however that ends.
class WebhookProjects::Errand {
public:
    Errand(WebhookProjects& owner, std::string key) : m_owner(owner), m_key(std::move(key)) {}
    ~Errand()
    {
        std::shared_ptr<Flight> flight;
        {
            const std::lock_guard lock(m_owner.m_mutex);
            if (auto node = m_owner.m_flights.extract(m_key)) {
                flight = std::move(node.mapped());
            }
        }
        if (flight != nullptr) {
            flight->land({});
        }
    }
    Errand(const Errand&) = delete;
    Errand& operator=(const Errand&) = delete;

private:
    WebhookProjects& m_owner;
    const std::string m_key;
};

net::Awaitable<ProjectDirectory::Answer> WebhookProjects::admit(Applicant applicant, std::string project)
{
    // A project has no line's end in it, so that no two pairs read the same.
    const std::string key = applicant.caller + '\n' + project;
    std::shared_ptr<Flight> other;
    {
        const std::lock_guard lock(m_mutex);
        if (auto kept = keptOf(key)) {
            co_return std::move(*kept);
        }
        const auto [flight, isOurs] = m_flights.emplace(key, nullptr);
        if (isOurs) {
            flight->second = std::make_shared<Flight>();
        } else {
            other = flight->second;
        }
    }
    if (other != nullptr) {
        const auto landed = co_await other->wait(m_settings.timeout);
        static_cast<void>(landed);
        const std::lock_guard lock(m_mutex);
        auto kept = keptOf(key);
        co_return kept ? std::move(*kept) : Answer(isAway());
    }
    const Errand errand(*this, key);
    auto answer = co_await ask(std::move(applicant), std::move(project));
    if (answer || answer.error().code == FaultCode::ProjectNotAllowed) {
        keep(key, answer);
    }
    co_return answer;
}

std::optional<bool> WebhookProjects::isWorking() const
{
    const std::lock_guard lock(m_mutex);
    return m_isWorking;
}

std::optional<ProjectDirectory::Answer> WebhookProjects::keptOf(const std::string& key) const
{
    const auto known = m_kept.find(key);
    if (known == m_kept.end() || m_deps.clock.now() >= known->second.until) {
        return std::nullopt;
    }
    return known->second.answer;
}

void WebhookProjects::keep(const std::string& key, const Answer& answer)
{
    const core::MonotonicTime now = m_deps.clock.now();
    const std::lock_guard lock(m_mutex);
    m_isWorking = true;
    if (m_kept.size() >= m_settings.maxKept && m_kept.find(key) == m_kept.end()) {
        std::erase_if(m_kept, [&](const auto& entry) { return now >= entry.second.until; });
        if (m_kept.size() >= m_settings.maxKept) {
            // Any of them: it will be asked again.
            m_kept.erase(m_kept.begin());
        }
    }
    m_kept.insert_or_assign(key, Kept{answer, now + m_settings.keptFor});
}

net::Awaitable<ProjectDirectory::Answer> WebhookProjects::ask(Applicant applicant, std::string project)
{
    auto response = co_await m_deps.fetch(requestOf(applicant, project));
    if (!response) {
        co_return hasFailed("it does not answer");
    }
    if (response->status != 200) {
        co_return hasFailed("its status is not 200");
    }
    auto answer = readAnswer(response->body);
    if (!answer) {
        co_return hasFailed("its answer makes no sense");
    }
    co_return std::move(*answer);
}

net::ClientRequest WebhookProjects::requestOf(const Applicant& applicant, const std::string& project) const
{
    net::ClientRequest request;
    request.method = "POST";
    request.url = m_settings.url->reveal();
    request.timeout = m_settings.timeout;
    request.maxBodyBytes = kMaxAnswerBytes;
    request.trust.extraCaFile = m_settings.caFile;
    request.headers.add("Content-Type", "application/json");
    request.headers.add("Accept", "application/json");
    request.body =
        core::writeJson(Json{{"issuer", applicant.issuer}, {"subject", applicant.subject}, {"projectId", project}});
    if (m_settings.secret != nullptr) {
        const std::string id = "msg_" + core::randomId();
        const std::string timestamp =
            std::to_string(std::chrono::duration_cast<seconds>(m_deps.clock.wallNow().time_since_epoch()).count());
        request.headers.add("webhook-id", id);
        request.headers.add("webhook-timestamp", timestamp);
        request.headers.add("webhook-signature", webhookSignature(*m_settings.secret, id, timestamp, request.body));
    }
    return request;
}

ProjectDirectory::Answer WebhookProjects::hasFailed(const char* reason)
{
    {
        const std::lock_guard lock(m_mutex);
        m_isWorking = false;
    }
    m_deps.log.write(LogLevel::Warning, "projects.unavailable", {{"reason", reason}});
    return isAway();
}

} // namespace vivavoce::broker
