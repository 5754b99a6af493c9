#include "broker/http/posted_stream_api.h"

#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/relay/message_scan.h"
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

Unexpected<Fault> bad(FaultCode code, std::string detail)
{
    return Unexpected<Fault>(Fault{code, std::move(detail), std::nullopt});
}

core::Expected<relay::PostScan, Fault> read(const std::string& body)
{
    relay::PostScan post = relay::scanPost(body);
    if (!post.fault.empty()) {
        return bad(FaultCode::InvalidBody, std::string(post.fault));
    }
    if (post.audio && (post.audio->empty() || !core::decodeBase64(*post.audio))) {
        return bad(FaultCode::InvalidBody, "audio has to be base64");
    }
    return post;
}

/// What the post says, as the provider's own messages.
core::Expected<Messages, Fault> messagesOf(relay::PostScan post, const relay::Protocol& protocol)
{
    Messages messages;
    if (post.audio) {
        messages.push_back(protocol.soundMessage(std::move(*post.audio)));
    }
    for (std::string& event : post.events) {
        if (const std::string_view fault = protocol.faultOf(event); !fault.empty()) {
            return bad(FaultCode::InvalidBody, std::string(fault));
        }
        // As it is written: numbers keep their digits, and names their order.
        messages.push_back(std::move(event));
    }
    return messages;
}

/// RFC 9110 §12.4.2: with a weight of nothing it is not wanted.
bool isRefused(std::string_view parameters)
{
    while (!parameters.empty()) {
        const std::size_t end = std::min(parameters.find(';'), parameters.size());
        std::string_view one = parameters.substr(0, end);
        parameters.remove_prefix(std::min(end + 1, parameters.size()));
        while (one.starts_with(' ') || one.starts_with('\t')) {
            one.remove_prefix(1);
        }
        const std::size_t weightEnd = std::min(one.find_last_not_of(" \t") + 1, one.size());
        one = one.substr(0, weightEnd);
        const bool isWeight = one.size() > 2 && (one[0] == 'q' || one[0] == 'Q') && one[1] == '=';
        if (isWeight && one.find_first_not_of("0.", 2) == std::string_view::npos) {
            return true;
        }
    }
    return false;
}

/// Whether an answer as events is asked for by name: whoever takes anything gets JSON.
bool wantsEvents(const net::HttpRequest& request)
{
    constexpr std::string_view kEvents = "text/event-stream";
    std::string_view accepted = request.headers.find("Accept").value_or("");
    while (!accepted.empty()) {
        const std::size_t end = std::min(accepted.find(','), accepted.size());
        const std::string_view one = accepted.substr(0, end);
        accepted.remove_prefix(std::min(end + 1, accepted.size()));
        const std::size_t semicolon = std::min(one.find(';'), one.size());
        if (one.substr(0, semicolon).find(kEvents) != std::string_view::npos) {
            return !isRefused(one.substr(std::min(semicolon + 1, one.size())));
        }
    }
    return false;
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
    auto post = read(request.body);
    if (!post) {
        co_return problemResponse(post.error());
    }
    const auto lastSeen = lastEventOf(request);
    if (!lastSeen) {
        co_return problemResponse(lastSeen.error());
    }
    auto visitor = co_await m_deps.opener->identify(std::move(stranger), core::Secret(*bearer));
    if (!visitor) {
        co_return std::move(visitor.error());
    }
    auto messages = messagesOf(std::move(*post), m_deps.opener->protocolOf(visitor->permit.session.record));
    if (!messages) {
        co_return problemResponse(messages.error());
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
