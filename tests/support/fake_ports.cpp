#include "tests/support/fake_ports.h"

#include <utility>

namespace vivavoce::tests {
namespace {

class FakeHttpCall final : public core::HttpCall {
public:
    explicit FakeHttpCall(std::shared_ptr<bool> wasCancelled) : m_wasCancelled(std::move(wasCancelled)) {}
    ~FakeHttpCall() override { *m_wasCancelled = true; }

private:
    std::shared_ptr<bool> m_wasCancelled;
};

} // namespace

std::unique_ptr<core::HttpCall> FakeHttpClient::send(Request request, Callback done)
{
    sent.push_back({std::move(request), std::move(done), std::make_shared<bool>(false)});
    return std::make_unique<FakeHttpCall>(sent.back().wasCancelled);
}

void FakeHttpClient::answer(core::Expected<Response, core::Error> result)
{
    Sent first = std::move(sent.front());
    sent.pop_front();
    if (!*first.wasCancelled) {
        first.done(std::move(result));
    }
}

void FakeHttpClient::answer(int status, std::string body, core::HttpHeaders headers)
{
    answer(Response{status, std::move(headers), std::move(body)});
}

void FakeTokenSource::fetch(const core::TokenQuery& query, core::TokenCallback done)
{
    queries.push_back(query);
    m_open.push_back(std::move(done));
}

void FakeTokenSource::answer(core::Expected<core::TokenPtr, core::Error> result)
{
    const auto done = std::move(m_open.front());
    m_open.pop_front();
    done(std::move(result));
}

core::TokenPtr makeToken(core::MonotonicTime now, core::Milliseconds life, std::string sessionId, std::string value)
{
    auto token = std::make_shared<core::AccessToken>();
    token->value = std::make_shared<const core::Secret>(value);
    token->sessionId = std::move(sessionId);
    token->provider = "openai";
    token->model = "test-model";
    token->url = "ws://127.0.0.1:9/v1/realtime";
    token->dialect = "openai-ga";
    token->expiresAt = now + life;
    token->refreshAfter = now + life / 2;
    return token;
}

void FakeTransport::open(const core::TransportTarget& target, core::TransportListener& listener)
{
    m_wire->target = target;
    m_wire->listener = &listener;
}

void FakeTransport::ping()
{
    ++m_wire->pings;
    if (m_wire->pongs != nullptr) {
        m_wire->pongs->post([wire = std::weak_ptr(m_wire), ping = m_wire->pings] {
            if (const auto open = wire.lock(); open != nullptr && !open->isGone) {
                open->listener->pingAnswered(static_cast<std::uint64_t>(ping));
            }
        });
    }
}

std::unique_ptr<core::Transport> FakeTransportFactory::create()
{
    wires.push_back(std::make_shared<FakeTransport::Wire>());
    wires.back()->pongs = pongs;
    return std::make_unique<FakeTransport>(wires.back());
}

void FakeVoiceIo::play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples)
{
    heard.itemId = itemId;
    heard.contentIndex = contentIndex;
    played.insert(played.end(), samples.begin(), samples.end());
}

core::HeardAudio FakeVoiceIo::interrupt()
{
    ++interrupts;
    played.clear();
    return std::exchange(heard, {});
}

void FakeToolRunner::run(const core::ToolCall& call, Callback done)
{
    calls.push_back(call);
    open.push_back(std::move(done));
}

} // namespace vivavoce::tests
