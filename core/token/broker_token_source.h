#pragma once

#include "core/base/clock.h"
#include "core/ports/http_client.h"
#include "core/token/credential_source.h"
#include "core/token/token_settings.h"
#include "core/token/token_source.h"

#include <memory>
#include <optional>
#include <string>

namespace vivavoce::core {

/// What to ask a broker for, beside the token itself. Empty fields leave the choice to the broker's policy.
struct BrokerWishes {
    std::string provider;
    std::string model;
    std::string voice;
    std::string instructions;
    /// What the session is for: a good name (`projectNameFault`), or none. A renewal does not say it again: the broker keeps it with the session.
    std::string project{};
};

/// Obtains and renews tokens at a broker: `POST /api/voice-agent/token` and `/refresh-token`.
/// A renewal whose answer was lost is repeated with the same Idempotency-Key, so that the broker can tell it from theft. A credential that the
/// broker does not take (401) is replaced once, where its source has another.
/// Errors: BrokerUnreachable, BrokerMalformed, BrokerFailed (5xx), NotAuthorised (401, 403), RateLimited (429, with
/// retryAfter), Timeout, InsecureUrl; of the provider behind the broker ProviderRefused, ProviderQuota, ProviderMalformed, ProviderFailed and
/// ProviderUnreachable; ProviderUnknown, ChoiceRefused and ChoiceNotAllowed of what is wished for; of a project the `foreignCode` is one of
/// `project_fault`, also where it is a renewal's that is NotAuthorised. Threads and lifetime: as TokenSource; its dependencies outlive it.
class BrokerTokenSource final : public TokenSource {
public:
    struct Dependencies {
        HttpClient& http;
        const Clock& clock;
        /// "https://broker.example" without a trailing slash.
        std::string baseUrl;
        /// What shows the broker who is asking; renewed tokens are shown by themselves.
        std::shared_ptr<CredentialSource> credential;
        BrokerWishes wishes;
        /// Tells this run of the client from others of the same user (128 random bits).
        std::string clientInstance;
        TokenSettings settings{};
    };

    explicit BrokerTokenSource(Dependencies dependencies);
    ~BrokerTokenSource() override;

    void fetch(const TokenQuery& query, TokenCallback done) override;

private:
    struct Flight;
    /// What was asked for with which credential.
    struct Attempt {
        TokenQuery query;
        CredentialPtr credential;
        /// The credential is not replaced once more.
        bool isLast = false;
    };
    void mint(TokenQuery query, TokenCallback done, bool isLast);
    void send(HttpClient::Request request, TokenCallback done, std::optional<Attempt> attempt = std::nullopt);
    [[nodiscard]] std::string idempotencyKey(const TokenPtr& previous);

    Dependencies m_deps;
    /// Each flight holds its call and the way back; dropping it cancels.
    std::shared_ptr<Flight> m_flight;
    TokenPtr m_renewing;
    std::string m_renewingKey;
};

} // namespace vivavoce::core
