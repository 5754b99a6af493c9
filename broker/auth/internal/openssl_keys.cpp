#include "broker/auth/internal/openssl_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>

#include <algorithm>
#include <array>

namespace vivavoce::broker::auth {
namespace {

template <auto Free>
struct FreedBy {
    template <typename T>
    void operator()(T* object) const
    {
        Free(object);
    }
};
using Number = std::unique_ptr<BIGNUM, FreedBy<BN_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreedBy<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, FreedBy<OSSL_PARAM_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreedBy<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreedBy<EVP_MD_CTX_free>>;
using Memory = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, FreedBy<ECDSA_SIG_free>>;

constexpr std::size_t kCoordinate = 32;
/// RFC 7518 §3.3; the upper bound keeps a verification from becoming a burden.
constexpr int kFewestRsaBits = 2048;
constexpr int kMostRsaBits = 8192;

core::Unexpected<KeyFault> fail(KeyFault fault)
{
    return core::Unexpected<KeyFault>(fault);
}

Number number(std::span<const std::uint8_t> bigEndian)
{
    return Number(BN_bin2bn(bigEndian.data(), static_cast<int>(bigEndian.size()), nullptr));
}

core::Expected<PublicKey, KeyFault> build(const char* type, OSSL_PARAM_BLD* builder)
{
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1
        || EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1) {
        return fail(KeyFault::Malformed);
    }
    PublicKey key(made, &EVP_PKEY_free);
    const KeyContext check(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
    if (!check || EVP_PKEY_public_check(check.get()) != 1) {
        return fail(KeyFault::Malformed);
    }
    return key;
}

/// Moduli that Infineon's generator made are powers of 65537 modulo every small prime (CVE-2017-15361, "ROCA").
bool isOfBrokenGenerator(const BIGNUM* modulus)
{
    constexpr std::array<BN_ULONG, 17> kPrimes{
        11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157};
    return std::all_of(kPrimes.begin(), kPrimes.end(), [&](BN_ULONG prime) {
        const BN_ULONG rest = BN_mod_word(modulus, prime);
        BN_ULONG power = 1;
        for (BN_ULONG i = 0; i < prime; ++i) {
            if (power == rest) {
                return true;
            }
            power = power * 65537 % prime;
        }
        return false;
    });
}

} // namespace

core::Expected<PublicKey, KeyFault> rsaPublicKey(
    std::span<const std::uint8_t> modulus, std::span<const std::uint8_t> exponent)
{
    const Number n = number(modulus);
    const Number e = number(exponent);
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder) {
        return fail(KeyFault::Malformed);
    }
    const int bits = BN_num_bits(n.get());
    if (bits < kFewestRsaBits || bits > kMostRsaBits || !BN_is_odd(e.get()) || BN_is_one(e.get())
        || BN_num_bits(e.get()) > 64 || isOfBrokenGenerator(n.get())) {
        return fail(KeyFault::Weak);
    }
    if (OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1
        || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return fail(KeyFault::Malformed);
    }
    return build("RSA", builder.get());
}

core::Expected<PublicKey, KeyFault> p256PublicKey(std::span<const std::uint8_t> x, std::span<const std::uint8_t> y)
{
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (x.size() != kCoordinate || y.size() != kCoordinate || !builder) {
        return fail(KeyFault::Malformed);
    }
    // Uncompressed (SEC 1 §2.3.3).
    core::Bytes point{0x04};
    point.insert(point.end(), x.begin(), x.end());
    point.insert(point.end(), y.begin(), y.end());
    if (OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1
        || OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1) {
        return fail(KeyFault::Malformed);
    }
    return build("EC", builder.get());
}

core::Expected<PublicKey, KeyFault> ed25519PublicKey(std::span<const std::uint8_t> x)
{
    EVP_PKEY* const made = x.size() == kCoordinate
        ? EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, x.data(), x.size())
        : nullptr;
    if (made == nullptr) {
        return fail(KeyFault::Malformed);
    }
    return PublicKey(made, &EVP_PKEY_free);
}

std::optional<core::Bytes> derOfRawEcdsa(std::span<const std::uint8_t> raw)
{
    if (raw.size() != 2 * kCoordinate) {
        return std::nullopt;
    }
    const EcdsaSignature signature(ECDSA_SIG_new());
    Number r = number(raw.first(kCoordinate));
    Number s = number(raw.last(kCoordinate));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.release(), s.release()) != 1) {
        return std::nullopt;
    }
    unsigned char* encoded = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &encoded);
    if (size <= 0) {
        return std::nullopt;
    }
    core::Bytes der(encoded, encoded + size);
    OPENSSL_free(encoded);
    return der;
}

std::optional<core::Bytes> rawOfDerEcdsa(std::span<const std::uint8_t> der)
{
    const unsigned char* at = der.data();
    const EcdsaSignature signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    core::Bytes raw(2 * kCoordinate);
    constexpr int kSize = kCoordinate;
    if (!signature || BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), kSize) != kSize
        || BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + kCoordinate, kSize) != kSize) {
        return std::nullopt;
    }
    return raw;
}

PrivateKey privateKeyOfPem(std::string_view pem)
{
    const Memory memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    // Nobody is there to be asked for a passphrase.
    const auto noPassphrase = [](char*, int, int, void*) { return 0; };
    EVP_PKEY* const key = memory ? PEM_read_bio_PrivateKey(memory.get(), nullptr, noPassphrase, nullptr) : nullptr;
    return key == nullptr ? nullptr : PrivateKey(key, &EVP_PKEY_free);
}

PrivateKey generatePrivateKey(JoseAlgorithm algorithm)
{
    EVP_PKEY* key = nullptr;
    if (algorithm == JoseAlgorithm::Es256) {
        key = EVP_EC_gen("P-256");
    } else if (algorithm == JoseAlgorithm::EdDsa) {
        key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
    }
    return key == nullptr ? nullptr : PrivateKey(key, &EVP_PKEY_free);
}

std::optional<Point> p256Point(evp_pkey_st& key)
{
    std::array<char, 64> group{};
    if (EVP_PKEY_is_a(&key, "EC") != 1
        || EVP_PKEY_get_utf8_string_param(&key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), nullptr) != 1
        || std::string_view(group.data()) != "prime256v1") {
        return std::nullopt;
    }
    BIGNUM* x = nullptr;
    BIGNUM* y = nullptr;
    const bool hasX = EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1;
    const bool hasY = EVP_PKEY_get_bn_param(&key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1;
    const Number ownedX(x);
    const Number ownedY(y);
    constexpr int kSize = kCoordinate;
    Point point{core::Bytes(kCoordinate), core::Bytes(kCoordinate)};
    if (!hasX || !hasY || BN_bn2binpad(x, point.x.data(), kSize) != kSize
        || BN_bn2binpad(y, point.y.data(), kSize) != kSize) {
        return std::nullopt;
    }
    return point;
}

bool isEd25519(evp_pkey_st& key)
{
    return EVP_PKEY_is_a(&key, "ED25519") == 1;
}

core::Bytes rawPublicKey(evp_pkey_st& key)
{
    core::Bytes raw(kCoordinate);
    std::size_t size = raw.size();
    if (EVP_PKEY_get_raw_public_key(&key, raw.data(), &size) != 1) {
        return {};
    }
    raw.resize(size);
    return raw;
}

std::optional<core::Bytes> signDigest(evp_pkey_st& key, const char* digest, std::string_view message)
{
    const DigestContext context(EVP_MD_CTX_new());
    const core::Bytes bytes(message.begin(), message.end());
    std::size_t size = 0;
    if (!context || EVP_DigestSignInit_ex(context.get(), nullptr, digest, nullptr, nullptr, &key, nullptr) != 1
        || EVP_DigestSign(context.get(), nullptr, &size, bytes.data(), bytes.size()) != 1) {
        return std::nullopt;
    }
    core::Bytes signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, bytes.data(), bytes.size()) != 1) {
        return std::nullopt;
    }
    signature.resize(size);
    return signature;
}

bool verifiesDigest(
    evp_pkey_st& key, const char* digest, std::string_view message, std::span<const std::uint8_t> signature)
{
    const DigestContext context(EVP_MD_CTX_new());
    const void* const data = message.data();
    return context && EVP_DigestVerifyInit_ex(context.get(), nullptr, digest, nullptr, nullptr, &key, nullptr) == 1
        && EVP_DigestVerify(context.get(), signature.data(), signature.size(), static_cast<const unsigned char*>(data),
               message.size())
        == 1;
}

} // namespace vivavoce::broker::auth
