#include "broker/options.h"

#include <CLI/CLI.hpp>

namespace vivavoce::broker {
namespace {

constexpr const char* kAbout =
    "Mints short-lived tokens for realtime voice providers, so that no API key reaches a desktop.\n"
    "Prints {\"event\":\"listening\",\"url\":...} on stdout when ready; logs are JSON lines on stderr.";

constexpr const char* kFooter =
    "With --embedded the credential of the one who may ask comes as the first line of --credential-fd; where the provider is on\n"
    "this computer a second line follows, the provider's key, which may be empty. The end of that pipe ends the broker.\n"
    "Without --embedded those may ask whom an OIDC issuer vouches for (OIDC_ISSUER and OIDC_AUDIENCE, or [[issuers]] in the file), and\n"
    "service accounts ([[service_accounts]]); audit.folder has to be set. docs/operations.md tells the rest.\n"
    "Environment, which wins over the file: OPENAI_API_KEY, OIDC_ISSUER, OIDC_AUDIENCE, JWT_SECRET, REDIS_URL, ALLOWED_ORIGINS,\n"
    "VOICE_AGENT_RATE_LIMIT (10 a minute), VOICE_AGENT_TOKEN_DURATION (60 s).";

constexpr const char* kVerifyFooter =
    "Prints {\"lines\":...,\"files\":...,\"lastHash\":...} on stdout and ends with 0. The first flaw goes to stderr as JSON with file\n"
    "and line; the exit code is 2 then.";

} // namespace

core::Expected<Command, core::Error> parseOptions(int argc, const char* const* argv)
{
    Overrides overrides;
    CLI::App app{kAbout, "vivavoce-broker"};
    app.add_option("--config", overrides.configFile, "TOML file");
    app.add_option("--listen", overrides.listen, "ADDRESS:PORT; port 0 lets the kernel choose (127.0.0.1:8790)");
    app.add_option("--provider-url", overrides.providerUrl, "where tokens are minted (https://api.openai.com)");
    app.add_flag("--embedded", overrides.isEmbedded, "serve the program that started this one, and end with it");
    app.add_option("--credential-fd", overrides.credentialFd, "inherited pipe with the credential (0)")
        ->check(CLI::Range(0, 1'000'000));
    app.add_option("--log-level", overrides.logLevel, "error, warning, info or debug (info)");
    app.add_flag("--print-config", overrides.printsConfig, "print the configuration, secrets left out, and end");
    VerifyAudit verifyAudit;
    CLI::App* const audit = app.add_subcommand("audit", "look into the audit trail");
    audit->require_subcommand(1);
    CLI::App* const verify = audit->add_subcommand("verify", "check that its lines are as they were written");
    verify->footer(kVerifyFooter);
    verify->add_option("PATH", verifyAudit.path, "the trail's folder, or one of its files")->required();
    MakeServiceKey makeKey;
    CLI::App* const serviceKey = app.add_subcommand("service-key", "make the key of a service account");
    serviceKey->footer(
        "Prints {\"name\":...,\"key\":...,\"keyHash\":...} once. The key is for the program that calls, the hash for [[service_accounts]].");
    serviceKey->add_option("NAME", makeKey.name, "a to z, 0 to 9 and dashes, at most 64")->required();
    // Only now: a subcommand takes over what is there when it is made.
    app.footer(kFooter);
    app.set_version_flag("--version", std::string("vivavoce-broker " VV_VERSION));
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return PrintAndLeave{app.help()};
    } catch (const CLI::CallForVersion&) {
        return PrintAndLeave{app.version() + "\n"};
    } catch (const CLI::ParseError& error) {
        return core::fail(core::ErrorCode::BadUsage, error.what());
    }
    if (verify->parsed()) {
        return verifyAudit;
    }
    if (serviceKey->parsed()) {
        return makeKey;
    }
    return overrides;
}

} // namespace vivavoce::broker
