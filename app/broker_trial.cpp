#include "app/broker_trial.h"

#include "core/protocol/broker/messages.h"
#include "core/sign_in/sign_in_place.h"

#include <utility>

namespace vivavoce::app {
namespace {

using core::Error;
using core::ErrorCode;

constexpr int kNotFound = 404;
constexpr std::size_t kLongestDocument = 64 * 1024;

std::optional<Error> faultOf(const std::string& url, const core::HttpClient::Response& response)
{
    if (response.status == kNotFound && core::broker::decodeProblem(response.body)) {
        // A broker whose users do not sign in. Other servers have other words for what they do not have.
        return std::nullopt;
    }
    if (response.status != 200) {
        return Error{response.status >= 500 ? ErrorCode::BrokerFailed : ErrorCode::BrokerMalformed,
            "the broker answered HTTP " + std::to_string(response.status), std::nullopt, {}};
    }
    const auto place = core::readSignInPlace(url, response.body);
    // A broker that has no place for us to sign in says so later, when that matters.
    return place || place.error().code != ErrorCode::BrokerMalformed ? std::nullopt : std::optional(place.error());
}

} // namespace

void BrokerTrial::ask(const std::string& url, Done done)
{
    core::HttpClient::Request request;
    request.method = "GET";
    request.url = core::signInPlaceUrl(url);
    request.headers.add("Accept", "application/json");
    request.maxBodyBytes = kLongestDocument;
    m_call = m_http.send(std::move(request),
        [this, url, done = std::move(done)](const core::Expected<core::HttpClient::Response, Error>& answer) {
            // The call that we stand in goes when this is done.
            const auto call = std::move(m_call);
            done(answer ? faultOf(url, *answer) : std::optional(answer.error()));
        });
}

} // namespace vivavoce::app
