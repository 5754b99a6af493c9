#include "broker/auth/key_cache.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::broker::auth {
namespace {

/// Key sets of a few kilobytes are usual.
constexpr std::size_t kMaxDocumentBytes = 256 * 1024;

core::Error malformed(const char* what)
{
    return {core::ErrorCode::ProviderMalformed, what, std::nullopt, {}};
}

const char* keySetFaultText(KeySetFault fault)
{
    switch (fault) {
    case KeySetFault::Malformed:
        return "the issuer's keys are not a key set";
    case KeySetFault::DuplicateKid:
        return "two of the issuer's keys have one name";
    case KeySetFault::Mixed:
        return "the issuer publishes secret keys beside public ones";
    }
    return "";
}

/// Lands a flight whatever becomes of its coroutine.
class Landing {
public:
    Landing(std::mutex& mutex, std::shared_ptr<Flight>& flight) : m_mutex(mutex), m_flight(flight) {}
    ~Landing()
    {
        std::shared_ptr<Flight> flight;
        {
            const std::lock_guard lock(m_mutex);
            flight = std::exchange(m_flight, nullptr);
        }
        flight->land({});
    }
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;

private:
    std::mutex& m_mutex;
    std::shared_ptr<Flight>& m_flight;
};

} // namespace

KeyCache::KeyCache(Settings settings, Dependencies dependencies)
    : m_settings(std::move(settings)), m_deps(std::move(dependencies))
{
}

core::Expected<KeyCache::KnownPtr, core::Error> KeyCache::kept() const
{
    const std::lock_guard lock(m_mutex);
    if (m_known != nullptr && m_deps.clock.now() - m_fetchedAt < m_settings.staleFor) {
        return m_known;
    }
    return core::Unexpected<core::Error>(m_lastError);
}

net::Awaitable<core::Expected<KeyCache::KnownPtr, core::Error>> KeyCache::get()
{
    bool isDue = false;
    {
        const std::lock_guard lock(m_mutex);
        const core::MonotonicTime now = m_deps.clock.now();
        const bool isFresh = m_known != nullptr && now - m_fetchedAt < m_settings.freshFor;
        const bool isUsable = m_known != nullptr && now - m_fetchedAt < m_settings.staleFor;
        const bool mayTry = !m_triedAt || now - *m_triedAt >= m_settings.retryAfter;
        // While somebody renews old keys, the others go on with them.
        isDue = !isFresh && (m_flight != nullptr ? !isUsable : mayTry);
    }
    if (isDue) {
        co_await fetchOnce();
    }
    co_return kept();
}

net::Awaitable<core::Expected<KeyCache::KnownPtr, core::Error>> KeyCache::lookAgain()
{
    bool isDue = false;
    {
        const std::lock_guard lock(m_mutex);
        isDue = m_flight != nullptr || !m_triedAt || m_deps.clock.now() - *m_triedAt >= m_settings.coolDown;
    }
    if (isDue) {
        co_await fetchOnce();
    }
    co_return kept();
}

net::Awaitable<> KeyCache::tend()
{
    constexpr std::chrono::seconds kLongestPause{60};
    {
        const std::lock_guard lock(m_mutex);
        const core::MonotonicTime now = m_deps.clock.now();
        const bool isFresh = m_known != nullptr && now - m_fetchedAt < m_settings.freshFor;
        if (isFresh || m_flight != nullptr
            || (m_triedAt && now - *m_triedAt < std::max(m_pause, m_settings.retryAfter))) {
            co_return;
        }
        m_pause = std::clamp(2 * m_pause, m_settings.retryAfter, kLongestPause);
    }
    co_await fetchOnce();
    const std::lock_guard lock(m_mutex);
    m_pause = m_hasFailed ? m_pause : m_settings.retryAfter;
}

std::optional<bool> KeyCache::isFine() const
{
    const std::lock_guard lock(m_mutex);
    return m_triedAt ? std::optional(m_known != nullptr && !m_hasFailed) : std::nullopt;
}

net::Awaitable<> KeyCache::fetchOnce()
{
    std::shared_ptr<Flight> flight;
    bool isLead = false;
    {
        const std::lock_guard lock(m_mutex);
        if (m_flight == nullptr) {
            m_flight = std::make_shared<Flight>();
            m_triedAt = m_deps.clock.now();
            isLead = true;
        }
        flight = m_flight;
    }
    if (!isLead) {
        // Two documents, each within the timeout.
        const auto landed = co_await flight->wait(2 * m_settings.timeout);
        static_cast<void>(landed);
        co_return;
    }
    const Landing landing(m_mutex, m_flight);
    auto fetched = co_await fetchAll();
    const std::string fault = fetched ? std::string() : fetched.error().detail;
    {
        const std::lock_guard lock(m_mutex);
        m_hasFailed = !fetched;
        if (fetched) {
            m_known = std::move(*fetched);
            m_fetchedAt = m_deps.clock.now();
        } else {
            m_lastError = fetched.error();
        }
    }
    if (fault.empty()) {
        m_deps.log.write(LogLevel::Info, "issuer.keys_fetched", {{"issuer", m_settings.issuer}});
    } else {
        m_deps.log.write(LogLevel::Warning, "issuer.failed", {{"issuer", m_settings.issuer}, {"why", fault}});
    }
}

net::Awaitable<core::Expected<KeyCache::KnownPtr, core::Error>> KeyCache::fetchAll()
{
    const auto document = co_await fetchText(metadataUrl(m_settings.issuer));
    if (!document) {
        co_return core::Unexpected<core::Error>(document.error());
    }
    auto metadata = readIssuerMetadata(m_settings.issuer, *document);
    if (!metadata) {
        co_return core::Unexpected<core::Error>(metadata.error());
    }
    if (!m_settings.hasKeys) {
        if (metadata->introspectionUrl.empty()) {
            co_return core::Unexpected<core::Error>(malformed("the issuer's metadata name no introspection endpoint"));
        }
        co_return std::make_shared<const Known>(Known{std::move(*metadata), JsonWebKeySet(std::vector<JsonWebKey>())});
    }
    if (metadata->keysUrl.empty()) {
        co_return core::Unexpected<core::Error>(malformed("the issuer's metadata name no keys"));
    }
    const auto text = co_await fetchText(metadata->keysUrl);
    if (!text) {
        co_return core::Unexpected<core::Error>(text.error());
    }
    const auto json = core::parseJson(*text);
    if (!json) {
        co_return core::Unexpected<core::Error>(malformed("the issuer's keys are not JSON"));
    }
    auto keys = JsonWebKeySet::read(*json);
    if (!keys) {
        co_return core::Unexpected<core::Error>(malformed(keySetFaultText(keys.error())));
    }
    co_return std::make_shared<const Known>(Known{std::move(*metadata), std::move(*keys)});
}

net::Awaitable<core::Expected<std::string, core::Error>> KeyCache::fetchText(std::string url)
{
    net::ClientRequest request;
    request.url = std::move(url);
    request.headers.add("Accept", "application/json");
    request.timeout = m_settings.timeout;
    request.maxBodyBytes = kMaxDocumentBytes;
    request.trust.extraCaFile = m_settings.caFile;
    auto response = co_await m_deps.fetch(std::move(request));
    if (!response) {
        co_return core::Unexpected<core::Error>(response.error());
    }
    if (response->status != 200) {
        core::Error error{core::ErrorCode::ProviderFailed,
            "the issuer answered HTTP " + std::to_string(response->status), std::nullopt, {}};
        co_return core::Unexpected<core::Error>(std::move(error));
    }
    co_return std::move(response->body);
}

} // namespace vivavoce::broker::auth
