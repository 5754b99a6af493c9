#pragma once

#include "broker/log.h"
#include "broker/projects/project_directory.h"
#include "broker/tokens/flight.h"
#include "core/base/clock.h"
#include "core/base/secret.h"
#include "net/http_client.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace vivavoce::broker {

/// The operator's own service says who may use which project. It is sent {"issuer", "subject", "projectId"}, signed as Standard Webhooks
/// has it (webhook-id, webhook-timestamp, webhook-signature: v1), and answers {"allowed": true, "policy": {…}} or {"allowed": false}.
/// Anything else, and no answer in time, is nobody's permission: Unavailable. Answers are kept for a while; of those who ask the same at the
/// same time one asks, the others wait.
/// Invariant: at most `maxKept` answers are kept.
/// Threads: [any thread]; no lock is held while it is asked.
class WebhookProjects final : public ProjectDirectory {
public:
    struct Settings {
        /// There always: with many services whoever knows it may ask.
        std::shared_ptr<const core::Secret> url;
        /// Raw bytes, 24 to 64.
        std::shared_ptr<const core::Secret> secret;
        std::string caFile;
        core::Milliseconds timeout{2'000};
        std::chrono::seconds keptFor{60};
        std::size_t maxKept = 10'000;
    };
    using Fetch = std::function<net::Awaitable<core::Expected<net::ClientResponse, core::Error>>(net::ClientRequest)>;
    struct Dependencies {
        Fetch fetch;
        const core::Clock& clock;
        Log& log;
    };

    WebhookProjects(Settings settings, Dependencies dependencies)
        : m_settings(std::move(settings)), m_deps(std::move(dependencies))
    {
    }

    [[nodiscard]] net::Awaitable<Answer> admit(Applicant applicant, std::string project) override;
    [[nodiscard]] std::optional<bool> isWorking() const override;

private:
    struct Kept {
        Answer answer;
        core::MonotonicTime until;
    };
    class Errand;

    /// With the lock held.
    [[nodiscard]] std::optional<Answer> keptOf(const std::string& key) const;
    void keep(const std::string& key, const Answer& answer);
    [[nodiscard]] net::Awaitable<Answer> ask(Applicant applicant, std::string project);
    [[nodiscard]] net::ClientRequest requestOf(const Applicant& applicant, const std::string& project) const;
    [[nodiscard]] Answer hasFailed(const char* reason);

    const Settings m_settings;
    const Dependencies m_deps;
    mutable std::mutex m_mutex;
    std::map<std::string, Kept> m_kept;
    std::map<std::string, std::shared_ptr<Flight>> m_flights;
    std::optional<bool> m_isWorking;
};

} // namespace vivavoce::broker
