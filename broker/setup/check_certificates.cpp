#include "broker/setup/check_certificates.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>

namespace vivavoce::broker {
namespace {

constexpr auto kSoon = std::chrono::hours{24 * 14};

using File = std::unique_ptr<BIO, decltype(&BIO_free_all)>;
using Certificate = std::unique_ptr<X509, decltype(&X509_free)>;
using PrivateKey = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

/// Without this OpenSSL would ask the terminal for the passphrase of an encrypted key.
int noPassphrase(char* /*into*/, int /*size*/, int /*isWriting*/, void* /*context*/)
{
    return -1;
}

Certificate readCertificate(const std::string& path)
{
    const File file(BIO_new_file(path.c_str(), "r"), &BIO_free_all);
    Certificate certificate(
        file == nullptr ? nullptr : PEM_read_bio_X509_AUX(file.get(), nullptr, &noPassphrase, nullptr), &X509_free);
    ERR_clear_error();
    return certificate;
}

PrivateKey readPrivateKey(const std::string& path)
{
    const File file(BIO_new_file(path.c_str(), "r"), &BIO_free_all);
    PrivateKey key(file == nullptr ? nullptr : PEM_read_bio_PrivateKey(file.get(), nullptr, &noPassphrase, nullptr),
        &EVP_PKEY_free);
    ERR_clear_error();
    return key;
}

/// Before, at or after a moment, as X509_cmp_time tells it: -1 where it is not later.
int compare(const ASN1_TIME* when, core::WallTime with)
{
    std::time_t seconds = std::chrono::system_clock::to_time_t(with);
    return X509_cmp_time(when, &seconds);
}

} // namespace

void checkCertificate(const std::string& certificate, const std::string& key, core::WallTime now, Problems& problems)
{
    const Certificate read = readCertificate(certificate);
    const PrivateKey privateKey = readPrivateKey(key);
    if (privateKey == nullptr) {
        problems.add("tls.key", "names a file that cannot be read or is no private key in PEM without a passphrase");
    }
    if (read == nullptr) {
        problems.add("tls.certificate", "names a file that cannot be read or is no certificate in PEM");
        return;
    }
    if (privateKey != nullptr && X509_check_private_key(read.get(), privateKey.get()) != 1) {
        problems.add("tls.key", "does not belong to tls.certificate");
    }
    ERR_clear_error();
    if (compare(X509_get0_notBefore(read.get()), now) > 0) {
        problems.add("tls.certificate", "is not valid yet");
    } else if (compare(X509_get0_notAfter(read.get()), now) <= 0) {
        problems.add("tls.certificate", "has expired");
    } else if (compare(X509_get0_notAfter(read.get()), now + kSoon) <= 0) {
        problems.add("tls.certificate", "expires within two weeks", Problems::Severity::Warning);
    }
}

bool holdsCertificate(const std::string& path)
{
    return readCertificate(path) != nullptr;
}

} // namespace vivavoce::broker
