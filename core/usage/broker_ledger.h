#pragma once

#include "core/ports/http_client.h"
#include "core/ports/usage_book.h"
#include "core/token/credential_source.h"

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>

namespace vivavoce::core {

/// What a broker says that somebody has used (`GET /api/voice/usage`).
struct BrokerUsage {
    std::int64_t sessions = 0;
    UsageFigures figures;
    /// How much of the money only clients have told of.
    std::int64_t reportedNanoDollars = 0;
};

/// Pure. BrokerMalformed names the field at fault.
[[nodiscard]] Expected<BrokerUsage, Error> decodeBrokerUsage(std::string_view text);

/// How what was counted here and by a broker go together.
enum class UsageAgreement {
    Same,
    /// The same tokens for other money.
    OtherPrices,
    /// It knows of more: other devices, or what is not in this book any more.
    BrokerHasMore,
    /// It has not heard of all, or heard of it from somebody else.
    BrokerHasLess,
};
/// A tenth of a cent, or a hundredth of the money, is none: seconds of connection are counted at both ends.
[[nodiscard]] UsageAgreement compare(const UsageFigures& here, const UsageFigures& broker);

/// Asks a broker what it has in its books for whoever the credential shows.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it; at its end nobody is answered any more.
class BrokerLedger {
public:
    struct Dependencies {
        HttpClient& http;
        std::shared_ptr<CredentialSource> credential;
    };
    using Done = std::function<void(const Expected<BrokerUsage, Error>&)>;

    explicit BrokerLedger(Dependencies dependencies);
    ~BrokerLedger();
    BrokerLedger(const BrokerLedger&) = delete;
    BrokerLedger& operator=(const BrokerLedger&) = delete;

    /// Of the query's session, or of its days; its `broker`, without a trailing slash, is who is asked. An older broker refuses to tell of a
    /// session (BrokerMalformed).
    void ask(const UsageQuery& query, Done done);

private:
    struct Flight {
        std::list<std::unique_ptr<HttpCall>> calls;
    };
    void send(std::string url, Done done, bool isLast);

    Dependencies m_deps;
    std::shared_ptr<Flight> m_flight;
};

} // namespace vivavoce::core
