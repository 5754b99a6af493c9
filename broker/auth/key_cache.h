#pragma once

#include "broker/auth/issuer_metadata.h"
#include "broker/auth/json_web_key.h"
#include "broker/log.h"
#include "broker/tokens/flight.h"
#include "core/base/clock.h"
#include "net/http_client.h"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace vivavoce::broker::auth {

/// How we ask others; net::sendRequest, but for tests.
using Fetch = std::function<net::Awaitable<core::Expected<net::ClientResponse, core::Error>>(net::ClientRequest)>;

/// An issuer's metadata and, where they are used, its keys: fetched before or when they are first needed, kept, and renewed in time. At most one fetch at a time, whoever waits for it.
/// Threads: [any thread]; no lock is held while the issuer is asked.
class KeyCache {
public:
    struct Settings {
        std::string issuer;
        std::string caFile;
        /// Without: only the metadata are fetched, and they have to name an introspection endpoint. An issuer that is asked about each token
        /// need not publish keys (RFC 8414 §2), and what is wrong with them is nobody's concern.
        bool hasKeys = true;
        /// After this long they are fetched again at the next use.
        std::chrono::seconds freshFor{3'600};
        /// How long they serve while the issuer does not answer.
        std::chrono::seconds staleFor{86'400};
        /// Between two fetches because of a key that is not known, so that made-up key names cannot make us a nuisance.
        std::chrono::seconds coolDown{60};
        /// Between two fetches when the issuer does not answer.
        std::chrono::seconds retryAfter{5};
        core::Milliseconds timeout{5'000};
    };
    struct Dependencies {
        Fetch fetch;
        const core::Clock& clock;
        Log& log;
    };
    struct Known {
        IssuerMetadata metadata;
        JsonWebKeySet keys;
    };
    using KnownPtr = std::shared_ptr<const Known>;

    KeyCache(Settings settings, Dependencies dependencies);

    /// What is known, or can be had now. The error is that of the last attempt.
    [[nodiscard]] net::Awaitable<core::Expected<KnownPtr, core::Error>> get();
    /// What is known already; nobody is asked.
    [[nodiscard]] core::Expected<KnownPtr, core::Error> kept() const;
    /// The same after another look at the issuer, unless there was one within the cool-down: for a key that is not among the known ones.
    [[nodiscard]] net::Awaitable<core::Expected<KnownPtr, core::Error>> lookAgain();
    /// Whether somebody could be verified now, for the health page: nothing until it was tried.
    [[nodiscard]] std::optional<bool> isFine() const;
    /// Fetches what is due, with longer and longer pauses while the issuer does not answer; called often.
    [[nodiscard]] net::Awaitable<> tend();

private:
    [[nodiscard]] net::Awaitable<> fetchOnce();
    [[nodiscard]] net::Awaitable<core::Expected<KnownPtr, core::Error>> fetchAll();
    [[nodiscard]] net::Awaitable<core::Expected<std::string, core::Error>> fetchText(std::string url);

    const Settings m_settings;
    const Dependencies m_deps;
    mutable std::mutex m_mutex;
    KnownPtr m_known;
    core::MonotonicTime m_fetchedAt;
    std::optional<core::MonotonicTime> m_triedAt;
    core::Error m_lastError;
    bool m_hasFailed = false;
    std::chrono::seconds m_pause{0};
    std::shared_ptr<Flight> m_flight;
};

} // namespace vivavoce::broker::auth
