#include "broker/http/report_api.h"

#include "broker/admin/page_query.h"
#include "broker/config_values.h"
#include "broker/http/problem_response.h"
#include "broker/http/request_checks.h"
#include "broker/projects/project_directory.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace vivavoce::broker::http {
namespace {

using core::Json;
using reports::Month;
using reports::Style;

constexpr std::int64_t kUnasked = 50;
constexpr const char* kWhatMonth = "month has to be a year and a month from 01 to 12, as 2026-11";
constexpr const char* kWhatProject = "project has to be 1 to 128 visible ASCII characters";

core::Unexpected<Fault> bad(std::string detail)
{
    return core::Unexpected<Fault>(Fault{FaultCode::BadRequest, std::move(detail), std::nullopt});
}

/// These names and no others, so that what is not understood is not "everything". `limit` is for lists.
std::optional<Fault> checkQuery(const net::HttpRequest& request, std::initializer_list<std::string_view> names)
{
    const auto query = admin::PageQuery::read(request.query, names);
    if (!query) {
        return query.error();
    }
    return query->text("limit") ? std::optional(bad("limit is for lists").value()) : std::nullopt;
}

std::string lastSegment(const std::string& path)
{
    return path.substr(path.rfind('/') + 1);
}

enum class Format { Data, Csv, Page };

core::Expected<Format, Fault> formatOf(const net::HttpRequest& request)
{
    const std::string format = net::queryParameter(request.query, "format");
    if (format.empty() || format == "json") {
        return Format::Data;
    }
    if (format == "csv") {
        return Format::Csv;
    }
    return format == "html" ? core::Expected<Format, Fault>(Format::Page) : bad("format has to be json, csv or html");
}

core::Expected<Month, Fault> monthOf(const std::string& text)
{
    const auto month = Month::parse(text);
    return month ? core::Expected<Month, Fault>(*month) : bad(kWhatMonth);
}

core::Expected<std::string, Fault> projectOf(const net::HttpRequest& request)
{
    std::string project = net::queryParameter(request.query, "project");
    return isProjectName(project) ? core::Expected<std::string, Fault>(std::move(project)) : bad(kWhatProject);
}

/// What a page may do: show itself, and take its style from here.
net::HttpResponse page(std::string html)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/html; charset=utf-8");
    response.headers.set("Content-Security-Policy",
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    response.body = std::move(html);
    return response;
}

net::HttpResponse csv(std::string text, const std::string& name)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/csv; charset=utf-8; header=present");
    response.headers.set("Content-Disposition", "attachment; filename=\"" + name + ".csv\"");
    response.body = std::move(text);
    return response;
}

net::HttpResponse invoiceAs(Format format, const Json& invoice)
{
    switch (format) {
    case Format::Csv:
        return csv(reports::writeInvoiceCsv(invoice), "invoice-" + invoice.at("month").get<std::string>());
    case Format::Page:
        return page(reports::writeInvoicePage(invoice, Style::Linked));
    case Format::Data:
        break;
    }
    return net::HttpResponse::json(200, core::writeJson(invoice));
}

/// What is stored, with whether it is new. Added to the text, which takes no place in the workshop: where that is full, an invoice that was
/// issued would be told of as one that was not.
net::HttpResponse issuedAs(std::string stored, bool isNew)
{
    constexpr std::size_t kShortest = 3;
    if (stored.size() < kShortest || stored.front() != '{' || stored.back() != '}') {
        return problemResponse(Fault{FaultCode::Internal, {}, std::nullopt});
    }
    stored.pop_back();
    stored += isNew ? ",\"isNew\":true}" : ",\"isNew\":false}";
    return net::HttpResponse::json(200, std::move(stored));
}

net::HttpResponse reportAs(Format format, const std::string& month, const Json& report)
{
    switch (format) {
    case Format::Csv:
        return csv(reports::writeReportCsv(report), "usage-" + month);
    case Format::Page:
        return page(reports::writeReportPage(report, Style::Linked));
    case Format::Data:
        break;
    }
    return net::HttpResponse::json(200, core::writeJson(report));
}

} // namespace

std::vector<ReportApi::Route> ReportApi::routes()
{
    return {
        {"GET", "/api/admin/reports/{month}", &ReportApi::report},
        {"GET", "/api/admin/invoices", &ReportApi::list},
        {"POST", "/api/admin/invoices", &ReportApi::issue},
        // Before the one that takes any name.
        {"GET", "/api/admin/invoices/preview", &ReportApi::preview},
        {"GET", "/api/admin/invoices/{number}", &ReportApi::show},
        {"GET", reports::kInvoiceStylePath, &ReportApi::style},
    };
}

net::Awaitable<net::HttpResponse> ReportApi::report(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = checkQuery(request, {"format", "project"})) {
        co_return problemResponse(*fault);
    }
    const auto format = formatOf(request);
    const auto month = monthOf(lastSegment(request.path));
    if (!format || !month) {
        co_return problemResponse(format ? month.error() : format.error());
    }
    const std::string name = net::queryParameter(request.query, "project");
    std::optional<std::string> project;
    if (!name.empty()) {
        project = name;
    }
    auto report = co_await m_book.report(*month, std::move(project));
    if (!report) {
        co_return problemResponse(report.error());
    }
    std::function<net::HttpResponse()> write = [format = *format, month = month->text(),
                                                   own = std::make_shared<const Json>(std::move(*report))] {
        return reportAs(format, month, *own);
    };
    auto response = co_await written(std::move(write));
    co_return response;
}

net::Awaitable<net::HttpResponse> ReportApi::written(std::function<net::HttpResponse()> write)
{
    auto response = co_await m_deps.workshop.make<net::HttpResponse>(std::move(write));
    co_return response ? std::move(*response) : problemResponse(response.error());
}

net::Awaitable<net::HttpResponse> ReportApi::list(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto query = admin::PageQuery::read(request.query, {"before"}); !query) {
        co_return problemResponse(query.error());
    }
    constexpr Range most{1, static_cast<std::int64_t>(reports::InvoiceBook::kMostListed)};
    constexpr Range any{1, std::numeric_limits<std::int64_t>::max()};
    const auto numberOf = [&](const char* name, std::int64_t unasked, Range range) {
        const std::string text = net::queryParameter(request.query, name);
        return text.empty() ? core::Expected<std::int64_t, core::Error>(unasked) : readNumber(name, text, range);
    };
    const auto limit = numberOf("limit", kUnasked, most);
    const auto before = numberOf("before", any.highest, any);
    if (!limit || !before) {
        co_return problemResponse(
            Fault{FaultCode::BadRequest, limit ? before.error().detail : limit.error().detail, std::nullopt});
    }
    auto invoices = co_await m_book.list(*before, static_cast<std::size_t>(*limit));
    if (!invoices) {
        co_return problemResponse(invoices.error());
    }
    Json body{{"invoices", std::move(*invoices)}};
    if (const Json& listed = body["invoices"]; listed.size() == static_cast<std::size_t>(*limit)) {
        body["before"] = listed.back().at("sequence");
    }
    co_return net::HttpResponse::json(200, core::writeJson(body));
}

net::Awaitable<net::HttpResponse> ReportApi::preview(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = checkQuery(request, {"format", "month", "project"})) {
        co_return problemResponse(*fault);
    }
    const auto format = formatOf(request);
    const auto month = monthOf(net::queryParameter(request.query, "month"));
    const auto project = projectOf(request);
    if (!format || !month || !project) {
        co_return problemResponse(!format ? format.error() : month ? project.error() : month.error());
    }
    auto invoice = co_await m_book.preview(*month, *project);
    if (!invoice) {
        co_return problemResponse(invoice.error());
    }
    std::function<net::HttpResponse()> write =
        [format = *format, own = std::make_shared<const Json>(std::move(*invoice))] { return invoiceAs(format, *own); };
    auto response = co_await written(std::move(write));
    co_return response;
}

net::Awaitable<net::HttpResponse> ReportApi::issue(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = checkContentType(request)) {
        co_return problemResponse(*fault);
    }
    const auto body = core::parseJson(request.body);
    const auto isText = [&](const char* name) { return body->contains(name) && body->at(name).is_string(); };
    if (!body || !body->is_object() || body->size() != 2 || !isText("project") || !isText("month")) {
        co_return problemResponse(
            Fault{FaultCode::InvalidBody, "it has to be {\"project\": \"...\", \"month\": \"2026-11\"}", std::nullopt});
    }
    const auto project = body->at("project").get<std::string>();
    const auto month = Month::parse(body->at("month").get_ref<const std::string&>());
    if (!month || !isProjectName(project)) {
        co_return problemResponse(Fault{FaultCode::InvalidBody, month ? kWhatProject : kWhatMonth, std::nullopt});
    }
    const std::string told = project + " " + month->text();
    auto unseen = co_await m_deps.entrance.witness(guest->client, AuditEvent::InvoiceIssue, AuditOutcome::Done, told);
    if (unseen) {
        co_return problemResponse(*unseen);
    }
    auto issued = co_await m_book.issue(*month, project);
    if (!issued) {
        unseen = co_await m_deps.entrance.witness(guest->client, AuditEvent::InvoiceIssue, AuditOutcome::Failed, told);
        co_return problemResponse(unseen ? *unseen : issued.error());
    }
    co_return issuedAs(std::move(issued->invoice), issued->isNew);
}

net::Awaitable<net::HttpResponse> ReportApi::show(const net::HttpRequest& request)
{
    auto guest = co_await m_deps.entrance.enter(request, auth::scope::kAdmin);
    if (!guest) {
        co_return std::move(guest.error());
    }
    if (const auto fault = checkQuery(request, {"format"})) {
        co_return problemResponse(*fault);
    }
    const auto format = formatOf(request);
    if (!format) {
        co_return problemResponse(format.error());
    }
    auto invoice = co_await m_book.find(lastSegment(request.path));
    if (!invoice) {
        co_return problemResponse(invoice.error());
    }
    if (*format == Format::Data) {
        co_return net::HttpResponse::json(200, std::move(*invoice));
    }
    std::function<net::HttpResponse()> write = [format = *format, stored = std::move(*invoice)] {
        const auto parsed = core::parseJson(stored);
        return parsed && parsed->is_object() ? invoiceAs(format, *parsed)
                                             : problemResponse(Fault{FaultCode::Internal, {}, std::nullopt});
    };
    auto response = co_await written(std::move(write));
    co_return response;
}

net::Awaitable<net::HttpResponse> ReportApi::style(const net::HttpRequest&)
{
    net::HttpResponse response;
    response.headers.set("Content-Type", "text/css; charset=utf-8");
    response.body = reports::invoiceStyle();
    co_return response;
}

} // namespace vivavoce::broker::http
