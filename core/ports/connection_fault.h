#pragma once

/// Why there was no connection, where that is known: the `foreignCode` of an error BrokerUnreachable or ProviderUnreachable; of a choice of
/// network that cannot be followed, of BadConfiguration. As stable as the codes are.
namespace vivavoce::core::connection_fault {

/// Nobody answers at its address.
inline constexpr const char* kProxyUnreachable = "proxy.unreachable";
/// Its name is not known, or it does not know that of the other side.
inline constexpr const char* kProxyNotFound = "proxy.not_found";
/// It asks for a name and a password (407).
inline constexpr const char* kProxyPassword = "proxy.password";
/// It does not let this connection through, or does not speak as a proxy does.
inline constexpr const char* kProxyRefused = "proxy.refused";
/// By an authority that nobody here knows.
inline constexpr const char* kCertificateUntrusted = "certificate.untrusted";
inline constexpr const char* kCertificateExpired = "certificate.expired";
/// It is for another host.
inline constexpr const char* kCertificateElsewhere = "certificate.elsewhere";

/// What is set, or in the environment, is no proxy that can be used.
inline constexpr const char* kProxyChoice = "network.proxy";
inline constexpr const char* kCaFileChoice = "network.ca_file";

} // namespace vivavoce::core::connection_fault
