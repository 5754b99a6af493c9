#pragma once

#include "core/ports/http_client.h"
#include "core/sign_in/authorization_server.h"

#include <string>

namespace vivavoce::core {

/// What somebody needs who signs in with another device (RFC 8628 §3.2).
struct DeviceAuthorization {
    Secret deviceCode;
    /// To be typed by a person.
    std::string userCode;
    std::string verificationUrl;
    /// With the code in it; empty where there is none.
    std::string completeUrl;
    Milliseconds life{0};
    Milliseconds interval{5'000};
};

/// Reads it and wipes the body. Errors as readTokenAnswer.
[[nodiscard]] Expected<DeviceAuthorization, Error> readDeviceAuthorization(HttpClient::Response& response);

} // namespace vivavoce::core
