#include "broker/config_callers.h"

#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <functional>
#include <iterator>

namespace vivavoce::broker {
namespace {

using auth::IssuerSettings;
using auth::JoseAlgorithm;
using auth::ServiceAccount;

constexpr Range kLeewayRange{0, 60};
constexpr Range kCoolDownRange{1, 3600};
constexpr std::size_t kMostEntries = 100;
constexpr std::size_t kLongestText = 2048;
constexpr std::size_t kLongestSecretFile = 16 * 1024;

struct TokenName {
    std::string_view text;
    IssuerSettings::Tokens tokens;
};
constexpr std::array kTokenNames{
    TokenName{"access", IssuerSettings::Tokens::AccessToken},
    TokenName{"id", IssuerSettings::Tokens::IdToken},
    TokenName{"opaque", IssuerSettings::Tokens::Opaque},
};

Written readText(std::string_view key, toml::node& node, std::string& into)
{
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty() || value->size() > kLongestText) {
        return badConfig(key, "has to be a text that is not empty");
    }
    into = *value;
    return {};
}

Written readTexts(std::string_view key, toml::node& node, std::vector<std::string>& into)
{
    auto* list = node.as_array();
    if (list == nullptr || list->size() > kMostEntries) {
        return badConfig(key, "has to be a list of texts");
    }
    into.clear();
    for (auto& item : *list) {
        std::string text;
        if (auto read = readText(key, item, text); !read) {
            return badConfig(key, "has to be a list of texts");
        }
        into.push_back(std::move(text));
    }
    return {};
}

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

Written readClientSecretFile(std::string_view key, toml::node& node, IssuerSettings& issuer)
{
    std::string path;
    if (auto read = readText(key, node, path); !read) {
        return read;
    }
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    if (text.empty() || text.size() > kLongestSecretFile) {
        core::wipeString(text);
        return badConfig(key, "names a file that cannot be read or is empty");
    }
    issuer.clientSecret = std::make_shared<const core::Secret>(std::string_view(text));
    core::wipeString(text);
    return {};
}

Written readPointer(std::string_view key, toml::node& node, IssuerSettings& issuer)
{
    if (auto read = readText(key, node, issuer.adminPointer); !read) {
        return read;
    }
    // RFC 6901 §3: begins with a slash, and a tilde stands before 0 or 1.
    const std::string& text = issuer.adminPointer;
    bool isGood = text.front() == '/';
    for (std::size_t at = text.find('~'); at != std::string::npos; at = text.find('~', at + 1)) {
        isGood = isGood && at + 1 < text.size() && (text[at + 1] == '0' || text[at + 1] == '1');
    }
    return isGood ? Written() : Written(badConfig(key, "has to be a JSON pointer, such as /realm_access/roles"));
}

Written readIssuerKey(std::string_view name, std::string_view key, toml::node& node, IssuerSettings& issuer)
{
    using Read = std::function<Written(std::string_view, toml::node&, IssuerSettings&)>;
    struct Row {
        std::string_view name;
        Read read;
    };
    const auto text = [](std::string IssuerSettings::*member) -> Read {
        return [member](std::string_view k, toml::node& n, IssuerSettings& i) { return readText(k, n, i.*member); };
    };
    const auto texts = [](std::vector<std::string> IssuerSettings::*member) -> Read {
        return [member](std::string_view k, toml::node& n, IssuerSettings& i) { return readTexts(k, n, i.*member); };
    };
    const std::array<Row, 14> rows{
        Row{"url", text(&IssuerSettings::url)},
        Row{"tokens", &readTokens},
        Row{"algorithms", &readAlgorithms},
        Row{"audiences", texts(&IssuerSettings::audiences)},
        Row{"authorized_parties", texts(&IssuerSettings::authorizedParties)},
        Row{"scopes", texts(&IssuerSettings::grants)},
        Row{"admin_claim", &readPointer},
        Row{"admin_value", text(&IssuerSettings::adminValue)},
        Row{"client_id", text(&IssuerSettings::clientId)},
        Row{"client_secret", &readClientSecret},
        Row{"client_secret_file", &readClientSecretFile},
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
    const auto* const row = std::find_if(rows.begin(), rows.end(), [&](const Row& one) { return one.name == name; });
    return row == rows.end() ? Written(badConfig("issuers", "has a key that is not one of this file's"))
                             : row->read(key, node, issuer);
}

/// Calls `read` for each table of a list of tables, with "name[0]." as the beginning of its keys.
template <typename Read>
Written forEachTable(std::string_view key, toml::node& node, Read read)
{
    auto* list = node.as_array();
    if (list == nullptr || list->size() > kMostEntries) {
        return badConfig(key, "has to be a list of tables: [[" + std::string(key) + "]]");
    }
    std::size_t number = 0;
    for (auto& item : *list) {
        auto* table = item.as_table();
        if (table == nullptr) {
            return badConfig(key, "has to be a list of tables: [[" + std::string(key) + "]]");
        }
        if (auto written = read(std::string(key) + "[" + std::to_string(number++) + "].", *table); !written) {
            return written;
        }
    }
    return {};
}

toml::array listOf(const std::vector<std::string>& texts)
{
    toml::array list;
    for (const std::string& text : texts) {
        list.push_back(text);
    }
    return list;
}

Written checkIssuer(const std::string& key, const IssuerSettings& issuer)
{
    const bool hasRest = issuer.url.find_first_of("?#") != std::string::npos;
    if (!net::isFetchable(issuer.url) || hasRest) {
        return badConfig(
            key + "url", "has to be an https:// address without query and fragment (http:// on this computer)");
    }
    if (issuer.audiences.empty() && issuer.authorizedParties.empty()) {
        return badConfig(key + "audiences", "or authorized_parties has to say whom the tokens are for");
    }
    if (issuer.adminPointer.empty() != issuer.adminValue.empty()) {
        return badConfig(key + "admin_claim", "and admin_value go together");
    }
    if (issuer.tokens == IssuerSettings::Tokens::Opaque
        && (issuer.clientId.empty() || issuer.clientSecret == nullptr)) {
        return badConfig(key + "client_id", "and client_secret are needed to ask about opaque tokens");
    }
    return {};
}

} // namespace

Written readIssuers(std::string_view key, toml::node& node, Config& config)
{
    return forEachTable(key, node, [&](const std::string& prefix, toml::table& table) -> Written {
        IssuerSettings issuer;
        for (auto&& [name, value] : table) {
            if (auto written = readIssuerKey(name.str(), prefix + std::string(name.str()), value, issuer); !written) {
                return written;
            }
        }
        config.issuers.push_back(std::move(issuer));
        return {};
    });
}

Written readServiceAccounts(std::string_view key, toml::node& node, Config& config)
{
    return forEachTable(key, node, [&](const std::string& prefix, toml::table& table) -> Written {
        ServiceAccount account;
        bool hasHash = false;
        for (auto&& [name, value] : table) {
            const std::string whole = prefix + std::string(name.str());
            Written written;
            if (name.str() == "name") {
                written = readText(whole, value, account.name);
            } else if (name.str() == "scopes") {
                written = readTexts(whole, value, account.scopes);
            } else if (name.str() == "key_hash") {
                const auto hash = auth::readKeyHash(value.value_exact<std::string>().value_or(std::string()));
                hasHash = hash.has_value();
                account.keyHash = hash.value_or(auth::KeyHash{});
                written =
                    hasHash ? Written() : Written(badConfig(whole, "has to be sha256: and 64 hexadecimal digits"));
            } else {
                written = badConfig("service_accounts", "has a key that is not one of this file's");
            }
            if (!written) {
                return written;
            }
        }
        if (!hasHash || !auth::isServiceName(account.name)) {
            return badConfig(
                prefix + "name", "and key_hash have to be there; a name is made of a to z, 0 to 9 and dashes");
        }
        config.serviceAccounts.push_back(std::move(account));
        return {};
    });
}

Written readIssuerVariables(const Environment& environment, Config& config)
{
    const auto url = environment("OIDC_ISSUER");
    const auto audience = environment("OIDC_AUDIENCE");
    if (!url || url->empty()) {
        return audience && !audience->empty() ? Written(badConfig("OIDC_AUDIENCE", "needs OIDC_ISSUER")) : Written();
    }
    // What the file says of that issuer stays, but for the audience.
    auto known = std::find_if(
        config.issuers.begin(), config.issuers.end(), [&](const IssuerSettings& issuer) { return issuer.url == *url; });
    if (known == config.issuers.end()) {
        known = config.issuers.insert(config.issuers.end(), IssuerSettings());
        known->url = *url;
    }
    if (audience && !audience->empty()) {
        known->audiences = words(*audience);
    }
    return {};
}

Written checkCallers(const Config& config)
{
    bool hasOpaque = false;
    for (std::size_t i = 0; i < config.issuers.size(); ++i) {
        const IssuerSettings& issuer = config.issuers[i];
        const std::string key = "issuers[" + std::to_string(i) + "].";
        if (auto checked = checkIssuer(key, issuer); !checked) {
            return checked;
        }
        const auto isSame = [&](const IssuerSettings& other) { return other.url == issuer.url; };
        if (std::count_if(config.issuers.begin(), config.issuers.end(), isSame) > 1) {
            return badConfig(key + "url", "is there twice");
        }
        const bool isOpaque = issuer.tokens == IssuerSettings::Tokens::Opaque;
        if (isOpaque && hasOpaque) {
            return badConfig(
                key + "tokens", "can be opaque for one issuer only: nothing in such a token says whose it is");
        }
        hasOpaque = hasOpaque || isOpaque;
    }
    for (const ServiceAccount& account : config.serviceAccounts) {
        const auto isSame = [&](const ServiceAccount& other) { return other.name == account.name; };
        if (std::count_if(config.serviceAccounts.begin(), config.serviceAccounts.end(), isSame) > 1) {
            return badConfig("service_accounts", "has two of the same name");
        }
    }
    return {};
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
        addText("client_id", issuer.clientId);
        addText("ca_file", issuer.caFile);
        issuers.push_back(std::move(one));
    }
    if (!issuers.empty()) {
        table.insert("issuers", std::move(issuers));
    }
    toml::array accounts;
    for (const ServiceAccount& account : config.serviceAccounts) {
        accounts.push_back(toml::table{{"name", account.name}, {"key_hash", auth::writeKeyHash(account.keyHash)},
            {"scopes", listOf(account.scopes)}});
    }
    if (!accounts.empty()) {
        table.insert("service_accounts", std::move(accounts));
    }
}

} // namespace vivavoce::broker
