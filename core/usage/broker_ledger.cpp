#include "core/usage/broker_ledger.h"

#include "core/base/json.h"
#include "core/base/percent.h"
#include "core/protocol/broker/messages.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr int kOk = 200;
constexpr int kUnauthorised = 401;
constexpr int kForbidden = 403;
constexpr int kTooMany = 429;
constexpr int kServerError = 500;
constexpr double kNano = 1e9;
constexpr double kMinute = 60'000;
/// Beyond what a double counts exactly nothing is believed.
constexpr double kMost = 9e15;

Unexpected<Error> malformed(const std::string& field)
{
    return fail(ErrorCode::BrokerMalformed, "usage: " + field + " is missing or not a number");
}

/// Scaled; false: it is not there, or no quantity.
bool read(const Json& object, const char* name, double scale, std::int64_t& into)
{
    const auto found = object.find(name);
    if (found == object.end() || !found->is_number()) {
        return false;
    }
    const double value = found->get<double>() * scale;
    if (!(value >= 0 && value <= kMost)) {
        return false;
    }
    into = std::llround(value);
    return true;
}

Error errorOf(const HttpClient::Response& response)
{
    Error error;
    error.code = response.status == kUnauthorised || response.status == kForbidden ? ErrorCode::NotAuthorised
        : response.status == kTooMany                                              ? ErrorCode::RateLimited
        : response.status >= kServerError                                          ? ErrorCode::BrokerFailed
                                                                                   : ErrorCode::BrokerMalformed;
    error.detail = "the broker answered HTTP " + std::to_string(response.status);
    if (const auto problem = broker::decodeProblem(response.body)) {
        error.foreignCode = problem->code;
    }
    return error;
}

} // namespace

Expected<BrokerUsage, Error> decodeBrokerUsage(std::string_view text)
{
    const auto json = parseJson(text);
    if (!json) {
        return fail(ErrorCode::BrokerMalformed, "usage: " + json.error().detail);
    }
    const auto tokens = json->is_object() ? json->find("tokens") : json->end();
    if (!json->is_object() || tokens == json->end() || !tokens->is_object()) {
        return malformed("tokens");
    }
    BrokerUsage usage;
    UsageFigures& figures = usage.figures;
    std::int64_t connectedMs = 0;
    struct Field {
        const Json& object;
        const char* name;
        double scale;
        std::int64_t& into;
    };
    const std::array<Field, 15> fields{{{*json, "totalSessions", 1, usage.sessions},
        {*json, "totalMinutes", kMinute, connectedMs}, {*json, "totalCost", kNano, figures.nanoDollars},
        {*json, "costReported", kNano, usage.reportedNanoDollars}, {*json, "turns", 1, figures.turns},
        {*json, "unpricedTurns", 1, figures.unpriced}, {*tokens, "textIn", 1, figures.tokens.textIn},
        {*tokens, "cachedTextIn", 1, figures.tokens.cachedTextIn}, {*tokens, "textOut", 1, figures.tokens.textOut},
        {*tokens, "audioIn", 1, figures.tokens.audioIn}, {*tokens, "cachedAudioIn", 1, figures.tokens.cachedAudioIn},
        {*tokens, "audioOut", 1, figures.tokens.audioOut}, {*tokens, "imageIn", 1, figures.tokens.imageIn},
        {*tokens, "cachedImageIn", 1, figures.tokens.cachedImageIn},
        {*tokens, "transcription", 1, figures.transcription.tokens}}};
    for (const Field& field : fields) {
        if (!read(field.object, field.name, field.scale, field.into)) {
            return malformed(field.name);
        }
    }
    figures.connected = Milliseconds{connectedMs};
    return usage;
}

UsageAgreement compare(const UsageFigures& here, const UsageFigures& broker)
{
    constexpr std::int64_t kTenthOfACent = 1'000'000;
    const auto tokensOf = [](const UsageFigures& figures) {
        return figures.tokens.allIn() + figures.tokens.allOut() + figures.transcription.tokens;
    };
    const std::int64_t more = tokensOf(broker) - tokensOf(here);
    const std::int64_t dearer = broker.nanoDollars - here.nanoDollars;
    const bool isSameMoney =
        std::abs(dearer) <= std::max(kTenthOfACent, std::max(here.nanoDollars, broker.nanoDollars) / 100);
    if (more == 0) {
        return isSameMoney ? UsageAgreement::Same : UsageAgreement::OtherPrices;
    }
    return more > 0 ? UsageAgreement::BrokerHasMore : UsageAgreement::BrokerHasLess;
}

BrokerLedger::BrokerLedger(Dependencies dependencies)
    : m_deps(std::move(dependencies)), m_flight(std::make_shared<Flight>())
{
}

BrokerLedger::~BrokerLedger() = default;

void BrokerLedger::ask(const UsageQuery& query, Done done)
{
    const std::string what =
        query.session ? "session=" + percentEncoded(*query.session) : "from=" + query.from + "&to=" + query.to;
    send(query.broker.value_or(std::string()) + "/api/voice/usage?" + what, std::move(done), false);
}

void BrokerLedger::send(std::string url, Done done, bool isLast)
{
    m_deps.credential->fetch([this, alive = std::weak_ptr<Flight>(m_flight), url = std::move(url),
                                 done = std::move(done), isLast](const Expected<CredentialPtr, Error>& credential) {
        const auto flight = alive.lock();
        if (flight == nullptr) {
            return;
        }
        if (!credential) {
            done(Unexpected<Error>(credential.error()));
            return;
        }
        HttpClient::Request request;
        request.method = "GET";
        request.url = url;
        request.headers.add("Accept", "application/json");
        request.bearer = *credential;
        const auto place = flight->calls.insert(flight->calls.end(), nullptr);
        *place = m_deps.http.send(std::move(request),
            [this, alive, place, url, done, isLast, shown = *credential](
                const Expected<HttpClient::Response, Error>& answer) {
                const auto asking = alive.lock();
                if (asking == nullptr) {
                    return;
                }
                // The call that we stand in goes when this is done.
                const auto call = std::move(*place);
                asking->calls.erase(place);
                if (!answer) {
                    done(Unexpected<Error>(answer.error()));
                } else if (answer->status == kUnauthorised && !isLast && m_deps.credential->replace(shown)) {
                    send(url, done, true);
                } else if (answer->status != kOk) {
                    done(Unexpected<Error>(errorOf(*answer)));
                } else {
                    done(decodeBrokerUsage(answer->body));
                }
            });
    });
}

} // namespace vivavoce::core
