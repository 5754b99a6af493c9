#include "broker/reports/invoice_book.h"

#include "broker/store/connection.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace vivavoce::broker::reports {
namespace {

using core::Json;
using core::Unexpected;
using soci::into;
using soci::use;

/// Of one answer: a month of twenty thousand users.
constexpr std::size_t kMostLines = 200'000;
/// An arbitrary number that means numbers of invoices. The others are 7482903155 (migrations.cpp) and 7482903156 (usage_sums.cpp): whoever had
/// one of these would keep the others waiting.
constexpr const char* kOneAtATime = "SELECT pg_advisory_xact_lock(7482903157)";

Fault storeIsAway()
{
    return {FaultCode::Unavailable, "the ledger cannot be asked now", std::chrono::seconds(5)};
}

/// Day by day, each project's in one piece, each user's in one piece within it, each model's within that. False: more lines than fit.
bool readStatements(Connection& sql, const Month& month, const std::optional<std::string>& project,
    const core::PriceList& prices, std::vector<Statement>& statements)
{
    std::string columns;
    for (const usage::Measure measure : usage::allMeasures()) {
        columns += ", " + std::string(columnOf(measure));
    }
    const long long from = month.firstDay();
    const long long end = month.endDay();
    const std::string wanted = project.value_or(std::string());
    DayUse day;
    std::string name;
    std::string transport;
    long long number = 0;
    long long sessions = 0;
    std::array<long long, usage::kMeasures> measures{};
    soci::statement statement(sql);
    for (std::string* const text : {&name, &day.issuer, &day.subject, &day.provider, &day.model, &transport}) {
        statement.exchange(into(*text));
    }
    statement.exchange(into(number));
    statement.exchange(into(sessions));
    for (long long& measure : measures) {
        statement.exchange(into(measure));
    }
    statement.exchange(use(from));
    statement.exchange(use(end));
    if (project) {
        statement.exchange(use(wanted));
    }
    statement.alloc();
    statement.prepare("SELECT project, issuer, subject, provider, model, transport, day, sessions" + columns
        + " FROM usage_days WHERE day >= :from AND day < :end" + (project ? " AND project = :project" : "")
        + " ORDER BY project, issuer, subject, provider, model, day, transport");
    statement.define_and_bind();
    std::optional<StatementMaker> maker;
    std::string current;
    std::size_t lines = 0;
    const auto close = [&] {
        if (maker) {
            statements.push_back(maker->finish());
            lines += statements.back().lines.size();
        }
    };
    const auto fits = [&] { return lines + (maker ? maker->lines() : 0) <= kMostLines; };
    for (bool isThere = statement.execute(true); isThere && fits(); isThere = statement.fetch()) {
        if (!maker || name != current) {
            close();
            maker.emplace(name, prices);
            current = name;
        }
        day.day = number;
        day.sessions = sessions;
        day.isDirect = transport == "direct";
        for (const usage::Measure measure : usage::allMeasures()) {
            day.amounts[measure] = measures[static_cast<std::size_t>(measure)];
        }
        maker->add(day);
    }
    close();
    return lines <= kMostLines;
}

using Statements = core::Expected<std::vector<Statement>, Fault>;

Statements statementsOf(
    Connection& sql, const Month& month, const std::optional<std::string>& project, const core::PriceList& prices)
{
    std::vector<Statement> statements;
    if (!readStatements(sql, month, project, prices, statements)) {
        return Unexpected<Fault>(Fault{FaultCode::BadRequest,
            project ? "the project's month is more than 200,000 lines: that is more than one answer holds"
                    : "that is more than 200,000 lines: ask project by project",
            std::nullopt});
    }
    return statements;
}

Json reportOf(const Month& month, bool isOver, const std::vector<Statement>& statements)
{
    Json projects = Json::array();
    std::int64_t nanoDollars = 0;
    for (const Statement& statement : statements) {
        nanoDollars += statement.nanoDollars;
        projects.push_back(writeJson(statement));
    }
    return {
        {"month", month.text()}, {"isOver", isOver}, {"nanoDollars", nanoDollars}, {"projects", std::move(projects)}};
}

Statement only(std::vector<Statement> statements, const std::string& project)
{
    Statement statement;
    statement.project = project;
    return statements.empty() ? statement : std::move(statements.front());
}

/// What is told of it in lists.
std::string headOf(Json invoice)
{
    invoice.erase("lines");
    return core::writeJson(invoice);
}

void keepHead(Connection& sql, long long number, const std::string& head)
{
    sql << "INSERT INTO invoice_heads (number, head) VALUES (:number, :head) ON CONFLICT (number) DO NOTHING",
        use(number), use(head);
}

/// Of an invoice that has none yet: of an older version's.
std::string madeHead(Connection& sql, long long number)
{
    std::string data;
    sql << "SELECT data FROM invoices WHERE number = :number", into(data), use(number);
    auto invoice = core::parseJson(data);
    if (!invoice || !invoice->is_object()) {
        return {};
    }
    std::string head = headOf(std::move(*invoice));
    keepHead(sql, number, head);
    return head;
}

struct Head {
    long long number = 0;
    /// Empty: there is none.
    std::string text;
};

std::vector<Head> headsOf(Connection& sql, long long before, int most)
{
    std::vector<Head> heads;
    Head head;
    soci::statement statement =
        (sql.prepare << "SELECT i.number, COALESCE(h.head, '') FROM invoices i LEFT JOIN invoice_heads h "
                        "ON h.number = i.number WHERE i.number < :before ORDER BY i.number DESC LIMIT :most",
            into(head.number), into(head.text), use(before), use(most));
    for (bool isThere = statement.execute(true); isThere; isThere = statement.fetch()) {
        heads.push_back(head);
    }
    return heads;
}

std::optional<std::string> stored(Connection& sql, const Month& month, const std::string& project)
{
    const std::string key = month.text();
    std::string text;
    sql << "SELECT data FROM invoices WHERE project = :project AND month = :month", into(text), use(project), use(key);
    return sql.got_data() ? std::optional(std::move(text)) : std::nullopt;
}

} // namespace

std::optional<Fault> InvoiceBook::refusal(const Month& month, bool isToBeIssued) const
{
    const core::WallTime now = m_deps.clock.wallNow();
    const std::int64_t today = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
    if (month.firstDay() > today) {
        return Fault{FaultCode::BadRequest, "the month has not begun", std::nullopt};
    }
    if (month.firstDay() < today - m_settings.ledgerKept.count()) {
        return Fault{FaultCode::BadRequest, "the ledger does not go back so far (usage.keep_days)", std::nullopt};
    }
    if (isToBeIssued && !month.isOver(now)) {
        return Fault{FaultCode::BadRequest, "the month is not over: ask for a preview", std::nullopt};
    }
    if (isToBeIssued && m_settings.invoices.issuer.empty()) {
        return Fault{FaultCode::NotAllowed, "invoices.issuer does not say who bills", std::nullopt};
    }
    return std::nullopt;
}

InvoiceBook::Result<Json> InvoiceBook::report(Month month, std::optional<std::string> project)
{
    if (const auto fault = refusal(month, false)) {
        co_return Unexpected<Fault>(*fault);
    }
    std::function<Statements(Connection&)> work = [month, project = std::move(project), prices = m_deps.prices](
                                                      Connection& sql) {
        return statementsOf(sql, month, project, *prices);
    };
    auto answer = co_await m_deps.database.run<Statements>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    if (!*answer) {
        co_return Unexpected<Fault>(answer->error());
    }
    std::function<Json()> write = [month, isOver = month.isOver(m_deps.clock.wallNow()),
                                      statements = std::make_shared<const std::vector<Statement>>(
                                          std::move(**answer))] { return reportOf(month, isOver, *statements); };
    auto report = co_await m_deps.workshop.make<Json>(std::move(write));
    co_return report;
}

InvoiceBook::Result<Statement> InvoiceBook::statementOf(Month month, std::string project)
{
    std::function<Statements(Connection&)> work = [month, project, prices = m_deps.prices](Connection& sql) {
        return statementsOf(sql, month, project, *prices);
    };
    auto answer = co_await m_deps.database.run<Statements>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    if (!*answer) {
        co_return Unexpected<Fault>(answer->error());
    }
    co_return core::Expected<Statement, Fault>(only(std::move(**answer), project));
}

InvoiceBook::Result<Json> InvoiceBook::preview(Month month, std::string project)
{
    if (const auto fault = refusal(month, false)) {
        co_return Unexpected<Fault>(*fault);
    }
    auto statement = co_await statementOf(month, std::move(project));
    if (!statement) {
        co_return Unexpected<Fault>(statement.error());
    }
    std::function<Json()> write = [month, settings = m_settings.invoices, now = m_deps.clock.wallNow(),
                                      own = std::make_shared<const Statement>(std::move(*statement))] {
        return makeInvoice(*own, month, settings, std::nullopt, now);
    };
    auto invoice = co_await m_deps.workshop.make<Json>(std::move(write));
    co_return invoice;
}

InvoiceBook::Result<InvoiceBook::Issued> InvoiceBook::issue(Month month, std::string project)
{
    using Answer = core::Expected<Issued, Fault>;
    // One that was issued is told again, whatever has changed since.
    const auto fault = refusal(month, true);
    std::function<Answer(Connection&)> work = [month, project = std::move(project), fault, settings = m_settings,
                                                  prices = m_deps.prices,
                                                  now = m_deps.clock.wallNow()](Connection& sql) -> Answer {
        if (sql.get_backend_name() == "postgresql") {
            // SQLite has one transaction at a time.
            sql << kOneAtATime;
        }
        if (auto before = stored(sql, month, project)) {
            return Issued{std::move(*before), false};
        }
        if (fault) {
            return Unexpected<Fault>(*fault);
        }
        auto statements = statementsOf(sql, month, project, *prices);
        if (!statements) {
            return Unexpected<Fault>(statements.error());
        }
        const Statement statement = only(std::move(*statements), project);
        if (statement.lines.empty() && statement.sessions == 0) {
            // A name that was mistyped would have its number for good.
            return Unexpected<Fault>(
                Fault{FaultCode::NotFound, "the project has nothing to bill in that month", std::nullopt});
        }
        long long number = 0;
        sql << "SELECT COALESCE(MAX(number), 0) FROM invoices", into(number);
        ++number;
        Json invoice = makeInvoice(statement, month, settings.invoices, number, now);
        const std::string key = month.text();
        const std::string name = invoice.at("number").get<std::string>();
        const std::string data = core::writeJson(invoice);
        const long long at = std::chrono::floor<core::Milliseconds>(now).time_since_epoch().count();
        sql << "INSERT INTO invoices (number, name, project, month, at, data) "
               "VALUES (:number, :name, :project, :month, :at, :data)",
            use(number), use(name), use(project), use(key), use(at), use(data);
        keepHead(sql, number, headOf(std::move(invoice)));
        return Issued{data, true};
    };
    auto answer = co_await m_deps.database.runToTheEnd<Answer>(std::move(work));
    if (!answer) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return std::move(*answer);
}

InvoiceBook::Result<std::string> InvoiceBook::find(std::string number)
{
    std::function<std::string(Connection&)> work = [number = std::move(number)](Connection& sql) {
        std::string data;
        sql << "SELECT data FROM invoices WHERE name = :name", into(data), use(number);
        return sql.got_data() ? data : std::string();
    };
    auto data = co_await m_deps.database.run<std::string>(std::move(work));
    if (!data) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    if (data->empty()) {
        co_return Unexpected<Fault>(Fault{FaultCode::NotFound, "there is no such invoice", std::nullopt});
    }
    co_return core::Expected<std::string, Fault>(std::move(*data));
}

InvoiceBook::Result<Json> InvoiceBook::list(std::optional<std::int64_t> before, std::size_t most)
{
    std::function<Json(Connection&)> work = [before, most = static_cast<int>(std::min(most, kMostListed))](
                                                Connection& sql) {
        const long long end = before.value_or(std::numeric_limits<std::int64_t>::max());
        Json all = Json::array();
        for (Head& head : headsOf(sql, end, most)) {
            if (head.text.empty()) {
                head.text = madeHead(sql, head.number);
            }
            auto invoice = core::parseJson(head.text);
            if (invoice && invoice->is_object()) {
                (*invoice)["sequence"] = head.number;
                all.push_back(std::move(*invoice));
            }
        }
        return all;
    };
    auto all = co_await m_deps.database.run<Json>(std::move(work));
    if (!all) {
        co_return Unexpected<Fault>(storeIsAway());
    }
    co_return core::Expected<Json, Fault>(std::move(*all));
}

} // namespace vivavoce::broker::reports
