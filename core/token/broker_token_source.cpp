#include "core/token/broker_token_source.h"

#include "core/base/random_id.h"
#include "core/protocol/broker/messages.h"
#include "core/token/project_fault.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <list>
#include <string_view>
#include <utility>

namespace vivavoce::core {
namespace {

/// The broker repeats a renewal for five seconds, and later takes it for theft: a lost answer is asked for again within them.
constexpr Milliseconds kRenewal{4'000};

AuthStyle authStyle(std::string_view name)
{
    if (name == "api-key") {
        return AuthStyle::ApiKeyHeader;
    }
    if (name == "subprotocol") {
        return AuthStyle::Subprotocol;
    }
    if (name == "token") {
        return AuthStyle::Token;
    }
    return name == "none" ? AuthStyle::None : AuthStyle::Bearer;
}

/// Delay-seconds of RFC 9110 §10.2.3; the date form is not used by brokers of ours.
std::optional<Milliseconds> retryAfter(const HttpHeaders& headers)
{
    const auto text = headers.find("Retry-After");
    std::uint32_t seconds = 0;
    if (!text || std::from_chars(text->data(), text->data() + text->size(), seconds).ec != std::errc()) {
        return std::nullopt;
    }
    return std::chrono::seconds(seconds);
}

/// What a broker says of the provider behind it, or of what was asked for; elsewhere such words are not used.
struct Meaning {
    std::string_view problem;
    ErrorCode code;
    /// A renewal asks for nothing, and the token in hand may do although there will be no other one: it is the broker's trouble there.
    bool isOfMint;
    /// Of whom the broker's own words behind it speak. Empty: of the broker.
    std::string_view words;
};
constexpr std::array kMeanings{Meaning{"unknown_provider", ErrorCode::ProviderUnknown, true, {}},
    Meaning{"not_allowed", ErrorCode::ChoiceNotAllowed, true, {}},
    Meaning{project_fault::kNotAllowed, ErrorCode::ChoiceNotAllowed, true, {}},
    Meaning{"provider_rejected", ErrorCode::ChoiceRefused, true, "the provider does not take what was asked for"},
    Meaning{"provider_refused", ErrorCode::ProviderRefused, true, "the provider does not take the broker's key"},
    Meaning{"provider_quota", ErrorCode::ProviderQuota, true, "the broker's account at the provider is exhausted"},
    Meaning{"provider_malformed", ErrorCode::ProviderMalformed, true, "the provider's answer makes no sense"},
    Meaning{"provider_failed", ErrorCode::ProviderFailed, false, "the provider failed"},
    Meaning{"provider_unreachable", ErrorCode::ProviderUnreachable, false, "the broker does not reach the provider"},
    Meaning{
        "provider_timeout", ErrorCode::ProviderUnreachable, false, "the provider did not answer the broker in time"},
    Meaning{"provider_rate_limited", ErrorCode::RateLimited, false, "the provider asks the broker for patience"}};

const Meaning* meaningOf(std::string_view problem)
{
    const auto* const row =
        std::find_if(kMeanings.begin(), kMeanings.end(), [&](const Meaning& one) { return one.problem == problem; });
    return row == kMeanings.end() ? nullptr : row;
}

Error errorOf(const HttpClient::Response& response, bool isMint, bool namesProject)
{
    Error error;
    error.code = response.status == 401 || response.status == 403 ? ErrorCode::NotAuthorised
        : response.status == 429                                  ? ErrorCode::RateLimited
        : response.status >= 500                                  ? ErrorCode::BrokerFailed
                                                                  : ErrorCode::BrokerMalformed;
    error.detail = "the broker answered HTTP " + std::to_string(response.status);
    if (const auto problem = broker::decodeProblem(response.body)) {
        // It has one word for both.
        const bool isNeeded = problem->code == project_fault::kNotAllowed && !namesProject;
        error.foreignCode = isNeeded ? project_fault::kNeeded : problem->code;
        const Meaning* const meaning = meaningOf(problem->code);
        if (meaning != nullptr && !meaning->words.empty()) {
            error.detail += ": " + std::string(meaning->words);
            error.detail += problem->detail.empty() ? std::string() : " (" + problem->detail + ")";
        } else {
            error.detail += problem->detail.empty() ? std::string() : ": " + problem->detail;
        }
        // Until another day or month: nobody waits for that in the background.
        error.code = problem->code == "budget_exhausted" ? ErrorCode::BudgetExhausted : error.code;
        // The broker has forgotten it; it still makes new ones.
        error.code = problem->code == "session_not_found" ? ErrorCode::TokenExpired : error.code;
        error.code = meaning != nullptr && (isMint || !meaning->isOfMint) ? meaning->code : error.code;
    }
    error.retryAfter = retryAfter(response.headers);
    return error;
}

HttpClient::Request requestTo(std::string url)
{
    HttpClient::Request request;
    request.url = std::move(url);
    request.headers.add("Accept", "application/json");
    request.headers.add("Content-Type", "application/json");
    return request;
}

/// How long before its end a token is renewed that a broker wants renewed `wanted` before it.
Milliseconds beforeExpiry(const TokenSettings& settings, Milliseconds life, Milliseconds wanted)
{
    if (!settings.enableAutoRefresh) {
        return Milliseconds{0};
    }
    return std::min(life, std::max(wanted, std::min<Milliseconds>(settings.refreshThreshold, life / 5)));
}

Expected<TokenPtr, Error> tokenOf(HttpClient::Response& response, MonotonicTime asked, const TokenSettings& settings)
{
    auto message = broker::decodeTokenResponse(response.body);
    wipeString(response.body);
    if (!message) {
        return Unexpected<Error>(message.error());
    }
    auto token = std::make_shared<AccessToken>();
    token->value = std::make_shared<const Secret>(std::move(message->token));
    token->sessionId = std::move(message->sessionId);
    // Brokers that do not say name their providers so.
    token->profile = message->connect.profile.empty() ? message->provider : std::move(message->connect.profile);
    token->provider = std::move(message->provider);
    token->model = std::move(message->model);
    token->isRelayed = message->transport == "relay";
    token->areTranscriptsKept = message->areTranscriptsKept;
    token->url = std::move(message->connect.url);
    token->auth = authStyle(message->connect.auth);
    token->dialect = std::move(message->connect.dialect);
    token->rates = message->connect.audio.rates;
    // Counted from before the request, and by the broker's own differences: neither our clock nor a slow answer makes it longer.
    const std::chrono::seconds life(message->expiresIn);
    token->expiresAt = asked + life;
    const auto wanted = std::chrono::duration_cast<Milliseconds>(message->expiresAt - message->refreshAfter);
    token->refreshAfter = token->expiresAt - beforeExpiry(settings, life, wanted);
    return token;
}

} // namespace

struct BrokerTokenSource::Flight {
    std::list<std::unique_ptr<HttpCall>> calls;
};

BrokerTokenSource::BrokerTokenSource(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_flight(std::make_shared<Flight>())
{
}

BrokerTokenSource::~BrokerTokenSource() = default;

void BrokerTokenSource::fetch(const TokenQuery& query, TokenCallback done)
{
    if (query.previous == nullptr || query.previous->isExpired(m_deps.clock.now())) {
        mint(query, std::move(done), false);
        return;
    }
    HttpClient::Request request = requestTo(m_deps.baseUrl + "/api/voice-agent/refresh-token");
    request.timeout = kRenewal;
    request.bearer = query.previous->value;
    request.headers.add("Idempotency-Key", idempotencyKey(query.previous));
    request.body = broker::encode(broker::RefreshRequest{m_deps.clientInstance});
    send(std::move(request), std::move(done));
}

void BrokerTokenSource::mint(TokenQuery query, TokenCallback done, bool isLast)
{
    m_deps.credential->fetch([this, alive = std::weak_ptr<Flight>(m_flight), query = std::move(query),
                                 done = std::move(done), isLast](const Expected<CredentialPtr, Error>& credential) {
        if (alive.expired()) {
            return;
        }
        if (!credential) {
            done(Unexpected<Error>(credential.error()));
            return;
        }
        HttpClient::Request request = requestTo(m_deps.baseUrl + "/api/voice-agent/token");
        request.bearer = *credential;
        broker::TokenRequest message;
        const auto wish = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
        message.clientInstance = m_deps.clientInstance;
        message.provider = wish(m_deps.wishes.provider);
        message.model = wish(m_deps.wishes.model);
        message.voice = wish(m_deps.wishes.voice);
        message.instructions = wish(m_deps.wishes.instructions);
        message.projectId = wish(m_deps.wishes.project);
        message.resumeSessionId = wish(query.resumeSessionId);
        request.body = broker::encode(message);
        send(std::move(request), done, Attempt{query, *credential, isLast});
    });
}

void BrokerTokenSource::send(HttpClient::Request request, TokenCallback done, std::optional<Attempt> attempt)
{
    auto& calls = m_flight->calls;
    const auto place = calls.insert(calls.end(), nullptr);
    *place = m_deps.http.send(std::move(request),
        [this, alive = std::weak_ptr<Flight>(m_flight), place, asked = m_deps.clock.now(), done = std::move(done),
            attempt = std::move(attempt)](Expected<HttpClient::Response, Error> result) mutable {
            const auto flight = alive.lock();
            if (flight == nullptr) {
                return;
            }
            // The call that we stand in goes when this is done.
            const auto call = std::move(*place);
            flight->calls.erase(place);
            if (!result) {
                done(Unexpected<Error>(result.error()));
            } else if (result->status == 401 && attempt && !attempt->isLast
                && m_deps.credential->replace(attempt->credential)) {
                mint(std::move(attempt->query), std::move(done), true);
            } else if (result->status != 200 && result->status != 201) {
                // What a gateway says tells nothing about what the broker has done.
                if (result->status < 500) {
                    m_renewing.reset();
                }
                done(Unexpected<Error>(errorOf(*result, attempt.has_value(), !m_deps.wishes.project.empty())));
            } else {
                m_renewing.reset();
                done(tokenOf(*result, asked, m_deps.settings));
            }
        });
}

std::string BrokerTokenSource::idempotencyKey(const TokenPtr& previous)
{
    // Kept until an answer arrives: the repetition of a lost one must look like what it is.
    if (m_renewing != previous) {
        m_renewing = previous;
        m_renewingKey = randomId();
    }
    return m_renewingKey;
}

} // namespace vivavoce::core
