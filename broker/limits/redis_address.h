#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace vivavoce::broker {

/// Where Redis is and how one gets in: what REDIS_URL says.
struct RedisAddress {
    std::string host;
    std::uint16_t port = 6379;
    /// Empty: TCP.
    std::string socketPath;
    /// Empty: Redis' default user.
    std::string user;
    core::Secret password;
    int database = 0;
    bool isTls = false;
    /// PEM file of the certificates to trust with TLS; empty: the system's.
    std::string caFile;

    /// Whether this build can speak TLS with Redis.
    [[nodiscard]] static bool hasTls();

    /// redis://[[user]:password@]host[:port][/db], rediss:// for TLS, unix://[[user]:password@]/path[?db=n]; user and password
    /// percent-encoded. BadConfiguration, with nothing of the URL in its text, for anything else and for TLS where there is none.
    [[nodiscard]] static core::Expected<RedisAddress, core::Error> parse(std::string_view url);
};

} // namespace vivavoce::broker
