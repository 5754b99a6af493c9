#include "tests/broker/hostile_tokens.h"

#include "core/base/base64.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <utility>

namespace vivavoce::tests {
namespace {

using core::Json;

std::string numberOf(evp_pkey_st* key, const char* name)
{
    BIGNUM* raw = nullptr;
    EVP_PKEY_get_bn_param(key, name, &raw);
    const std::unique_ptr<BIGNUM, void (*)(BIGNUM*)> number(raw, &BN_free);
    core::Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return core::encodeBase64Url(bytes);
}

std::string decoded(std::string_view text)
{
    const core::Bytes bytes = *core::decodeBase64Url(text);
    return {bytes.begin(), bytes.end()};
}

/// Header and claims to be signed.
std::string message(const Json& header, const std::string& claims)
{
    return encoded(header.dump()) + "." + encoded(claims);
}

void addNone(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const std::array<std::pair<const char*, const char*>, 4> names{
        {{"alg none", "none"}, {"alg None", "None"}, {"alg NONE", "NONE"}, {"alg nOnE", "nOnE"}}};
    for (const auto& [name, alg] : names) {
        tokens.push_back({name, message({{"alg", alg}, {"typ", "at+jwt"}, {"kid", "r"}}, f.claims.dump()) + "."});
    }
    const std::string good = message({{"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", "r"}}, f.claims.dump());
    tokens.push_back({"no signature", good + "."});
    tokens.push_back({"no signature and no dot", good});
    const std::string none = message({{"alg", "none"}, {"typ", "at+jwt"}, {"kid", "r"}}, f.claims.dump());
    tokens.push_back({"alg none with a good signature", none + "." + f.issuerKey.sign(none)});
}

/// The public key taken for a secret (RFC 8725 §2.1).
void addConfused(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const std::string pem = f.issuerKey.publicPem();
    const Json jwk = f.issuerKey.publicJwk("r");
    const std::array<std::pair<const char*, std::string>, 7> secrets{{
        {"HS256 by the public PEM", pem},
        {"HS256 by the public PEM without its last line feed", pem.substr(0, pem.size() - 1)},
        {"HS256 by the JWK", jwk.dump()},
        {"HS256 by the JWKS", Json({{"keys", Json::array({jwk})}}).dump()},
        {"HS256 by the modulus", decoded(jwk.at("n").get<std::string>())},
        {"HS256 by the written modulus", jwk.at("n").get<std::string>()},
        {"HS256 by nothing", ""},
    }};
    for (const auto& [name, secret] : secrets) {
        const std::string text = message({{"alg", "HS256"}, {"typ", "at+jwt"}, {"kid", "r"}}, f.claims.dump());
        tokens.push_back({name, text + "." + hmac(text, secret)});
    }
    const std::string nameless = message({{"alg", "HS256"}, {"typ", "at+jwt"}}, f.claims.dump());
    tokens.push_back({"HS256 by the PEM, nameless", nameless + "." + hmac(nameless, pem)});
    for (const char* alg : {"PS256", "RS1", "RS512", "ES256", "EdDSA"}) {
        const std::string text = message({{"alg", alg}, {"typ", "at+jwt"}, {"kid", "r"}}, f.claims.dump());
        tokens.push_back({alg, text + "." + f.issuerKey.sign(text)});
    }
}

/// A header that brings its own key, or says where one is. Signed by that key, and well.
void addOwnKeys(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const RsaKey own;
    const std::array<std::pair<const char*, Json>, 9> members{{
        {"jwk", own.publicJwk("r")},
        {"jku", f.trapUrl + "/keys"},
        {"x5u", f.trapUrl + "/cert.pem"},
        {"x5c", Json::array({"MIIB"})},
        {"x5t", "AAAA"},
        {"x5t#S256", "AAAA"},
        {"crit", Json::array({"exp"})},
        {"crit", Json::array()},
        {"b64", false},
    }};
    for (const auto& [name, value] : members) {
        for (const RsaKey* signer : {&own, &f.issuerKey}) {
            // A thumbprint in a good token is nothing but a name.
            if (signer == &f.issuerKey && std::string_view(name).starts_with("x5t")) {
                continue;
            }
            Json header{{"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", "r"}};
            header[name] = value;
            const std::string text = message(header, f.claims.dump());
            tokens.push_back({name, text + "." + signer->sign(text)});
        }
    }
    const Json unencoded{
        {"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", "r"}, {"b64", false}, {"crit", Json::array({"b64"})}};
    const std::string text = encoded(unencoded.dump()) + "." + encoded(f.claims.dump());
    tokens.push_back({"b64 that is critical", text + "." + f.issuerKey.sign(text)});
}

/// Names of keys that mean something to a file system, a database, a shell, a network.
void addNames(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const std::array<std::pair<const char*, std::string>, 8> names{{
        {"kid walks to an empty file", "../../../../../../dev/null"},
        {"kid is a file", "/proc/sys/kernel/randomize_va_space"},
        {"kid injects SQL", "x' UNION SELECT 'secret' -- "},
        {"kid drops", "r'; DROP TABLE keys; --"},
        {"kid runs", "r|/usr/bin/id"},
        {"kid is a place", f.trapUrl + "/kid"},
        {"kid with NUL", std::string("r\0x", 3)},
        {"kid in other case", "R"},
    }};
    for (const auto& [name, kid] : names) {
        const std::string hs = message({{"alg", "HS256"}, {"typ", "at+jwt"}, {"kid", kid}}, f.claims.dump());
        tokens.push_back({name, hs + "." + hmac(hs, "secret")});
        const std::string rs = message({{"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", kid}}, f.claims.dump());
        tokens.push_back({name, rs + "." + f.issuerKey.sign(rs)});
    }
    Json elsewhere = f.claims;
    elsewhere["iss"] = f.trapUrl;
    const std::string text = message({{"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", "r"}}, elsewhere.dump());
    tokens.push_back({"iss is a trap", text + "." + f.issuerKey.sign(text)});
}

/// Well signed by the issuer, and yet to be read in more than one way, or not at all.
void addAmbiguous(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const std::string head = R"({"alg":"RS256","typ":"at+jwt","kid":"r")";
    const std::string claims = f.claims.dump();
    const std::string open = claims.substr(0, claims.size() - 1);
    const auto deep = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
    const std::array<std::array<std::string, 2>, 12> pairs{{
        {head + R"(,"alg":"RS256"})", claims},
        {head + R"(,"\u0061lg":"none"})", claims},
        {head + R"(,"kid":"r"})", claims},
        {head + "}", open + R"(,"sub":"root"})"},
        {head + "}", open + R"(,"\u0073ub":"root"})"},
        {head + "}", open + R"(,"a":)" + deep(1'400) + "}"},
        {head + R"(,"a":)" + deep(1'400) + "}", claims},
        {head + "} ", claims + "x"},
        {head + "}{}", claims},
        {"\xEF\xBB\xBF" + head + "}", claims},
        {head + "}", open + ",\"a\":\"\xC0\xAF\"}"},
        {head + "}", open + R"(,"a":NaN})"},
    }};
    constexpr std::array names{"alg twice", "alg twice, escaped", "kid twice", "sub twice", "sub twice, escaped",
        "deep claims", "deep header", "more behind the claims", "more behind the header", "byte order mark",
        "overlong UTF-8", "NaN"};
    for (std::size_t i = 0; i < pairs.size(); ++i) {
        const std::string text = encoded(pairs.at(i)[0]) + "." + encoded(pairs.at(i)[1]);
        tokens.push_back({names.at(i), text + "." + f.issuerKey.sign(text)});
    }
}

/// The same bytes, written otherwise.
void addSpelling(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const std::string text = message({{"alg", "RS256"}, {"typ", "at+jwt"}, {"kid", "r"}}, f.claims.dump());
    const std::string signature = f.issuerKey.sign(text);
    const std::string good = text + "." + signature;
    tokens.push_back({"padding", good + "=="});
    tokens.push_back({"space", text + ". " + signature});
    tokens.push_back({"tab", text + ".\t" + signature});
    tokens.push_back({"dot at the end", good + "."});
    tokens.push_back({"dot at the beginning", "." + good});
    tokens.push_back({"percent", text + "%2E" + signature});
    tokens.push_back({"quoted", "\"" + good + "\""});
    tokens.push_back({"twice", good + "," + good});
    tokens.push_back({"a byte more", good + "AA"});
    tokens.push_back({"a byte less", good.substr(0, good.size() - 2)});
    // 256 bytes leave four unused bits in the last letter; the canonical one has them at zero.
    std::string spare = good;
    spare.back() = static_cast<char>(spare.back() + 1);
    tokens.push_back({"spare bits", spare});
    tokens.push_back({"JSON serialisation",
        Json({{"payload", encoded(f.claims.dump())}, {"protected", text.substr(0, text.find('.'))},
                 {"signature", signature}})
            .dump()});
    const std::string jwe = encoded(R"({"alg":"dir","enc":"A128GCM","zip":"DEF","typ":"at+jwt","kid":"r"})");
    tokens.push_back({"compressed JWE", jwe + "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA"});
    tokens.push_back({"too long", text + "." + std::string(9'000, 'A')});
    tokens.push_back({"only dots", ".."});
}

/// ECDSA's own: a signature of zeros (CVE-2022-21449), one in DER, one of another length.
void addCurves(std::vector<HostileToken>& tokens, const Forgery& f)
{
    const std::string good(f.issuerEcKey.sign("at+jwt", f.claims).reveal());
    const std::string text = good.substr(0, good.rfind('.'));
    tokens.push_back({"signature of zeros", text + "." + encoded(std::string(64, '\0'))});
    tokens.push_back({"r and s are the order",
        text + "."
            + encoded(
                decoded("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVH_____AAAAAP__________vOb6racXnoTzucrC_GMlUQ"))});
    tokens.push_back({"DER", text + "." + encoded(std::string("\x30\x06\x02\x01\x01\x02\x01\x01", 8))});
    tokens.push_back({"two signatures", good + good.substr(good.rfind('.') + 1)});
}

} // namespace

RsaKey::RsaKey() : m_key(EVP_RSA_gen(2048), &EVP_PKEY_free) {}

Json RsaKey::publicJwk(const std::string& kid) const
{
    return {{"kty", "RSA"}, {"kid", kid}, {"n", numberOf(m_key.get(), OSSL_PKEY_PARAM_RSA_N)},
        {"e", numberOf(m_key.get(), OSSL_PKEY_PARAM_RSA_E)}};
}

std::string RsaKey::publicPem() const
{
    const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(out.get(), m_key.get());
    std::string text(static_cast<std::size_t>(BIO_ctrl_pending(out.get())), '\0');
    BIO_read(out.get(), text.data(), static_cast<int>(text.size()));
    return text;
}

std::string RsaKey::sign(std::string_view message) const
{
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
    EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, m_key.get());
    const core::Bytes bytes(message.begin(), message.end());
    core::Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(m_key.get())));
    std::size_t size = signature.size();
    EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size());
    signature.resize(size);
    return core::encodeBase64Url(signature);
}

std::string encoded(std::string_view text)
{
    return core::encodeBase64Url(core::Bytes(text.begin(), text.end()));
}

std::string hmac(std::string_view message, std::string_view key)
{
    std::array<std::uint8_t, 32> mac{};
    unsigned int size = 0;
    const core::Bytes bytes(message.begin(), message.end());
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes.data(), bytes.size(), mac.data(), &size);
    return core::encodeBase64Url(mac);
}

std::vector<HostileToken> hostileTokens(const Forgery& forgery)
{
    std::vector<HostileToken> tokens;
    for (const auto add : {addNone, addConfused, addOwnKeys, addNames, addAmbiguous, addSpelling, addCurves}) {
        add(tokens, forgery);
    }
    return tokens;
}

} // namespace vivavoce::tests
