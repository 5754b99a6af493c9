#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace vivavoce::agent {

enum class LogLevel { Error, Warning, Info, Debug };

/// What the command line of vivavoce-agent says.
struct Options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 8780;
    /// PEM files; both or none.
    std::string tlsCertificate;
    std::string tlsKey;
    /// Base URL of an OpenAI-compatible chat server; empty: the built-in skills reply.
    std::string chatUrl;
    std::string chatModel;
    /// An inherited pipe with the API credential in its first line; its end is the end of our parent.
    std::optional<int> credentialFd;
    LogLevel logLevel = LogLevel::Warning;
    std::size_t maxSessions = 64;

    [[nodiscard]] bool isLoopback() const { return address == "127.0.0.1" || address == "::1"; }
};

/// Something to print instead of running (--help, --version).
struct PrintAndLeave {
    std::string text;
};

/// Reads the command line. BadUsage with one line for whoever typed it; outside loopback TLS and a credential are a must.
[[nodiscard]] core::Expected<std::variant<Options, PrintAndLeave>, core::Error> parseOptions(
    int argc, const char* const* argv);

} // namespace vivavoce::agent
