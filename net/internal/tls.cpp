#include "net/internal/tls.h"

#include <boost/asio/ssl/host_name_verification.hpp>

#include <openssl/ssl.h>

namespace vivavoce::net {
namespace {

/// TLS 1.2 with forward secrecy and authenticated encryption; TLS 1.3 has nothing else.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

void restrict(ssl::context& context)
{
    SSL_CTX* native = context.native_handle();
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_cipher_list(native, kCiphers);
    SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
}

} // namespace

core::Expected<std::shared_ptr<ssl::context>, core::Error> makeServerTls(const TlsFiles& files)
{
    auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
    restrict(*context);
    ErrorCode error;
    // Without this OpenSSL would ask the terminal for the passphrase of an encrypted key.
    context->set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
    context->use_certificate_chain_file(files.certificateChain, error);
    if (error) {
        return core::fail(
            core::ErrorCode::BadConfiguration, "the certificate " + files.certificateChain + " cannot be used");
    }
    context->use_private_key_file(files.privateKey, ssl::context::pem, error);
    if (error) {
        return core::fail(core::ErrorCode::BadConfiguration,
            "the private key " + files.privateKey + " cannot be used with the certificate");
    }
    return context;
}

core::Expected<std::shared_ptr<ssl::context>, core::Error> makeClientTls(const TlsTrust& trust)
{
    auto context = std::make_shared<ssl::context>(ssl::context::tls_client);
    restrict(*context);
    ErrorCode error;
    context->set_verify_mode(ssl::verify_peer, error);
    context->set_default_verify_paths(error);
    if (!trust.extraCaFile.empty()) {
        context->load_verify_file(trust.extraCaFile, error);
        if (error) {
            return core::fail(
                core::ErrorCode::BadConfiguration, "the CA file " + trust.extraCaFile + " cannot be used");
        }
    }
    return context;
}

bool expectHost(TlsStream& stream, const std::string& host)
{
    ErrorCode error;
    stream.set_verify_callback(ssl::host_name_verification(host), error);
    if (error) {
        return false;
    }
    asio::ip::make_address(host, error);
    // An address is no name to indicate (RFC 6066 §3).
    if (!error) {
        return true;
    }
    // What the macro SSL_set_tlsext_host_name does, without its old-style cast; OpenSSL copies the name.
    std::string name = host;
    return SSL_ctrl(stream.native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

} // namespace vivavoce::net
