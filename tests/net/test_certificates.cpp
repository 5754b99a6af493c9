#include "tests/net/test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace vivavoce::net::test {
namespace {

template <auto Free>
struct Freed {
    template <typename T>
    void operator()(T* it) const
    {
        Free(it);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using File = std::unique_ptr<std::FILE, Freed<std::fclose>>;

constexpr long kDay = 24L * 60 * 60;

struct Wish {
    std::string name;
    std::string alternatives;
    bool isCa = false;
    long lastsUntil = kDay;
};

void addExtension(X509* certificate, X509* issuer, int what, const std::string& value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

/// Signed by `issuer`, or by itself without one.
Certificate makeCertificate(const Wish& wish, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuerKey)
{
    static long serial = 1;
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2 * kDay);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.lastsUntil);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(
        name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
    X509* signer = issuer == nullptr ? certificate.get() : issuer;
    X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer));
    addExtension(
        certificate.get(), signer, NID_basic_constraints, wish.isCa ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!wish.alternatives.empty()) {
        addExtension(certificate.get(), signer, NID_subject_alt_name, wish.alternatives);
    }
    if (X509_sign(certificate.get(), issuerKey == nullptr ? key : issuerKey, EVP_sha256()) == 0) {
        throw std::runtime_error("a test certificate was not signed");
    }
    return certificate;
}

EVP_PKEY* newKey()
{
    return EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
}

File open(const std::string& path)
{
    File file(std::fopen(path.c_str(), "wb"));
    if (!file) {
        throw std::runtime_error("cannot write " + path);
    }
    return file;
}

TlsFiles save(const std::string& stem, X509* certificate, EVP_PKEY* key)
{
    TlsFiles files{stem + ".pem", stem + ".key"};
    PEM_write_X509(open(files.certificateChain).get(), certificate);
    PEM_write_PrivateKey(open(files.privateKey).get(), key, nullptr, nullptr, 0, nullptr, nullptr);
    return files;
}

} // namespace

TestCertificates makeCertificates(const std::string& folder)
{
    const std::string here = "DNS:localhost,IP:127.0.0.1";
    const Key caKey(newKey());
    const Certificate ca = makeCertificate({"Test authority", {}, true, kDay}, caKey.get(), nullptr, nullptr);
    const auto issue = [&](const std::string& file, const Wish& wish) {
        const Key key(newKey());
        return save(folder + "/" + file, makeCertificate(wish, key.get(), ca.get(), caKey.get()).get(), key.get());
    };
    TestCertificates made;
    made.caFile = save(folder + "/ca", ca.get(), caKey.get()).certificateChain;
    made.forLocalhost = issue("localhost", {"localhost", here, false, kDay});
    made.forElsewhere = issue("elsewhere", {"elsewhere.example", "DNS:elsewhere.example", false, kDay});
    made.expired = issue("expired", {"localhost", here, false, -kDay});
    const Key own(newKey());
    made.selfSigned = save(folder + "/self",
        makeCertificate({"localhost", here, false, kDay}, own.get(), nullptr, nullptr).get(), own.get());
    return made;
}

} // namespace vivavoce::net::test
