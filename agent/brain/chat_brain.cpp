#include "agent/brain/chat_brain.h"

#include "agent/brain/chat_messages.h"
#include "agent/brain/sse_parser.h"
#include "net/http_client.h"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

#include <charconv>
#include <exception>
#include <optional>
#include <utility>

namespace vivavoce::agent::brain {

namespace {

using core::Error;
using core::ErrorCode;
using Outcome = core::Expected<net::ClientResponse, Error>;
constexpr std::size_t kMostReplyBytes = 4 << 20;

Error errorOf(const net::ClientResponse& response)
{
    Error error{
        ErrorCode::ProviderRefused, "the chat server answered " + std::to_string(response.status), std::nullopt, {}};
    if (response.status == 401 || response.status == 403) {
        error.code = ErrorCode::NotAuthorised;
    } else if (response.status == 429) {
        error.code = ErrorCode::RateLimited;
    } else if (response.status >= 500) {
        error.code = ErrorCode::ProviderFailed;
    }
    if (const auto after = response.headers.find("Retry-After")) {
        std::int64_t seconds = 0;
        // The other form, a date, is not worth a parser: the code alone says to wait.
        const auto [end, fault] = std::from_chars(after->data(), after->data() + after->size(), seconds);
        if (fault == std::errc{} && end == after->data() + after->size() && seconds >= 0 && seconds <= 86'400) {
            error.retryAfter = std::chrono::seconds{seconds};
        }
    }
    const auto json = core::parseJson(response.body);
    if (json && json->is_object() && json->contains("error") && (*json)["error"].is_object()) {
        const auto& inner = (*json)["error"];
        for (const char* key : {"code", "type"}) {
            if (inner.contains(key) && inner[key].is_string() && error.foreignCode.empty()) {
                error.foreignCode = inner[key].get<std::string>().substr(0, 100);
            }
        }
    }
    if (error.code == ErrorCode::RateLimited && error.foreignCode == "insufficient_quota") {
        error.code = ErrorCode::ProviderQuota;
    }
    return error;
}

/// Runs the request on this thread until it ends or `stop` is requested; absent: stopped.
std::optional<Outcome> runRequest(
    net::ClientRequest request, std::function<bool(std::string_view)> onChunk, const std::stop_token& stop)
{
    boost::asio::io_context context(1);
    boost::asio::cancellation_signal cancel;
    std::optional<Outcome> outcome;
    boost::asio::co_spawn(context, net::streamRequest(std::move(request), std::move(onChunk)),
        boost::asio::bind_cancellation_slot(
            cancel.slot(), [&outcome](const std::exception_ptr& thrown, Outcome result) {
                if (!thrown) {
                    outcome = std::move(result);
                }
            }));
    {
        const std::stop_callback onStop(
            stop, [&] { boost::asio::post(context, [&] { cancel.emit(boost::asio::cancellation_type::terminal); }); });
        context.run();
    }
    return outcome;
}

} // namespace

std::string chatCompletionsUrl(const std::string& url)
{
    std::string base = url;
    while (base.ends_with('/')) {
        base.pop_back();
    }
    if (base.ends_with("/chat/completions")) {
        return base;
    }
    return base + (base.ends_with("/v1") ? "/chat/completions" : "/v1/chat/completions");
}

ChatBrain::ChatBrain(ChatSettings settings) : m_settings(std::move(settings)) {}

core::Expected<std::optional<BrainUsage>, Error> ChatBrain::reply(
    const BrainRequest& request, BrainSink& sink, std::stop_token stop)
{
    net::ClientRequest call;
    call.method = "POST";
    call.url = chatCompletionsUrl(m_settings.url);
    call.headers.add("Content-Type", "application/json");
    call.headers.add("Accept", "text/event-stream");
    if (m_settings.key && !m_settings.key->empty()) {
        call.headers.add("Authorization", "Bearer " + std::string(m_settings.key->reveal()));
    }
    call.body = chatRequestBody(request, m_settings.model);
    call.timeout = m_settings.timeout;
    call.maxBodyBytes = kMostReplyBytes;
    call.trust.extraCaFile = m_settings.extraCaFile;

    ChatReply reply(sink);
    core::Expected<void, Error> taken;
    SseParser parser([&](SseEvent event) {
        if (taken) {
            taken = reply.take(event.data);
        }
    });
    const auto onChunk = [&](std::string_view bytes) {
        if (auto fed = parser.feed(bytes); !fed && taken) {
            taken = std::move(fed);
        }
        return taken && !reply.isStopped() && !reply.isDone() && !stop.stop_requested();
    };
    const std::optional<Outcome> outcome = runRequest(std::move(call), onChunk, stop);
    if (stop.stop_requested()) {
        return core::fail(ErrorCode::Cancelled, "the reply was cancelled");
    }
    if (!outcome) {
        return core::fail(ErrorCode::Internal, "the request to the chat server ended without a result");
    }
    if (!taken) {
        return core::Unexpected<Error>(taken.error());
    }
    if (!*outcome) {
        return core::Unexpected<Error>(outcome->error());
    }
    if ((*outcome)->status < 200 || (*outcome)->status > 299) {
        return core::Unexpected<Error>(errorOf(**outcome));
    }
    return reply.finish();
}

ChatBrainFactory::ChatBrainFactory(ChatSettings settings) : m_settings(std::move(settings)) {}

std::unique_ptr<Brain> ChatBrainFactory::create()
{
    return std::make_unique<ChatBrain>(m_settings);
}

} // namespace vivavoce::agent::brain
