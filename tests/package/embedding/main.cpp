#include <core/base/clock.h>
#include <core/ports/http_client.h>
#include <core/token/broker_token_source.h>
#include <core/token/credential_source.h>

#include <iostream>
#include <memory>
#include <utility>

namespace core = vivavoce::core;

namespace {

/// Where a program puts the HTTP client that it has already. This one knows the answer.
class CannedHttpClient final : public core::HttpClient {
public:
    std::unique_ptr<core::HttpCall> send(Request request, Callback done) override
    {
        std::cout << request.method << ' ' << request.url << '\n';
        m_done = std::move(done);
        return std::make_unique<core::HttpCall>();
    }

    /// Never from within `send`: a program does it in its event loop.
    void answer()
    {
        Response response;
        response.status = 200;
        response.body = R"({"token":"ek_example","tokenType":"Bearer","sessionId":"voice_1","expiresIn":60,
            "expiresAt":"2031-01-01T00:01:00Z","refreshAfter":"2031-01-01T00:00:48Z","provider":"openai","model":"gpt-realtime",
            "transport":"direct","connect":{"url":"wss://api.openai.com/v1/realtime?model=gpt-realtime","auth":"bearer",
            "dialect":"openai-ga","audio":{"encoding":"pcm16","rate":24000}},"limits":{}})";
        std::exchange(m_done, nullptr)(std::move(response));
    }

private:
    Callback m_done;
};

} // namespace

int main()
{
    CannedHttpClient http;
    const core::SystemClock clock;
    const auto credential = std::make_shared<const core::Secret>("what shows who is asking");
    core::BrokerTokenSource source(
        {http, clock, "https://broker.example", std::make_shared<core::LiteralCredential>(credential), {}, "instance"});
    int exitCode = 1;
    source.fetch({}, [&](const core::Expected<core::TokenPtr, core::Error>& token) {
        if (!token) {
            std::cerr << core::codeText(token.error().code) << ": " << token.error().detail << '\n';
            return;
        }
        // `value` is not printed: only what opens the connection reveals it.
        std::cout << "session " << (*token)->sessionId << " at " << (*token)->url << '\n';
        exitCode = (*token)->value->empty() ? 1 : 0;
    });
    http.answer();
    return exitCode;
}
