#include "agent/options.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::agent {

namespace {

constexpr const char* kAbout =
    "An offline voice agent that speaks the OpenAI Realtime protocol (GA): speech in, speech out, no account, no network.\n"
    "Prints {\"event\":\"listening\",\"url\":...} on stdout when ready.";

constexpr const char* kSafety =
    "Who may connect: with --credential-fd whoever bears that credential, or a client secret minted with it "
    "(POST /v1/realtime/client_secrets).\n"
    "Without it, any non-empty bearer is accepted, from this computer only. Listening on another address than loopback needs "
    "--credential-fd and TLS.";

/// "127.0.0.1:0" or "[::1]:0".
bool readListen(const std::string& text, Options& options)
{
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
        return false;
    }
    std::string address = text.substr(0, colon);
    if (address.front() == '[' && address.back() == ']') {
        address = address.substr(1, address.size() - 2);
    }
    const char* const first = text.data() + colon + 1;
    const char* const last = text.data() + text.size();
    const auto [end, fault] = std::from_chars(first, last, options.port);
    options.address = address;
    return fault == std::errc() && end == last && first != last && !address.empty();
}

std::optional<LogLevel> readLevel(std::string_view word)
{
    constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels{{{"error", LogLevel::Error},
        {"warning", LogLevel::Warning}, {"info", LogLevel::Info}, {"debug", LogLevel::Debug}}};
    const auto* const found =
        std::find_if(kLevels.begin(), kLevels.end(), [word](const auto& level) { return level.first == word; });
    return found == kLevels.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::string> contradiction(const Options& options)
{
    if (options.tlsCertificate.empty() != options.tlsKey.empty()) {
        return "--tls-cert and --tls-key go together";
    }
    if (options.credentialFd == STDOUT_FILENO || options.credentialFd == STDERR_FILENO) {
        return "--credential-fd is what the agent reads, not where it writes";
    }
    if (!options.chatUrl.empty() && !options.chatUrl.starts_with("http://")
        && !options.chatUrl.starts_with("https://")) {
        return "--chat-url is not an http or https address";
    }
    if (options.chatUrl.empty() && !options.chatModel.empty()) {
        return "--chat-model needs --chat-url";
    }
    if (!options.isLoopback() && (options.tlsCertificate.empty() || !options.credentialFd)) {
        return "listening outside loopback needs --tls-cert, --tls-key and --credential-fd";
    }
    return std::nullopt;
}

} // namespace

core::Expected<std::variant<Options, PrintAndLeave>, core::Error> parseOptions(int argc, const char* const* argv)
{
    Options options;
    std::string listen = "127.0.0.1:8780";
    int credentialFd = -1;
    std::string level;

    CLI::App app{kAbout, "vivavoce-agent"};
    app.footer(kSafety);
    app.add_option("--listen", listen, "ADDRESS:PORT; port 0 lets the kernel choose")->capture_default_str();
    app.add_option("--tls-cert", options.tlsCertificate, "certificate chain, PEM")->check(CLI::ExistingFile);
    app.add_option("--tls-key", options.tlsKey, "private key, PEM")->check(CLI::ExistingFile);
    app.add_option("--chat-url", options.chatUrl,
        "let an OpenAI-compatible chat server think, e.g. http://127.0.0.1:8080/v1; its key: VIVAVOCE_CHAT_API_KEY");
    app.add_option("--chat-model", options.chatModel,
        "model name for --chat-url; without it \"default\" is asked for, which servers of one model take");
    app.add_option(
           "--credential-fd", credentialFd, "inherited pipe: the API credential in one line; its end ends the agent")
        ->check(CLI::Range(0, 1'000'000));
    app.add_option("--max-sessions", options.maxSessions, "sessions at a time")
        ->check(CLI::Range(1, 1'024))
        ->capture_default_str();
    // The library's own transformer would show its whole table to whoever types another word.
    app.add_option("--log-level", level, "error, warning, info or debug; to stderr")
        ->transform(CLI::IsMember(std::vector<std::string>{"error", "warning", "info", "debug"}, CLI::ignore_case))
        ->option_text("LEVEL");
    app.set_version_flag("--version", std::string("vivavoce-agent " VV_VERSION));
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return PrintAndLeave{app.help()};
    } catch (const CLI::CallForVersion&) {
        return PrintAndLeave{app.version() + "\n"};
    } catch (const CLI::ParseError& error) {
        return core::fail(core::ErrorCode::BadUsage, error.what());
    }
    options.logLevel = readLevel(level).value_or(options.logLevel);
    if (!readListen(listen, options)) {
        return core::fail(core::ErrorCode::BadUsage, "--listen wants ADDRESS:PORT");
    }
    if (app.count("--credential-fd") > 0) {
        options.credentialFd = credentialFd;
    }
    if (auto text = contradiction(options)) {
        return core::fail(core::ErrorCode::BadUsage, std::move(*text));
    }
    return options;
}

} // namespace vivavoce::agent
