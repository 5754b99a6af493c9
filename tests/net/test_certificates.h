#pragma once

#include "net/server.h"

#include <string>

namespace vivavoce::net::test {

/// A certificate authority that lives as long as a test, with one certificate for "localhost" and 127.0.0.1 and one for
/// another name. Files in `folder`.
struct TestCertificates {
    std::string caFile;
    TlsFiles forLocalhost;
    TlsFiles forElsewhere;
    /// For localhost, but signed by nobody else.
    TlsFiles selfSigned;
    /// Was good until yesterday.
    TlsFiles expired;
};

TestCertificates makeCertificates(const std::string& folder);

} // namespace vivavoce::net::test
