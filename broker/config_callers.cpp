#include "broker/config_callers.h"

#include "broker/config_secrets.h"
#include "broker/config_toml.h"
#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <functional>

namespace vivavoce::broker {
namespace {

using auth::IssuerSettings;
using auth::JoseAlgorithm;
using auth::ServiceAccount;

constexpr Range kLeewayRange{0, 60};
constexpr Range kCoolDownRange{1, 3600};

struct TokenName {
    std::string_view text;
    IssuerSettings::Tokens tokens;
};
constexpr std::array kTokenNames{
    TokenName{"access", IssuerSettings::Tokens::AccessToken},
    TokenName{"id", IssuerSettings::Tokens::IdToken},
    TokenName{"opaque", IssuerSettings::Tokens::Opaque},
};

Written readSeconds(std::string_view key, toml::node& node, Range range, std::chrono::seconds& into)
{
    const auto value = node.value_exact<std::int64_t>();
    if (!value) {
        return badConfig(key, "has to be a whole number of seconds");
    }
    if (auto checked = checkRange(key, *value, range); !checked) {
        return checked;
    }
    into = std::chrono::seconds(*value);
    return {};
}

Written readAlgorithms(std::string_view key, toml::node& node, IssuerSettings& issuer)
{
    std::vector<std::string> names;
    if (auto read = readTexts(key, node, names); !read) {
        return read;
    }
    issuer.algorithms.clear();
    for (const std::string& name : names) {
        const auto algorithm = auth::joseAlgorithm(name);
        // Whoever verifies with a shared secret could sign as well.
        if (!algorithm || *algorithm == JoseAlgorithm::Hs256) {
            return badConfig(key, "has to be a list of RS256, ES256 and EdDSA");
        }
        issuer.algorithms.push_back(*algorithm);
    }
    return issuer.algorithms.empty() ? Written(badConfig(key, "has to name one at least")) : Written();
}

Written readTokens(std::string_view key, toml::node& node, IssuerSettings& issuer)
{
    const auto name = node.value_exact<std::string>();
    const auto* const found =
        std::find_if(kTokenNames.begin(), kTokenNames.end(), [&](const TokenName& row) { return name == row.text; });
    if (found == kTokenNames.end()) {
        return badConfig(key, "has to be access, id or opaque");
    }
    issuer.tokens = found->tokens;
    return {};
}

Written readClientSecret(std::string_view key, toml::node& node, IssuerSettings& issuer)
{
    auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
        return badConfig(key, "has to be a text that is not empty");
    }
    issuer.clientSecret = std::make_shared<const core::Secret>(std::string_view(value->get()));
    core::wipeString(value->get());
    return {};
}

/// The one that can also be a warning.
void readClientSecretFile(std::string_view key, toml::node& node, IssuerSettings& issuer, Problems& problems)
{
    if (auto secret = readSecretPath(std::string(key), node, problems)) {
        issuer.clientSecret = std::make_shared<const core::Secret>(std::move(*secret));
    }
}

Written readPointer(std::string_view key, toml::node& node, std::string& text)
{
    if (auto read = readText(key, node, text); !read) {
        return read;
    }
    // RFC 6901 §3: begins with a slash, and a tilde stands before 0 or 1.
    bool isGood = text.front() == '/';
    for (std::size_t at = text.find('~'); at != std::string::npos; at = text.find('~', at + 1)) {
        isGood = isGood && at + 1 < text.size() && (text[at + 1] == '0' || text[at + 1] == '1');
    }
    return isGood ? Written() : Written(badConfig(key, "has to be a JSON pointer, such as /realm_access/roles"));
}

using Read = std::function<Written(std::string_view, toml::node&, IssuerSettings&)>;
struct Row {
    std::string_view name;
    Read read;
};

constexpr std::string_view kClientSecretFile = "client_secret_file";

const std::array<Row, 18>& issuerRows()
{
    const auto text = [](std::string IssuerSettings::*member) -> Read {
        return [member](std::string_view k, toml::node& n, IssuerSettings& i) { return readText(k, n, i.*member); };
    };
    const auto texts = [](std::vector<std::string> IssuerSettings::*member) -> Read {
        return [member](std::string_view k, toml::node& n, IssuerSettings& i) { return readTexts(k, n, i.*member); };
    };
    const auto pointer = [](std::string IssuerSettings::*member) -> Read {
        return [member](std::string_view k, toml::node& n, IssuerSettings& i) { return readPointer(k, n, i.*member); };
    };
    static const std::array<Row, 18> rows{
        Row{"url", text(&IssuerSettings::url)},
        Row{"tokens", &readTokens},
        Row{"algorithms", &readAlgorithms},
        Row{"audiences", texts(&IssuerSettings::audiences)},
        Row{"authorized_parties", texts(&IssuerSettings::authorizedParties)},
        Row{"scopes", texts(&IssuerSettings::grants)},
        Row{"admin_claim", pointer(&IssuerSettings::adminPointer)},
        Row{"admin_value", text(&IssuerSettings::adminValue)},
        Row{"access_claim", pointer(&IssuerSettings::accessPointer)},
        Row{"access_value", text(&IssuerSettings::accessValue)},
        Row{"projects_claim", pointer(&IssuerSettings::projectsPointer)},
        Row{"client_id", text(&IssuerSettings::clientId)},
        Row{"app_client_id", text(&IssuerSettings::appClientId)},
        Row{"dashboard_client_id", text(&IssuerSettings::dashboardClientId)},
        Row{"client_secret", &readClientSecret},
        Row{"ca_file", text(&IssuerSettings::caFile)},
        Row{"leeway",
            [](std::string_view k, toml::node& n, IssuerSettings& i) {
                return readSeconds(k, n, kLeewayRange, i.leeway);
            }},
        Row{"key_cool_down",
            [](std::string_view k, toml::node& n, IssuerSettings& i) {
                return readSeconds(k, n, kCoolDownRange, i.keyCoolDown);
            }},
    };
    return rows;
}

void readIssuer(const std::string& prefix, toml::table& table, IssuerSettings& issuer, Problems& problems)
{
    for (const auto& entry : inFileOrder(table)) {
        const std::string& name = entry.first;
        toml::node& value = *entry.second;
        const std::string key = prefix + name;
        const auto* const row =
            std::find_if(issuerRows().begin(), issuerRows().end(), [&](const Row& one) { return one.name == name; });
        if (row == issuerRows().end() && name != kClientSecretFile) {
            tellUnknownKey(key, value, prefixed(prefix, issuerKeys()), problems);
        } else if (!enterKey(key, value, problems)) {
            continue;
        } else if (row == issuerRows().end()) {
            readClientSecretFile(key, value, issuer, problems);
        } else if (auto read = row->read(key, value, issuer); !read) {
            problems.add(key, read.error());
        }
    }
    if (table.contains("client_secret") && table.contains(kClientSecretFile)) {
        problems.add(prefix + std::string(kClientSecretFile), "and client_secret cannot both be set");
    }
}

void readServiceAccount(const std::string& prefix, toml::table& table, ServiceAccount& account, Problems& problems)
{
    for (const auto& entry : inFileOrder(table)) {
        const std::string& name = entry.first;
        toml::node& value = *entry.second;
        const std::string key = prefix + name;
        const auto known = serviceAccountKeys();
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            tellUnknownKey(key, value, prefixed(prefix, known), problems);
            continue;
        }
        Written written;
        if (!enterKey(key, value, problems)) {
            continue;
        }
        if (name == "name") {
            written = readText(key, value, account.name);
        } else if (name == "scopes") {
            written = readTexts(key, value, account.scopes);
        } else if (name == "projects") {
            written = readTexts(key, value, account.projects);
        } else if (const auto hash = auth::readKeyHash(value.value_exact<std::string>().value_or(std::string()))) {
            account.keyHash = *hash;
        } else {
            written = badConfig(key, "has to be sha256: and 64 hexadecimal digits");
        }
        if (!written) {
            problems.add(key, written.error());
        }
    }
    for (const char* needed : {"name", "key_hash"}) {
        if (!table.contains(needed)) {
            problems.add(prefix + needed, "has to be there");
        }
    }
    if (table.contains("name") && !auth::isServiceName(account.name)) {
        problems.add(prefix + "name", "has to be made of a to z, 0 to 9 and dashes, at most 64");
    }
}

/// Whoever mistypes one lets nobody in.
void checkScopes(const std::string& key, const std::vector<std::string>& scopes, Problems& problems)
{
    constexpr std::array kKnown{auth::scope::kMint, auth::scope::kSession, auth::scope::kAdmin};
    const bool areKnown = std::all_of(scopes.begin(), scopes.end(),
        [&](const std::string& one) { return std::find(kKnown.begin(), kKnown.end(), one) != kKnown.end(); });
    if (!areKnown) {
        problems.add(key + "scopes", "holds something else than voice:mint, voice:session and voice:admin");
    }
}

void checkIssuer(const std::string& key, const IssuerSettings& issuer, Problems& problems)
{
    const bool hasRest = issuer.url.find_first_of("?#") != std::string::npos;
    if (!net::isFetchable(issuer.url) || hasRest) {
        problems.add(
            key + "url", "has to be an https:// address without query and fragment (http:// on this computer)");
    }
    checkScopes(key, issuer.grants, problems);
    if (issuer.audiences.empty() && issuer.authorizedParties.empty() && !problems.has(key + "authorized_parties")) {
        problems.add(key + "audiences", "or authorized_parties has to say whom the tokens are for");
    }
    if (issuer.adminPointer.empty() != issuer.adminValue.empty() && !problems.has(key + "admin_value")) {
        problems.add(key + "admin_claim", "and admin_value go together");
    }
    if (issuer.accessPointer.empty() != issuer.accessValue.empty() && !problems.has(key + "access_value")) {
        problems.add(key + "access_claim", "and access_value go together");
    }
    const bool hasNoSecret = issuer.clientSecret == nullptr && !problems.has(key + "client_secret")
        && !problems.has(key + std::string(kClientSecretFile));
    if (issuer.tokens == IssuerSettings::Tokens::Opaque && (issuer.clientId.empty() || hasNoSecret)) {
        problems.add(key + "client_id", "and client_secret are needed to ask about opaque tokens");
    }
    // What an app bears is an access token: its ID token is for the app alone.
    if (issuer.tokens == IssuerSettings::Tokens::IdToken && !issuer.appClientId.empty()) {
        problems.add(key + "app_client_id", "needs tokens = \"access\" or \"opaque\"");
    }
}

} // namespace

std::vector<std::string> issuerKeys()
{
    std::vector<std::string> names;
    std::transform(issuerRows().begin(), issuerRows().end(), std::back_inserter(names),
        [](const Row& row) { return std::string(row.name); });
    names.emplace_back(kClientSecretFile);
    return names;
}

std::vector<std::string> serviceAccountKeys()
{
    return {"name", "key_hash", "scopes", "projects"};
}

void readIssuers(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    for (const auto& [prefix, table] : tablesOf(key, node, problems)) {
        readIssuer(prefix, *table, config.issuers.emplace_back(), problems);
    }
}

void readServiceAccounts(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    for (const auto& [prefix, table] : tablesOf(key, node, problems)) {
        readServiceAccount(prefix, *table, config.serviceAccounts.emplace_back(), problems);
    }
}

void readIssuerVariables(const Environment& environment, Config& config, Problems& problems)
{
    const auto url = environment("OIDC_ISSUER");
    const auto audience = environment("OIDC_AUDIENCE");
    if (!url || url->empty()) {
        if (audience && !audience->empty()) {
            problems.add("OIDC_AUDIENCE", "needs OIDC_ISSUER");
        }
        return;
    }
    // What the file says of that issuer stays, but for the audience.
    auto known = std::find_if(
        config.issuers.begin(), config.issuers.end(), [&](const IssuerSettings& issuer) { return issuer.url == *url; });
    if (known == config.issuers.end()) {
        known = config.issuers.insert(config.issuers.end(), IssuerSettings());
        known->url = *url;
        problems.setOrigin("issuers[" + std::to_string(config.issuers.size() - 1) + "]", "OIDC_ISSUER");
    }
    if (audience && !audience->empty()) {
        known->audiences = words(*audience);
    }
}

void checkCallers(const Config& config, Problems& problems)
{
    bool hasOpaque = false;
    for (std::size_t i = 0; i < config.issuers.size(); ++i) {
        const IssuerSettings& issuer = config.issuers[i];
        const std::string key = "issuers[" + std::to_string(i) + "].";
        checkIssuer(key, issuer, problems);
        const auto before = config.issuers.begin() + static_cast<std::ptrdiff_t>(i);
        const auto isSame = [&](const IssuerSettings& other) { return other.url == issuer.url; };
        if (std::any_of(config.issuers.begin(), before, isSame)) {
            problems.add(key + "url", "is there twice");
        }
        const bool isOpaque = issuer.tokens == IssuerSettings::Tokens::Opaque;
        if (isOpaque && hasOpaque) {
            problems.add(key + "tokens", "can be opaque for one issuer only: nothing in such a token says whose it is");
        }
        hasOpaque = hasOpaque || isOpaque;
    }
    for (std::size_t i = 0; i < config.serviceAccounts.size(); ++i) {
        const auto& accounts = config.serviceAccounts;
        checkScopes("service_accounts[" + std::to_string(i) + "].", accounts[i].scopes, problems);
        const auto before = accounts.begin() + static_cast<std::ptrdiff_t>(i);
        const auto isSame = [&](const ServiceAccount& other) { return other.name == accounts[i].name; };
        if (std::any_of(accounts.begin(), before, isSame)) {
            problems.add("service_accounts[" + std::to_string(i) + "].name", "is there twice");
        }
    }
}

void printCallers(const Config& config, toml::table& table)
{
    toml::array issuers;
    for (const IssuerSettings& issuer : config.issuers) {
        std::vector<std::string> algorithms;
        std::transform(issuer.algorithms.begin(), issuer.algorithms.end(), std::back_inserter(algorithms),
            [](JoseAlgorithm algorithm) { return std::string(auth::joseName(algorithm)); });
        const auto* const name = std::find_if(
            kTokenNames.begin(), kTokenNames.end(), [&](const TokenName& row) { return row.tokens == issuer.tokens; });
        toml::table one{{"url", issuer.url}, {"tokens", name->text}, {"algorithms", listOf(algorithms)},
            {"audiences", listOf(issuer.audiences)}, {"authorized_parties", listOf(issuer.authorizedParties)},
            {"scopes", listOf(issuer.grants)}, {"leeway", static_cast<std::int64_t>(issuer.leeway.count())},
            {"key_cool_down", static_cast<std::int64_t>(issuer.keyCoolDown.count())}};
        const auto addText = [&](std::string_view key, const std::string& text) {
            if (!text.empty()) {
                one.insert(key, text);
            }
        };
        addText("admin_claim", issuer.adminPointer);
        addText("admin_value", issuer.adminValue);
        addText("access_claim", issuer.accessPointer);
        addText("access_value", issuer.accessValue);
        addText("projects_claim", issuer.projectsPointer);
        addText("client_id", issuer.clientId);
        addText("app_client_id", issuer.appClientId);
        addText("dashboard_client_id", issuer.dashboardClientId);
        addText("ca_file", issuer.caFile);
        issuers.push_back(std::move(one));
    }
    if (!issuers.empty()) {
        table.insert("issuers", std::move(issuers));
    }
    toml::array accounts;
    for (const ServiceAccount& account : config.serviceAccounts) {
        accounts.push_back(toml::table{{"name", account.name}, {"key_hash", auth::writeKeyHash(account.keyHash)},
            {"scopes", listOf(account.scopes)}, {"projects", listOf(account.projects)}});
    }
    if (!accounts.empty()) {
        table.insert("service_accounts", std::move(accounts));
    }
}

} // namespace vivavoce::broker
