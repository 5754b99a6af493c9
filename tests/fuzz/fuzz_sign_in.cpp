// What a broker, an issuer and a browser tell somebody who signs in.
#include "core/base/base64.h"
#include "core/sign_in/authorization.h"
#include "core/sign_in/device_authorization.h"
#include "core/sign_in/id_token.h"
#include "core/sign_in/secure_url.h"
#include "core/sign_in/token_answer.h"
#include "tests/fuzz/property.h"

using namespace vivavoce;
using namespace vivavoce::core;

namespace {

constexpr const char* kIssuer = "https://login.example";

void readDocuments(std::string_view text)
{
    if (const auto place = readSignInPlace("https://broker.example", text)) {
        fuzz::require(isSecureUrl(place->issuer), "the issuer is asked by https");
        fuzz::require(!place->clientId.empty(), "we have a name there");
    }
    if (const auto server = readAuthorizationServer(kIssuer, text)) {
        for (const std::string& url : {server->authorizationUrl, server->tokenUrl}) {
            fuzz::require(isSecureUrl(url), "each endpoint is asked by https");
        }
        for (const std::string& url : {server->deviceUrl, server->revocationUrl}) {
            fuzz::require(url.empty() || isSecureUrl(url), "each endpoint that there is is asked by https");
        }
    }
}

void readAnswers(std::string_view text)
{
    HttpClient::Response tokens{200, {}, std::string(text)};
    if (const auto answer = readTokenAnswer(tokens)) {
        fuzz::require(
            !answer->access->empty() && answer->life > Milliseconds{0}, "a token opens something for a while");
        fuzz::require(fuzz::isTame(answer->access->reveal()), "a token fits into a header");
    }
    HttpClient::Response device{200, {}, std::string(text)};
    if (const auto answer = readDeviceAuthorization(device)) {
        fuzz::require(isSecureUrl(answer->verificationUrl), "people are sent nowhere but by https");
        fuzz::require(fuzz::isTame(answer->userCode), "a code is one line");
        fuzz::require(
            answer->interval > Milliseconds{0} && answer->life > Milliseconds{0}, "nobody asks without a pause");
    }
    fuzz::require(tokens.body.empty() && device.body.empty(), "what was read is wiped");
    const HttpClient::Response refusal{400, {}, std::string(text)};
    fuzz::require(fuzz::isTame(errorOfIssuer(refusal).foreignCode), "a refusal's code is one line");
}

void readClaims(std::string_view text)
{
    const std::string token = "e30." + encodeBase64Url(Bytes(text.begin(), text.end())) + ".c2ln";
    for (const std::string_view each : {std::string_view(token), text}) {
        const auto person = readIdToken(Secret(each), {kIssuer, "app", "N", WallTime(std::chrono::hours(1))});
        if (person) {
            fuzz::require(!person->subject.empty() && !person->name.empty(), "whoever is signed in has a name");
            fuzz::require(fuzz::isTame(person->name), "a name is one line");
        }
    }
}

void readQuery(std::string_view text)
{
    AuthorizationServer server;
    server.issuer = kIssuer;
    server.tellsIssuer = true;
    Transaction transaction;
    transaction.state = Secret("S");
    if (const auto code = readRedirect(text, server, transaction)) {
        fuzz::require(!code->empty(), "a code is something");
        fuzz::require(isAnswerTo(text, transaction), "a code comes with the answer");
        fuzz::require(text.find("iss=") != std::string_view::npos && text.find("state=") != std::string_view::npos,
            "nothing is believed that does not say whose answer it is, and to what");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::textOf(data, size);
    readDocuments(text);
    readAnswers(text);
    readClaims(text);
    readQuery(text);
    return 0;
}
