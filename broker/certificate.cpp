#include "broker/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <chrono>
#include <memory>

namespace vivavoce::broker {

std::optional<core::WallTime> certificateEnd(const std::string& file)
{
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_file(file.c_str(), "r"), &BIO_free);
    if (bio == nullptr) {
        return std::nullopt;
    }
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
    int days = 0;
    int seconds = 0;
    // Counted from now, so that no calendar of the system's zone is asked.
    if (certificate == nullptr
        || ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate.get())) != 1) {
        return std::nullopt;
    }
    const auto left = std::chrono::hours(24) * days + std::chrono::seconds(seconds);
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) + left;
}

} // namespace vivavoce::broker
