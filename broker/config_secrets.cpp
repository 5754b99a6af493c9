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
    const std::string& folder, const SecretSource& source, Problems& problems, const std::string& origin)
{
    const std::string path = folder + "/" + source.credential;
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

void readSecretVariables(const Environment& environment, Config& config, Problems& problems)
{
    const std::string folder = environment(kCredentials).value_or(std::string());
    for (const SecretSource& source : secretSources()) {
        // All of them, whichever counts: what is not asked for stays in the environment.
        auto value = taken(environment, source.variable);
        const std::string file = environment(source.fileVariable).value_or(std::string());
        std::string origin = source.variable;
        if (value && !file.empty()) {
            problems.add(source.variable, "and " + std::string(source.fileVariable) + " cannot both be set");
            continue;
        }
        if (!file.empty()) {
            origin = source.fileVariable;
            value = readGuardedSecret(origin, file, problems);
        } else if (!value) {
            origin = "the credential " + std::string(source.credential);
            value = credentialOf(folder, source, problems, origin);
        }
        if (value) {
            problems.setOrigin(source.key, origin);
            writeSecret(source, origin, std::move(*value), config, problems);
        }
    }
}

} // namespace vivavoce::broker
