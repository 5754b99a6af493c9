#include "broker/reports/invoice.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

namespace vivavoce::broker::reports {
namespace {

using core::Json;

/// Text in a page, also between quotation marks.
std::string escaped(std::string_view text)
{
    std::string safe;
    for (const char c : text) {
        switch (c) {
        case '&':
            safe += "&amp;";
            break;
        case '<':
            safe += "&lt;";
            break;
        case '>':
            safe += "&gt;";
            break;
        case '"':
            safe += "&quot;";
            break;
        default:
            safe += c;
        }
    }
    return safe;
}

std::string textOf(const Json& node, const char* name)
{
    return escaped(node.at(name).get<std::string>());
}

/// "1 234 567", with spaces that do not break.
std::string grouped(std::int64_t number)
{
    std::string digits = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
        digits.insert(static_cast<std::size_t>(at), "\xE2\x80\xAF");
    }
    return digits;
}

/// What a kind is called, and how much of it.
std::string kindText(const std::string& kind)
{
    constexpr std::array<std::pair<std::string_view, const char*>, 10> kNames{
        {{"textIn", "Text read"}, {"cachedTextIn", "Text read, cached"}, {"textOut", "Text written"},
            {"audioIn", "Sound heard"}, {"cachedAudioIn", "Sound heard, cached"}, {"audioOut", "Sound spoken"},
            {"imageIn", "Images seen"}, {"cachedImageIn", "Images seen, cached"}, {"connection", "Connection"},
            {"other", "Other (transcription, replies without figures)"}}};
    for (const auto& [name, text] : kNames) {
        if (name == kind) {
            return text;
        }
    }
    return escaped(kind);
}

std::string quantityText(const Json& line)
{
    const auto quantity = line.at("quantity").get<std::int64_t>();
    const std::string unit = line.at("unit").get<std::string>();
    if (unit == "ms") {
        constexpr std::int64_t kTenth = 6'000;
        const std::int64_t tenths = quantity / kTenth;
        return grouped(tenths / 10) + "." + std::to_string(tenths % 10) + " min";
    }
    if (unit == "turns") {
        return quantity == 0 ? std::string() : grouped(quantity) + " replies";
    }
    return grouped(quantity) + " tokens";
}

std::string addressOf(const Json& lines)
{
    std::string html;
    for (const Json& line : lines) {
        html += (html.empty() ? "" : "<br>") + escaped(line.get<std::string>());
    }
    return html;
}

/// A row for each user, and theirs below it.
void addLines(const Json& statement, std::string& html)
{
    html +=
        "<table class=\"lines\">\n<thead><tr><th scope=\"col\">Item</th><th scope=\"col\">Model</th>"
        "<th scope=\"col\" class=\"number\">Quantity</th><th scope=\"col\" class=\"number\">USD</th></tr></thead>\n";
    std::string user;
    bool isOpen = false;
    for (const Json& line : statement.at("lines")) {
        const std::string whose = line.at("issuer").get<std::string>() + "\n" + line.at("user").get<std::string>();
        if (!isOpen || whose != user) {
            html += std::string(isOpen ? "</tbody>\n" : "")
                + "<tbody>\n<tr class=\"user\"><th scope=\"rowgroup\" colspan=\"4\">" + textOf(line, "user")
                + " <span class=\"issuer\">" + textOf(line, "issuer") + "</span></th></tr>\n";
            user = whose;
            isOpen = true;
        }
        html += "<tr><td>" + kindText(line.at("kind").get<std::string>()) + "</td><td>" + textOf(line, "model")
            + "</td><td class=\"number\">" + quantityText(line) + "</td><td class=\"number\">"
            + dollarsOf(line.at("nanoDollars").get<std::int64_t>()) + "</td></tr>\n";
    }
    html += isOpen ? "</tbody>\n" : "<tbody><tr><td colspan=\"4\">Nothing was used.</td></tr></tbody>\n";
    html += "</table>\n";
}

void addSum(const std::string& name, const std::string& value, const char* kind, std::string& html)
{
    html += std::string("<tr class=\"") + kind + "\"><th scope=\"row\">" + name + "</th><td class=\"number\">" + value
        + "</td></tr>\n";
}

std::string percentText(std::int64_t basisPoints)
{
    std::string text = amountText(basisPoints, 2);
    text.erase(text.find_last_not_of('0') + 1);
    text.erase(text.find_last_not_of('.') + 1);
    return text + " %";
}

std::string pageOf(const std::string& title, const std::string& body, Style style)
{
    const std::string styling = style == Style::Linked
        ? "<link rel=\"stylesheet\" href=\"" + std::string(kInvoiceStylePath) + "\">"
        : "<style>\n" + std::string(invoiceStyle()) + "</style>";
    return "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
           "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
        + title + "</title>\n" + styling + "\n</head>\n<body>\n<main>\n" + body + "</main>\n</body>\n</html>\n";
}

void addSums(const Json& invoice, std::string& html)
{
    const Json& currency = invoice.at("currency");
    const std::string code = textOf(currency, "code");
    const int digits = currency.at("digits").get<int>();
    const auto amount = [&](const char* name) {
        return code + " " + amountText(invoice.at(name).get<std::int64_t>(), digits);
    };
    html += "<table class=\"sums\">\n<tbody>\n";
    addSum("Sum of the items", "USD " + dollarsOf(invoice.at("nanoDollars").get<std::int64_t>()), "exact", html);
    if (code != "USD") {
        const std::string date = textOf(currency, "rateDate");
        addSum("Rate" + (date.empty() ? date : " of " + date), "1 USD = " + textOf(currency, "rate") + " " + code,
            "exact", html);
        addSum("In " + code, code + " " + textOf(invoice, "netExact"), "exact", html);
    }
    addSum("Rounding", code + " " + textOf(invoice, "rounding"), "exact", html);
    addSum("Net", amount("net"), "net", html);
    const auto basisPoints = invoice.at("taxBasisPoints").get<std::int64_t>();
    if (basisPoints > 0) {
        addSum(textOf(invoice, "taxLabel") + " " + percentText(basisPoints), amount("tax"), "net", html);
    }
    addSum("Total", amount("total"), "total", html);
    html += "</tbody>\n</table>\n";
}

} // namespace

std::string writeInvoicePage(const Json& invoice, Style style)
{
    const bool isPreview = invoice.at("isPreview").get<bool>();
    const std::string title =
        isPreview ? "Preview of " + textOf(invoice, "month") : "Invoice " + textOf(invoice, "number");
    std::string html = "<header>\n<h1>" + title + "</h1>\n";
    if (isPreview) {
        html += "<p class=\"preview\">This is no invoice.</p>\n";
    }
    html += "<div class=\"parties\">\n<address class=\"issuer-address\">" + addressOf(invoice.at("issuer"))
        + "</address>\n<address>" + addressOf(invoice.at("recipient")) + "</address>\n</div>\n<dl class=\"facts\">\n";
    const std::array facts{std::pair("Project", textOf(invoice, "project")),
        std::pair("Period", textOf(invoice, "from") + " to " + textOf(invoice, "to")),
        std::pair("Date", textOf(invoice, "issuedAt").substr(0, std::string_view("2026-11-30").size()))};
    for (const auto& [name, value] : facts) {
        html += std::string("<div><dt>") + name + "</dt><dd>" + value + "</dd></div>\n";
    }
    html += "</dl>\n</header>\n";
    addLines(invoice, html);
    addSums(invoice, html);
    const std::string note = addressOf(invoice.at("note"));
    html += note.empty() ? "" : "<footer>" + note + "</footer>\n";
    return pageOf(title, html, style);
}

std::string writeReportPage(const Json& report, Style style)
{
    const std::string title = "Usage in " + textOf(report, "month");
    std::string html = "<header>\n<h1>" + title + "</h1>\n";
    if (!report.at("isOver").get<bool>()) {
        html += "<p class=\"preview\">This month is not over.</p>\n";
    }
    html += "</header>\n";
    for (const Json& statement : report.at("projects")) {
        const std::string project = textOf(statement, "project");
        html += "<section>\n<h2>" + (project.empty() ? "Without a project" : project) + "</h2>\n";
        addLines(statement, html);
        html += "<table class=\"sums\"><tbody>\n";
        addSum("Sessions", grouped(statement.at("sessions").get<std::int64_t>()), "exact", html);
        addSum("Total", "USD " + dollarsOf(statement.at("nanoDollars").get<std::int64_t>()), "total", html);
        html += "</tbody></table>\n</section>\n";
    }
    html += "<table class=\"sums\"><tbody>\n";
    addSum("All projects", "USD " + dollarsOf(report.at("nanoDollars").get<std::int64_t>()), "total", html);
    html += "</tbody></table>\n";
    return pageOf(title, html, style);
}

} // namespace vivavoce::broker::reports
