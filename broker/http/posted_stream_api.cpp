#include "broker/http/posted_stream_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "core/base/base64.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

namespace vivavoce::broker::http {
namespace {

using core::Json;
using core::Unexpected;
using Messages = std::vector<std::string>;
using Client = std::shared_ptr<relay::PostedClient>;
using LastSeen = std::optional<relay::PostedClient::EventId>;

constexpr std::size_t kMostEvents = 256;

Unexpected<Fault> bad(FaultCode code, std::string detail)
{
    return Unexpected<Fault>(Fault{code, std::move(detail), std::nullopt});
}

/// What the post says, as the provider's own events.
core::Expected<Messages, Fault> messagesOf(const std::string& body)
{
    const auto json = core::parseJson(body);
    if (!json || !json->is_object()) {
        return bad(FaultCode::InvalidBody, json ? "a JSON object was expected" : json.error().detail);
    }
    Messages messages;
    for (const auto& [name, value] : json->items()) {
        if (name == "audio") {
            const auto* const audio = value.get_ptr<const std::string*>();
            if (audio == nullptr || audio->empty() || !core::decodeBase64(*audio)) {
                return bad(FaultCode::InvalidBody, "audio has to be base64");
            }
            messages.insert(
                messages.begin(), core::writeJson(Json{{"type", "input_audio_buffer.append"}, {"audio", *audio}}));
        } else if (name == "events") {
            const bool isList = value.is_array() && value.size() <= kMostEvents
                && std::all_of(value.begin(), value.end(), [](const Json& event) { return event.is_object(); });
            if (!isList) {
                return bad(FaultCode::InvalidBody, "events has to be an array of at most 256 objects");
            }
            for (const Json& event : value) {
                messages.push_back(core::writeJson(event));
            }
        } else {
            return bad(FaultCode::InvalidBody, "there are audio and events, and no other fields");
        }
    }
    return messages;
}

/// Whether an answer as events is asked for by name: whoever takes anything gets JSON.
bool wantsEvents(const net::HttpRequest& request)
{
    return request.headers.find("Accept").value_or("").find("text/event-stream") != std::string_view::npos;
}

core::Expected<LastSeen, Fault> lastEventOf(const net::HttpRequest& request)
{
    const auto text = request.headers.find("Last-Event-ID");
    if (!text || text->empty()) {
        return LastSeen();
    }
    relay::PostedClient::EventId id;
    const std::size_t dash = std::min(text->rfind('-'), text->size());
    const std::string_view digits = text->substr(std::min(dash + 1, text->size()));
    id.stream = text->substr(0, dash);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), id.number);
    const bool isOurs = error == std::errc() && end == digits.data() + digits.size() && !id.stream.empty();
    if (!isOurs || request.headers.count("Last-Event-ID") != 1) {
        return bad(FaultCode::BadRequest, "Last-Event-ID has to be an event's id");
    }
    return LastSeen(std::move(id));
}

net::HttpResponse eventsOf(Client client, LastSeen lastSeen)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/event-stream");
    // Or nginx keeps them until there are many.
    response.headers.set("X-Accel-Buffering", "no");
    response.stream = [client = std::move(client), lastSeen](
                          net::BodyWriter& body) { return client->tell(body, lastSeen); };
    return response;
}

} // namespace

net::Awaitable<net::HttpResponse> PostedStreamApi::post(const net::HttpRequest& request)
{
    auto stranger = m_deps.entrance.meet(request);
    const auto bearer = bearerOf(request);
    if (!bearer) {
        co_return m_deps.entrance.refuse(stranger, bearer.error(), faultRow(bearer.error().code).text);
    }
    // Before anybody is asked about the token.
    if (const auto fault = checkContentType(request)) {
        co_return problemResponse(*fault);
    }
    auto messages = messagesOf(request.body);
    if (!messages) {
        co_return problemResponse(messages.error());
    }
    const auto lastSeen = lastEventOf(request);
    if (!lastSeen) {
        co_return problemResponse(lastSeen.error());
    }
    auto visitor = co_await m_deps.opener->identify(std::move(stranger), core::Secret(*bearer));
    if (!visitor) {
        co_return std::move(visitor.error());
    }
    // As the relay counts messages; a post costs one more.
    const auto allowance = m_deps.opener->allowanceOf(visitor->permit.session.record.id);
    if (!allowance->take(core::Milliseconds{0}, m_deps.clock.now())) {
        const Fault fault{FaultCode::RateLimited, "the session's messages of this minute", std::chrono::seconds(60)};
        co_return m_deps.opener->turnAway(visitor->client, fault);
    }
    m_deps.opener->countedElsewhere(*visitor);
    const std::size_t count = messages->size();
    const bool isComingBack = lastSeen->has_value() && count == 0;
    auto client = co_await clientOf(std::move(*visitor), request.id, isComingBack);
    if (!client) {
        co_return std::move(client.error());
    }
    bool isSaid = true;
    if (count > 0) {
        isSaid = co_await (*client)->say(std::move(*messages));
    }
    if (!isSaid) {
        co_return problemResponse({FaultCode::Unavailable, "the stream has just ended", std::chrono::seconds(1)});
    }
    if (wantsEvents(request)) {
        co_return eventsOf(std::move(*client), *lastSeen);
    }
    const Json accepted{{"accepted", count}};
    constexpr unsigned kAccepted = 202;
    co_return net::HttpResponse::json(kAccepted, core::writeJson(accepted));
}

net::Awaitable<core::Expected<Client, net::HttpResponse>> PostedStreamApi::clientOf(
    StreamOpener::Visitor visitor, std::string requestId, bool isComingBack)
{
    const std::string sessionId = visitor.permit.session.record.id;
    Client client = m_deps.streams->find(sessionId);
    // One that has ended is still good for its last words.
    if (client != nullptr && (isComingBack || !client->isOver())) {
        co_return std::move(client);
    }
    auto opening = co_await m_deps.opener->open(std::move(visitor), std::move(requestId));
    if (!opening) {
        co_return Unexpected<net::HttpResponse>(std::move(opening.error()));
    }
    relay::PostedStreams::Run run = [opener = m_deps.opener, opening = std::move(*opening)](
                                        net::WebSocketSession& session) { return opener->run(opening, session); };
    const auto executor = co_await boost::asio::this_coro::executor;
    client = m_deps.streams->open(sessionId, executor, std::move(run));
    if (client == nullptr) {
        co_return Unexpected<net::HttpResponse>(
            problemResponse({FaultCode::Unavailable, "the broker is going down", std::nullopt}));
    }
    co_return std::move(client);
}

} // namespace vivavoce::broker::http
