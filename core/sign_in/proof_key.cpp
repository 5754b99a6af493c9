#include "core/sign_in/proof_key.h"

#include "core/base/base64.h"
#include "core/base/random_id.h"

namespace vivavoce::core {

ProofKey makeProofKey(const Sha256& sha256)
{
    ProofKey key;
    std::string first = randomId();
    std::string second = randomId();
    std::string verifier;
    verifier.reserve(first.size() + second.size());
    verifier += first;
    verifier += second;
    key.verifier = Secret(verifier);
    key.challenge = proofChallenge(verifier, sha256);
    wipeString(first);
    wipeString(second);
    wipeString(verifier);
    return key;
}

std::string proofChallenge(std::string_view verifier, const Sha256& sha256)
{
    return encodeBase64Url(sha256(verifier));
}

} // namespace vivavoce::core
