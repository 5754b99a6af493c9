// What a bearer shows: as it comes, signed by us over any header and claims, and any set of keys to verify it with.
#include "broker/auth/json_web_token.h"
#include "core/base/base64.h"
#include "tests/fuzz/property.h"

#include <nlohmann/json.hpp>
#include <openssl/hmac.h>

#include <array>

using namespace vivavoce;
using namespace vivavoce::broker::auth;
using core::Json;

namespace {

constexpr std::string_view kSecret = "0123456789abcdef0123456789abcdef";
const core::WallTime kNow{std::chrono::seconds(1'800'000'000)};

ClaimRules rules()
{
    ClaimRules rules;
    rules.issuer = "https://issuer.example";
    rules.audiences = {"vivavoce"};
    return rules;
}

const JsonWebKeySet& publicKeys()
{
    static const JsonWebKeySet keys = *JsonWebKeySet::read(
        Json::parse(R"({"keys":[{"kty":"EC","kid":"e","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",)"
                    R"("y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},)"
                    R"({"kty":"OKP","kid":"o","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]})"));
    return keys;
}

const JsonWebKeySet& ownKeys()
{
    static const JsonWebKeySet keys({*JsonWebKey::fromSecret("k1", core::Secret(std::string(kSecret)))});
    return keys;
}

std::string encoded(std::string_view text)
{
    return core::encodeBase64Url(core::Bytes(text.begin(), text.end()));
}

std::string signedToken(std::string_view header, std::string_view claims)
{
    const std::string message = encoded(header) + "." + encoded(claims);
    const core::Bytes bytes(message.begin(), message.end());
    std::array<std::uint8_t, 32> mac{};
    unsigned int size = 0;
    HMAC(EVP_sha256(), kSecret.data(), static_cast<int>(kSecret.size()), bytes.data(), bytes.size(), mac.data(), &size);
    return message + "." + core::encodeBase64Url(mac);
}

/// Nobody but the holders of the private keys, which are not here, can make one that is good.
void showAsItComes(std::string_view token)
{
    auto read = readToken(token);
    if (read) {
        fuzz::require(!verify(std::move(*read), publicKeys(), rules(), kNow), "nobody forges a token");
    }
}

/// Header and claims, divided by a line feed.
void showSigned(std::string_view text)
{
    const std::size_t line = text.find('\n');
    if (line == std::string_view::npos) {
        return;
    }
    auto read = readToken(signedToken(text.substr(0, line), text.substr(line + 1)));
    if (!read) {
        return;
    }
    const auto verified = verify(std::move(*read), ownKeys(), rules(), kNow);
    if (verified) {
        fuzz::require(verified->issuer == rules().issuer, "a good token is of the issuer");
        fuzz::require(!verified->subject.empty() && verified->subject.size() <= 255, "a good token says who");
        fuzz::require(verified->expiresAt > kNow - std::chrono::seconds(30), "a good token is not over");
        fuzz::require(verified->claims->contains("aud"), "a good token is for somebody");
    }
}

void readKeys(std::string_view text)
{
    const auto json = core::parseJson(text);
    if (!json) {
        return;
    }
    if (const auto keys = JsonWebKeySet::read(*json)) {
        (void)keys->find("k1", JoseAlgorithm::Rs256);
        (void)keys->has("e");
    }
    if (const auto key = JsonWebKey::read(*json)) {
        const std::array<std::uint8_t, 64> nothing{};
        fuzz::require(!key->verifies("message", nothing), "a signature of zeros verifies nothing");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::textOf(data, size);
    if (text.empty()) {
        return 0;
    }
    // The first letter says what the rest is: seeds can be read and written by hand.
    switch (text.front()) {
    case 's':
        showSigned(text.substr(1));
        break;
    case 'k':
        readKeys(text.substr(1));
        break;
    default:
        showAsItComes(text.substr(1));
    }
    return 0;
}
