#include "broker/config_invoices.h"

#include "broker/config_toml.h"
#include "broker/projects/project_directory.h"
#include "broker/usage/usage_report.h"

#include <algorithm>

namespace vivavoce::broker {
namespace {

constexpr Range kTaxRange{0, 10'000};
constexpr std::size_t kLongestPrefix = 32;

Written readPrefix(std::string_view key, toml::node& node, std::string& into)
{
    const auto text = node.value_exact<std::string>();
    const auto isPlain = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'
            || c == '.';
    };
    if (!text || text->size() > kLongestPrefix || !std::all_of(text->begin(), text->end(), isPlain)) {
        return badConfig(key, "has to be letters, digits, dots, dashes and underscores, at most 32");
    }
    into = *text;
    return {};
}

Written readCurrency(std::string_view key, toml::node& node, reports::Currency& currency)
{
    const auto text = node.value_exact<std::string>();
    constexpr std::size_t kLetters = 3;
    if (!text || text->size() != kLetters
        || !std::all_of(text->begin(), text->end(), [](char c) { return c >= 'A' && c <= 'Z'; })) {
        return badConfig(key, "has to be a code of ISO 4217, such as EUR");
    }
    currency.code = *text;
    return {};
}

Written readRate(std::string_view key, toml::node& node, reports::Currency& currency)
{
    const auto text = node.value_exact<std::string>();
    const auto rate = text ? reports::parseRate(*text) : std::nullopt;
    if (!rate) {
        return badConfig(
            key, "has to be a text with a number of at most six digits behind the point, such as \"0.92\"");
    }
    currency.rateMillionths = *rate;
    return {};
}

Written readRateDate(std::string_view key, toml::node& node, reports::Currency& currency)
{
    const auto text = node.value_exact<std::string>();
    if (!text || !usage::dayOfDate(*text)) {
        return badConfig(key, "has to be a day, such as \"2026-11-01\"");
    }
    currency.rateDate = *text;
    return {};
}

void readRecipient(const std::string& prefix, toml::table& table, Config& config, Problems& problems)
{
    const auto known = recipientKeys();
    std::string project;
    std::vector<std::string> lines;
    for (const auto& entry : inFileOrder(table)) {
        toml::node& node = *entry.second;
        const std::string key = prefix + entry.first;
        if (std::find(known.begin(), known.end(), entry.first) == known.end()) {
            tellUnknownKey(key, node, prefixed(prefix, known), problems);
        } else if (enterKey(key, node, problems)) {
            auto written = entry.first == "project" ? readText(key, node, project) : readTexts(key, node, lines);
            if (!written) {
                problems.add(key, written.error());
            }
        }
    }
    if (!isProjectName(project)) {
        problems.add(prefix + "project", "has to name a project");
    } else if (lines.empty()) {
        problems.add(prefix + "address", "has to be name and address, line by line");
    } else if (!config.invoices.recipients.emplace(project, std::move(lines)).second) {
        problems.add(prefix + "project", "is there twice");
    }
}

} // namespace

Written readInvoiceKey(std::string_view key, toml::node& node, Config& config)
{
    reports::InvoiceSettings& invoices = config.invoices;
    if (key == "invoices.issuer") {
        return readTexts(key, node, invoices.issuer);
    }
    if (key == "invoices.note") {
        return readTexts(key, node, invoices.note);
    }
    if (key == "invoices.number_prefix") {
        return readPrefix(key, node, invoices.numberPrefix);
    }
    if (key == "invoices.tax_label") {
        return readText(key, node, invoices.taxLabel);
    }
    if (key == "invoices.currency") {
        return readCurrency(key, node, invoices.currency);
    }
    if (key == "invoices.rate") {
        return readRate(key, node, invoices.currency);
    }
    if (key == "invoices.rate_date") {
        return readRateDate(key, node, invoices.currency);
    }
    const auto basisPoints = node.value_exact<std::int64_t>();
    if (!basisPoints) {
        return badConfig(key, "has to be a whole number of hundredths of a percent");
    }
    auto checked = checkRange(key, *basisPoints, kTaxRange);
    if (checked) {
        invoices.taxBasisPoints = *basisPoints;
    }
    return checked;
}

void readRecipients(std::string_view key, toml::node& node, Config& config, Problems& problems)
{
    for (const auto& [prefix, table] : tablesOf(key, node, problems)) {
        readRecipient(prefix, *table, config, problems);
    }
}

std::vector<std::string> recipientKeys()
{
    return {"project", "address"};
}

void checkInvoices(const Config& config, Problems& problems)
{
    const reports::Currency& currency = config.invoices.currency;
    const bool isDollar = currency.code == "USD";
    if (isDollar && currency.rateMillionths != reports::Currency().rateMillionths) {
        problems.add("invoices.rate", "has to be 1 for USD");
    }
    if (!isDollar && currency.rateDate.empty() && !problems.has("invoices.rate_date")) {
        problems.add("invoices.rate_date", "has to say on which day invoices.rate held");
    }
}

void printInvoices(const Config& config, toml::table& table)
{
    const reports::InvoiceSettings& invoices = config.invoices;
    toml::table printed{{"number_prefix", invoices.numberPrefix}, {"tax_label", invoices.taxLabel},
        {"tax_basis_points", invoices.taxBasisPoints}, {"currency", invoices.currency.code},
        {"rate", reports::rateText(invoices.currency.rateMillionths)}};
    if (!invoices.issuer.empty()) {
        printed.insert("issuer", listOf(invoices.issuer));
    }
    if (!invoices.note.empty()) {
        printed.insert("note", listOf(invoices.note));
    }
    if (!invoices.currency.rateDate.empty()) {
        printed.insert("rate_date", invoices.currency.rateDate);
    }
    toml::array recipients;
    for (const auto& [project, lines] : invoices.recipients) {
        recipients.push_back(toml::table{{"project", project}, {"address", listOf(lines)}});
    }
    if (!recipients.empty()) {
        printed.insert("recipients", std::move(recipients));
    }
    table.insert("invoices", std::move(printed));
}

} // namespace vivavoce::broker
