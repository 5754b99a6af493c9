#include "broker/reports/invoice.h"

#include "broker/usage/usage_report.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>
#include <utility>

namespace vivavoce::broker::reports {
namespace {

using core::Json;

void addLines(const Json& statement, const std::string& first, std::string& csv)
{
    for (const Json& line : statement.at("lines")) {
        csv += first;
        for (const char* name : {"user", "issuer", "provider", "model", "kind"}) {
            csv += ',' + usage::csvField(line.at(name).get<std::string>());
        }
        csv += ',' + std::to_string(line.at("quantity").get<std::int64_t>()) + ',' + line.at("unit").get<std::string>()
            + ',' + dollarsOf(line.at("nanoDollars").get<std::int64_t>()) + "\r\n";
    }
}

constexpr const char* kColumns = "user,issuer,provider,model,kind,quantity,unit,usd\r\n";

} // namespace

std::string numberText(const InvoiceSettings& settings, std::int64_t number)
{
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), "%06lld", static_cast<long long>(number));
    return settings.numberPrefix + digits.data();
}

Json makeInvoice(const Statement& statement, const Month& month, const InvoiceSettings& settings,
    std::optional<std::int64_t> number, core::WallTime now)
{
    Json invoice = writeJson(statement);
    const Currency& currency = settings.currency;
    const Stated net = state(statement.nanoDollars, currency);
    const std::int64_t tax = taxOf(net.minor, settings.taxBasisPoints);
    const auto recipient = settings.recipients.find(statement.project);
    invoice["isPreview"] = !number.has_value();
    if (number) {
        invoice["number"] = numberText(settings, *number);
    }
    invoice["issuedAt"] = core::formatRfc3339(now);
    invoice["month"] = month.text();
    invoice["from"] = usage::dateOf(month.firstDay());
    invoice["to"] = usage::dateOf(month.endDay() - 1);
    invoice["issuer"] = settings.issuer;
    invoice["recipient"] =
        recipient == settings.recipients.end() ? std::vector<std::string>{statement.project} : recipient->second;
    invoice["note"] = settings.note;
    invoice["currency"] = {{"code", currency.code}, {"digits", currency.digits()},
        {"rate", rateText(currency.rateMillionths)}, {"rateDate", currency.rateDate}};
    invoice["netExact"] = net.exact;
    invoice["rounding"] = net.rounding;
    invoice["net"] = net.minor;
    invoice["taxLabel"] = settings.taxLabel;
    invoice["taxBasisPoints"] = settings.taxBasisPoints;
    invoice["tax"] = tax;
    invoice["total"] = net.minor + tax;
    return invoice;
}

std::string writeInvoiceCsv(const Json& invoice)
{
    std::string csv = std::string("number,project,month,") + kColumns;
    addLines(invoice,
        usage::csvField(invoice.value("number", std::string())) + ','
            + usage::csvField(invoice.at("project").get<std::string>()) + ',' + invoice.at("month").get<std::string>(),
        csv);
    return csv;
}

std::string writeReportCsv(const Json& report)
{
    std::string csv = std::string("project,month,") + kColumns;
    for (const Json& statement : report.at("projects")) {
        addLines(statement,
            usage::csvField(statement.at("project").get<std::string>()) + ',' + report.at("month").get<std::string>(),
            csv);
    }
    return csv;
}

} // namespace vivavoce::broker::reports
