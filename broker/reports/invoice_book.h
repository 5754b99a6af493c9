#pragma once

#include "broker/fault.h"
#include "broker/reports/invoice.h"
#include "broker/store/database.h"
#include "broker/workshop.h"
#include "core/base/clock.h"
#include "core/base/expected.h"
#include "core/usage/price_list.h"
#include "net/awaitable.h"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::broker::reports {

/// What projects came to in a month, and the invoices for it, in the broker's database.
/// Invariants: numbers have no gaps, and none is given twice, also by several brokers; a project has one invoice a month, which never changes:
/// what was issued is stored as it was told, and told again.
/// Threads: [any thread]; coroutines on the caller's executor. Lifetime: database, clock and workshop outlive it.
class InvoiceBook {
public:
    /// Unavailable; BadRequest: the month is not over, has no ledger any more, or holds more than fits; NotAllowed: nobody is said to bill.
    template <typename T>
    using Result = net::Awaitable<core::Expected<T, Fault>>;

    struct Settings {
        InvoiceSettings invoices;
        /// For how long the ledger keeps what it has.
        std::chrono::days ledgerKept{400};
    };
    struct Dependencies {
        Database& database;
        const core::Clock& clock;
        std::shared_ptr<const core::PriceList> prices;
        /// Where long ones are made.
        Workshop& workshop;
    };
    static constexpr std::size_t kMostListed = 200;

    InvoiceBook(Settings settings, Dependencies dependencies)
        : m_settings(std::move(settings)), m_deps(std::move(dependencies))
    {
    }

    /// {"month", "isOver", "nanoDollars", "projects": [statement…]}: of all projects, or of that one.
    [[nodiscard]] Result<core::Json> report(Month month, std::optional<std::string> project);
    /// What `issue` would make now, also of a month that is not over.
    [[nodiscard]] Result<core::Json> preview(Month month, std::string project);
    struct Issued {
        /// As it is stored: JSON.
        std::string invoice;
        /// False: it was there.
        bool isNew = false;
    };
    /// NotFound: the project had no session in that month.
    [[nodiscard]] Result<Issued> issue(Month month, std::string project);
    /// As it is stored: JSON. NotFound.
    [[nodiscard]] Result<std::string> find(std::string number);
    /// The newest first, without their lines, which are not read for it; those before that number, where there is one.
    [[nodiscard]] Result<core::Json> list(std::optional<std::int64_t> before, std::size_t most);

private:
    [[nodiscard]] std::optional<Fault> refusal(const Month& month, bool isToBeIssued) const;
    /// As `report`, of one project: what it came to, be it nothing.
    [[nodiscard]] Result<Statement> statementOf(Month month, std::string project);

    const Settings m_settings;
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::reports
