#include "broker/limits/internal/redis_tls.h"

#ifdef VV_HIREDIS_TLS

#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <memory>

namespace vivavoce::broker {
namespace {

struct TlsFree {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
    void operator()(SSL* tls) const { SSL_free(tls); }
};

} // namespace

core::Expected<void, std::string> startTls(redisContext& context, const RedisAddress& address)
{
    // hiredis' own context would trust any host that has a certificate.
    const std::unique_ptr<SSL_CTX, TlsFree> settings(SSL_CTX_new(TLS_client_method()));
    if (!settings || SSL_CTX_set_min_proto_version(settings.get(), TLS1_2_VERSION) != 1) {
        return core::Unexpected<std::string>("TLS cannot be set up");
    }
    const int trusted = address.caFile.empty()
        ? SSL_CTX_set_default_verify_paths(settings.get())
        : SSL_CTX_load_verify_locations(settings.get(), address.caFile.c_str(), nullptr);
    if (trusted != 1) {
        return core::Unexpected<std::string>("the certificates to trust cannot be read");
    }
    SSL_CTX_set_verify(settings.get(), SSL_VERIFY_PEER, nullptr);
    std::unique_ptr<SSL, TlsFree> tls(SSL_new(settings.get()));
    if (!tls) {
        return core::Unexpected<std::string>("TLS cannot be set up");
    }
    // OpenSSL's own macro for the second name is an old cast; the function under it wants bytes that could be written.
    std::string host = address.host;
    const bool isAddress = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls.get()), host.c_str()) == 1;
    const auto tellHost = [&] {
        return SSL_set1_host(tls.get(), host.c_str()) == 1
            && SSL_ctrl(tls.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, host.data()) == 1;
    };
    if (!isAddress && !tellHost()) {
        return core::Unexpected<std::string>("the host is no name for TLS");
    }
    if (redisInitiateSSL(&context, tls.get()) != REDIS_OK) {
        return core::Unexpected<std::string>(context.errstr);
    }
    // The connection frees it from here on.
    static_cast<void>(tls.release());
    return {};
}

} // namespace vivavoce::broker

#else

namespace vivavoce::broker {

core::Expected<void, std::string> startTls(redisContext& /*context*/, const RedisAddress& /*address*/)
{
    return core::Unexpected<std::string>("this build has no TLS for Redis");
}

} // namespace vivavoce::broker

#endif
