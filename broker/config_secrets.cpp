#include "broker/config_secrets.h"

#include "broker/config_values.h"
#include "broker/setup/file_access.h"
#include "core/base/visible_ascii.h"

namespace vivavoce::broker {
namespace {

constexpr const char* kCredentials = "CREDENTIALS_DIRECTORY";
constexpr const char* kUnreadable = "names a file that cannot be read, is empty or is longer than 16 KiB";

std::optional<core::Secret> taken(const Environment& environment, const char* name)
{
    auto text = environment(name);
    if (!text || text->empty()) {
        return std::nullopt;
    }
    core::Secret secret{std::string_view(*text)};
    core::wipeString(*text);
    return secret;
}

/// systemd's own folder, and nobody else's business: no look at who may read it.
std::optional<core::Secret> credentialOf(
    const std::string& folder, const std::string& name, Problems& problems, const std::string& origin)
{
    const std::string path = folder + "/" + name;
    if (folder.empty() || !isThere(path)) {
        return std::nullopt;
    }
    auto secret = readSecretFile(path);
    if (!secret) {
        problems.addAt(origin, "cannot be read, is empty or is longer than 16 KiB", {});
    }
    return secret;
}

} // namespace

const std::vector<SecretSource>& secretSources()
{
    static const std::vector<SecretSource> all{
        {"provider.api_key", "OPENAI_API_KEY", "OPENAI_API_KEY_FILE", "openai_api_key", &Config::providerKey, true},
        {"secret", "JWT_SECRET", "JWT_SECRET_FILE", "jwt_secret", &Config::secret},
        {"previous_secret", "JWT_SECRET_PREVIOUS", "JWT_SECRET_PREVIOUS_FILE", "jwt_secret_previous",
            &Config::previousSecret},
        {"database.url", "DATABASE_URL", "DATABASE_URL_FILE", "database_url", &Config::databaseUrl},
        {"limits.redis_url", "REDIS_URL", "REDIS_URL_FILE", "redis_url", &Config::redisUrl},
        {"providers.gemini.api_key", "GEMINI_API_KEY", "GEMINI_API_KEY_FILE", "gemini_api_key", &Config::geminiKey,
            true},
    };
    return all;
}

bool isHeaderWord(std::string_view text)
{
    return text.size() <= 4096 && core::isVisibleAscii(text);
}

void writeSecret(
    const SecretSource& source, std::string_view spokenOf, core::Secret value, Config& config, Problems& problems)
{
    if (source.isWord && !isHeaderWord(value.reveal())) {
        problems.add(spokenOf, "has to be one word of visible ASCII characters");
    }
    config.*source.member = std::move(value);
}

std::optional<core::Secret> readGuardedSecret(std::string_view key, const std::string& path, Problems& problems)
{
    auto secret = readSecretFile(path);
    if (!secret) {
        problems.add(key, kUnreadable);
        return secret;
    }
    tellExposure(key, path, problems);
    return secret;
}

SecretNames keyNames(std::string_view provider)
{
    SecretNames names;
    for (const char c : std::string(provider) + "-api-key") {
        const bool isSmall = c >= 'a' && c <= 'z';
        names.credential += c == '-' ? '_' : c;
        names.variable += c == '-' ? '_' : isSmall ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return names;
}

std::string credentialsFolder(const Environment& environment)
{
    return environment(kCredentials).value_or(std::string());
}

std::optional<FoundSecret> secretOfEnvironment(
    const Environment& environment, const std::string& folder, const SecretNames& names, Problems& problems)
{
    const std::string& variable = names.variable;
    // Both of them, whichever counts: what is not asked for stays in the environment.
    auto value = taken(environment, variable.c_str());
    const std::string fileVariable = variable + "_FILE";
    const std::string file = environment(fileVariable.c_str()).value_or(std::string());
    std::string origin = variable;
    if (value && !file.empty()) {
        problems.add(variable, "and " + fileVariable + " cannot both be set");
        return std::nullopt;
    }
    if (!file.empty()) {
        origin = fileVariable;
        value = readGuardedSecret(origin, file, problems);
    } else if (!value) {
        origin = "the credential " + names.credential;
        value = credentialOf(folder, names.credential, problems, origin);
    }
    return value ? std::optional(FoundSecret{std::move(*value), std::move(origin)}) : std::nullopt;
}

void readSecretVariables(const Environment& environment, const std::string& folder, Config& config, Problems& problems)
{
    for (const SecretSource& source : secretSources()) {
        if (auto found = secretOfEnvironment(environment, folder, {source.variable, source.credential}, problems)) {
            problems.setOrigin(source.key, found->origin);
            writeSecret(source, found->origin, std::move(found->value), config, problems);
        }
    }
}

} // namespace vivavoce::broker
