#include "broker/setup/check_files.h"

#include "broker/config_secrets.h"
#include "broker/providers/profile.h"
#include "broker/setup/check_certificates.h"
#include "broker/setup/check_policies.h"
#include "broker/setup/file_access.h"
#include "broker/store/database_url.h"
#include "broker/token_keys.h"
#include "broker/usage/rate_card.h"
#include "core/models/model_list.h"

#include <filesystem>
#include <string>

namespace vivavoce::broker {
namespace {

void checkAuthorities(std::string_view key, const std::string& path, Problems& problems)
{
    if (path.empty()) {
        return;
    }
    if (!isReadableFile(path)) {
        problems.add(key, "names a file that cannot be read");
    } else if (!holdsCertificate(path)) {
        problems.add(key, "names a file without a certificate in PEM");
    }
}

void checkDatabase(const Config& config, Problems& problems)
{
    if (config.databaseUrl.empty()) {
        return;
    }
    const auto address = parseDatabaseUrl(config.databaseUrl);
    if (!address || address->kind != Database::Kind::Sqlite || address->target.equals(":memory:")) {
        return;
    }
    const std::string folder = std::filesystem::path(address->target.reveal()).parent_path().string();
    const std::string place = folder.empty() ? "." : folder;
    if (!isThere(place) || !isUsableFolder(place)) {
        problems.add("database.url", "names a file in a folder that is not there or cannot be written to");
    }
}

/// Whoever names no model would be refused one day.
void checkModel(const char* key, const std::string& model, const std::string& provider, const core::Clock& clock,
    Problems& problems)
{
    if (const auto sunset = core::ModelList::builtIn().sunsetOf(model, clock.wallNow(), provider)) {
        problems.add(
            key, "names one whose end is announced: " + core::sunsetText(*sunset), Problems::Severity::Warning);
    }
}

} // namespace

void checkNeeds(const Config& config, Problems& problems)
{
    // What a file says that cannot be read is not missing.
    if (config.isEmbedded || problems.has("--config")) {
        return;
    }
    if (config.issuers.empty() && config.serviceAccounts.empty() && !problems.has("OIDC_AUDIENCE")) {
        problems.add("issuers",
            "and service_accounts are empty, so nobody could sign in: set OIDC_ISSUER and OIDC_AUDIENCE, or name [[issuers]] or "
            "[[service_accounts]] in the file");
    }
    if (config.secret.empty()) {
        problems.add(
            "secret", "is needed: tokens are known by hashes made with it, which have to be the same after a restart");
    }
    if (config.auditFolder.empty()) {
        problems.add("audit.folder", "has to say where the audit is kept");
    }
    if (!config.isProviderThere() && config.geminiKey.empty() && config.compatible.empty()) {
        problems.add("provider.api_key", "is not set (OPENAI_API_KEY): the provider will refuse to mint",
            Problems::Severity::Warning);
    }
    for (std::size_t i = 0; i < config.compatible.size(); ++i) {
        const CompatibleProvider& one = config.compatible[i];
        const Profile* const profile = profileNamed(one.profile);
        const bool isMinting = profile != nullptr && profile->pins && one.url.starts_with("https://");
        const std::string key = "providers.compatible[" + std::to_string(i) + "].api_key";
        if (one.key == nullptr && isMinting && !problems.has(key)) {
            problems.add(key, "is not set (" + keyNames(one.name).variable + "): the provider will refuse to mint",
                Problems::Severity::Warning);
        }
    }
}

void checkFiles(const Config& config, const core::Clock& clock, Problems& problems)
{
    if (!config.tlsCertificate.empty() && !config.tlsKey.empty()) {
        checkCertificate(config.tlsCertificate, config.tlsKey, clock.wallNow(), problems);
        tellExposure("tls.key", config.tlsKey, problems);
    }
    checkModel("provider.model", config.providerModel, config.providerName(), clock, problems);
    if (!config.geminiKey.empty()) {
        checkModel("providers.gemini.model", config.geminiModel, "gemini", clock, problems);
    }
    checkPolicies(config, problems);
    checkAuthorities("provider.ca_file", config.providerCaFile, problems);
    checkAuthorities("providers.gemini.ca_file", config.geminiCaFile, problems);
    for (std::size_t i = 0; i < config.compatible.size(); ++i) {
        checkAuthorities(
            "providers.compatible[" + std::to_string(i) + "].ca_file", config.compatible[i].caFile, problems);
    }
    checkAuthorities("projects.webhook_ca_file", config.projects.webhookCaFile, problems);
    for (std::size_t i = 0; i < config.issuers.size(); ++i) {
        checkAuthorities("issuers[" + std::to_string(i) + "].ca_file", config.issuers[i].caFile, problems);
    }
    for (std::size_t i = 0; i < config.alerts.channels.size(); ++i) {
        checkAuthorities(
            "alerts.channels[" + std::to_string(i) + "].ca_file", config.alerts.channels[i].caFile, problems);
    }
    if (!config.tokenKeys.empty()) {
        if (const auto keys = keyRingOf(config); !keys) {
            problems.add("tokens.keys", keys.error());
        }
        for (const std::string& path : config.tokenKeys) {
            tellExposure("tokens.keys", path, problems);
        }
    }
    if (!config.auditFolder.empty() && !isUsableFolder(config.auditFolder)) {
        problems.add("audit.folder", "names a folder that cannot be written to, or in one that is not there");
    }
    checkDatabase(config, problems);
    if (const auto rates = usage::RateCard::load({config.pricesFile, {}, {}}); !rates) {
        // The text begins with the key.
        const std::string& text = rates.error().detail;
        problems.add("usage.prices_file", text.substr(text.find_first_of(" :", sizeof("usage.prices_file") - 1) + 1));
    }
}

} // namespace vivavoce::broker
