#pragma once

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/sign_in/sign_in.h"
#include "tests/support/fake_ports.h"
#include "tests/support/manual_executor.h"

#include <nlohmann/json.hpp>

#include <QCryptographicHash>
#include <QUrl>
#include <QUrlQuery>

namespace vivavoce::tests {

constexpr const char* kBrokerUrl = "https://broker.example";
constexpr const char* kIssuerUrl = "https://login.example";
constexpr const char* kClientId = "app";

inline std::array<std::uint8_t, 32> sha256Of(std::string_view text)
{
    const QByteArray hash = QCryptographicHash::hash(
        QByteArray(text.data(), static_cast<qsizetype>(text.size())), QCryptographicHash::Sha256);
    std::array<std::uint8_t, 32> bytes{};
    std::copy(hash.begin(), hash.end(), bytes.begin());
    return bytes;
}

/// The value of a query or a form; empty where it is not there.
inline std::string valueOf(const std::string& query, const char* name)
{
    const QUrlQuery parsed(QString::fromStdString(query));
    return parsed.queryItemValue(QString::fromLatin1(name), QUrl::FullyDecoded).toStdString();
}

inline core::Json placeDocument()
{
    const core::Json place{{"issuer", kIssuerUrl}, {"client_id", kClientId}, {"scope", "voice:mint"},
        {"resource", "https://voice.example"}};
    return {{"resource", kBrokerUrl}, {"authorization_servers", core::Json::array({kIssuerUrl})},
        {"bearer_methods_supported", core::Json::array({"header"})}, {"vivavoce_sign_in", core::Json::array({place})}};
}

inline core::Json issuerDocument()
{
    return {{"issuer", kIssuerUrl}, {"authorization_endpoint", "https://login.example/auth"},
        {"token_endpoint", "https://login.example/token"},
        {"device_authorization_endpoint", "https://login.example/device"},
        {"revocation_endpoint", "https://login.example/revoke"},
        {"code_challenge_methods_supported", core::Json::array({"S256"})},
        {"authorization_response_iss_parameter_supported", true},
        {"scopes_supported", core::Json::array({"openid", "offline_access"})}};
}

inline core::Json claims(const std::string& nonce, const core::Clock& clock)
{
    const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.wallNow().time_since_epoch()).count();
    core::Json all{{"iss", kIssuerUrl}, {"aud", kClientId}, {"sub", "ada-1"}, {"preferred_username", "ada"},
        {"iat", now}, {"exp", now + 300}};
    if (!nonce.empty()) {
        all["nonce"] = nonce;
    }
    return all;
}

/// Signed with nothing: whoever reads it has it from the token endpoint.
inline std::string idToken(const core::Json& claims)
{
    const auto part = [](const std::string& text) {
        return core::encodeBase64Url(core::Bytes(text.begin(), text.end()));
    };
    return part(R"({"alg":"RS256"})") + "." + part(core::writeJson(claims)) + ".c2lnbmF0dXJl";
}

class FakeBrowser final : public core::Browser {
public:
    bool open(const std::string& url) override
    {
        opened.push_back(url);
        return isThere;
    }
    bool isThere = true;
    std::vector<std::string> opened;
};

class FakeRedirectListener final : public core::RedirectListener {
public:
    core::Expected<std::string, core::Error> open(Arrived done) override
    {
        if (!hasPort) {
            return core::fail(core::ErrorCode::Internal, "no port");
        }
        arrived = std::move(done);
        return "http://127.0.0.1:4711/callback";
    }
    void close() override { arrived = {}; }
    [[nodiscard]] bool isOpen() const { return arrived != nullptr; }
    /// Somebody comes; as with the real one, it is shut after the answer.
    Verdict come(const std::string& query)
    {
        const Arrived called = arrived;
        const Verdict verdict = called(query);
        if (verdict != Verdict::NotOurs) {
            arrived = {};
        }
        return verdict;
    }
    bool hasPort = true;
    Arrived arrived;
};

/// One person, one broker, one issuer; the test is all of the network.
struct SignInWorld {
    using Stage = core::SignInStatus::Stage;

    SignInWorld()
    {
        signIn.follow([this](const core::SignInStatus& status) { stages.push_back(status.stage); });
        signIn.setBroker(kBrokerUrl);
    }

    [[nodiscard]] const core::HttpClient::Request& request() const { return http.sent.front().request; }
    void answer(const core::Json& json, int status = 200) { http.answer(status, core::writeJson(json)); }
    /// Not now: with that code, and a wait of so many seconds.
    void putOff(int status, const char* code, const char* seconds)
    {
        core::HttpClient::Response response{status, {}, core::writeJson({{"error", code}})};
        response.headers.add("Retry-After", seconds);
        http.answer(std::move(response));
    }
    [[nodiscard]] std::string asked(const char* name) const { return valueOf(request().body, name); }
    /// In the address that the browser was sent to.
    [[nodiscard]] std::string wanted(const char* name) const
    {
        return valueOf(browser.opened.back().substr(browser.opened.back().find('?') + 1), name);
    }
    [[nodiscard]] Stage stage() const { return signIn.status().stage; }
    [[nodiscard]] std::optional<core::ErrorCode> failure() const
    {
        const auto& error = signIn.status().error;
        return error ? std::optional(error->code) : std::nullopt;
    }

    void startUntilBrowser()
    {
        signIn.start(core::Account::Way::Browser);
        answer(placeDocument());
        answer(issuerDocument());
    }
    void startUntilDevice()
    {
        signIn.start(core::Account::Way::Device);
        answer(placeDocument());
        answer(issuerDocument());
        answer(deviceDocument());
    }
    static core::Json deviceDocument()
    {
        return {{"device_code", "a-device-code-of-some-length"}, {"user_code", "WDJB-MJHT"},
            {"verification_uri", "https://login.example/device"}, {"expires_in", 600}, {"interval", 5}};
    }
    [[nodiscard]] std::string goodRedirect() const
    {
        return "code=the-code&state=" + wanted("state") + "&iss=https%3A%2F%2Flogin.example";
    }
    [[nodiscard]] core::Json tokens(
        const std::string& access, const std::string& refresh, const std::string& nonce) const
    {
        core::Json answer{{"access_token", access}, {"token_type", "Bearer"}, {"expires_in", 300},
            {"id_token", idToken(claims(nonce, clock))}};
        if (!refresh.empty()) {
            answer["refresh_token"] = refresh;
        }
        return answer;
    }
    void signInAs(const std::string& access = "access-1", const std::string& refresh = "refresh-1")
    {
        startUntilBrowser();
        redirect.come(goodRedirect());
        answer(tokens(access, refresh, wanted("nonce")));
    }
    using Fetched = std::shared_ptr<std::optional<core::Expected<core::CredentialPtr, core::Error>>>;
    Fetched fetch()
    {
        auto fetched = std::make_shared<std::optional<core::Expected<core::CredentialPtr, core::Error>>>();
        signIn.fetch(
            [fetched](core::Expected<core::CredentialPtr, core::Error> result) { *fetched = std::move(result); });
        return fetched;
    }

    ManualClock clock;
    ManualExecutor executor{clock};
    FakeHttpClient http;
    FakeBrowser browser;
    FakeRedirectListener redirect;
    std::vector<Stage> stages;
    core::SignIn signIn{{http, clock, executor, browser, redirect, sha256Of}};
};

} // namespace vivavoce::tests
