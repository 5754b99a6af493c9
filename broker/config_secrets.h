#pragma once

#include "broker/config.h"
#include "broker/config_problems.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// The ways that one secret can come, beside its key in the TOML file. In this order the first that says something counts:
/// the variable, the file that `<variable>_FILE` names, systemd's `$CREDENTIALS_DIRECTORY/<credential>`, the TOML file.
struct SecretSource {
    /// "secret"; with "_file" behind it the key of a file to read it from.
    std::string_view key;
    const char* variable;
    const char* fileVariable;
    const char* credential;
    core::Secret Config::*member;
    /// The provider's key has to fit into a header.
    bool isWord = false;
};
[[nodiscard]] const std::vector<SecretSource>& secretSources();

/// What a secret is called outside of the TOML file.
struct SecretNames {
    std::string variable;
    std::string credential;
};
/// Of the key of one of `[[providers.compatible]]`: MY_SERVER_API_KEY and my_server_api_key of "my-server".
[[nodiscard]] SecretNames keyNames(std::string_view provider);

struct FoundSecret {
    core::Secret value;
    /// Which of the ways it came.
    std::string origin;
};
/// Where systemd keeps credentials; empty: nowhere. To be asked once, for it is taken out of the environment.
[[nodiscard]] std::string credentialsFolder(const Environment& environment);
/// The variable, `<variable>_FILE` or the credential; nothing: none of them says anything. Asks for both variables each time.
[[nodiscard]] std::optional<FoundSecret> secretOfEnvironment(
    const Environment& environment, const std::string& folder, const SecretNames& names, Problems& problems);

/// Whether it can be a key in a header.
[[nodiscard]] bool isHeaderWord(std::string_view text);

/// Takes what the environment says of secrets over what the file said. Asks for each variable each time.
void readSecretVariables(const Environment& environment, const std::string& folder, Config& config, Problems& problems);

/// Writes a secret that came from somewhere; what it says of itself is checked.
void writeSecret(
    const SecretSource& source, std::string_view spokenOf, core::Secret value, Config& config, Problems& problems);

/// What a file holds, without the line's end; nothing where it cannot be read, is empty or longer than 16 KiB. A file that others on this
/// computer can read is a problem that is told under `key`. Every copy of the bytes on the way is wiped.
[[nodiscard]] std::optional<core::Secret> readGuardedSecret(
    std::string_view key, const std::string& path, Problems& problems);

} // namespace vivavoce::broker
