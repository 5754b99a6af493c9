#include "broker/reports/report_program.h"

#include "broker/config_values.h"
#include "broker/reports/invoice.h"
#include "core/base/json.h"
#include "net/http_client.h"
#include "net/io_threads.h"

#include <nlohmann/json.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include <ostream>
#include <utility>

namespace vivavoce::broker {
namespace {

using What = AskReports::What;

constexpr core::Milliseconds kPatience{30'000};
constexpr std::size_t kLongestAnswer = 256 * 1024 * 1024;
constexpr const char* kKey = "VIVAVOCE_ADMIN_KEY";
constexpr const char* kKeyFile = "VIVAVOCE_ADMIN_KEY_FILE";

core::Expected<core::Secret, core::Error> keyOf(const Environment& environment)
{
    std::string text = environment(kKey).value_or(std::string());
    core::Secret key{std::string_view(text)};
    core::wipeString(text);
    const std::string file = environment(kKeyFile).value_or(std::string());
    if (key.empty() && !file.empty()) {
        if (auto read = readSecretFile(file)) {
            key = std::move(*read);
        }
    }
    if (key.empty()) {
        return core::fail(core::ErrorCode::NotAuthorised,
            std::string(kKey) + " has to hold an admin's key or token, or " + kKeyFile + " name a file with it");
    }
    return key;
}

/// All that a caller may have typed goes into an address.
std::string encoded(const std::string& text)
{
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string safe;
    for (const char c : text) {
        const bool isPlain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
            || c == '_' || c == '.';
        const auto byte = static_cast<unsigned char>(c);
        safe += isPlain ? std::string(1, c) : std::string{'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    }
    return safe;
}

net::ClientRequest requestOf(const AskReports& asked, const core::Secret& key)
{
    net::ClientRequest request;
    request.timeout = kPatience;
    request.maxBodyBytes = kLongestAnswer;
    request.trust.extraCaFile = asked.caFile;
    request.headers.add("Authorization", "Bearer " + std::string(key.reveal()));
    const std::string invoices = asked.broker + "/api/admin/invoices";
    const std::string format = "?format=" + encoded(asked.format);
    switch (asked.what) {
    case What::Report:
        request.url = asked.broker + "/api/admin/reports/" + encoded(asked.month) + format
            + (asked.project.empty() ? std::string() : "&project=" + encoded(asked.project));
        break;
    case What::List:
        request.url = invoices + (asked.before.empty() ? std::string() : "?before=" + encoded(asked.before));
        break;
    case What::Show:
        request.url = invoices + "/" + encoded(asked.number) + format;
        break;
    case What::Preview:
        request.url =
            invoices + "/preview" + format + "&month=" + encoded(asked.month) + "&project=" + encoded(asked.project);
        break;
    case What::Issue:
        request.method = "POST";
        request.url = invoices;
        request.headers.add("Content-Type", "application/json");
        request.body = core::writeJson({{"project", asked.project}, {"month", asked.month}});
        break;
    }
    return request;
}

core::Error refusalOf(const net::ClientResponse& response)
{
    const auto problem = core::parseJson(response.body);
    std::string detail = "the broker answered " + std::to_string(response.status);
    if (problem && problem->is_object()) {
        detail = problem->value("title", detail);
        const std::string more = problem->value("detail", std::string());
        detail += more.empty() ? more : ": " + more;
    }
    const unsigned status = response.status;
    const auto code = status == 401 || status == 403 ? core::ErrorCode::NotAuthorised
        : status / 100 == 4 && status != 429         ? core::ErrorCode::BadUsage
                                                     : core::ErrorCode::BrokerFailed;
    return {code, detail, {}, {}};
}

/// A page in a file has no broker to take its style from.
std::string withStyle(std::string page)
{
    const std::string link = "<link rel=\"stylesheet\" href=\"" + std::string(reports::kInvoiceStylePath) + "\">";
    if (const std::size_t at = page.find(link); at != std::string::npos) {
        page.replace(at, link.size(), "<style>\n" + std::string(reports::invoiceStyle()) + "</style>");
    }
    return page;
}

/// One that was issued is shown as it was asked for.
std::string shown(const AskReports& asked, std::string body)
{
    if (asked.what == What::Issue && asked.format != "json") {
        if (const auto invoice = core::parseJson(body); invoice && invoice->is_object()) {
            return asked.format == "csv" ? reports::writeInvoiceCsv(*invoice)
                                         : reports::writeInvoicePage(*invoice, reports::Style::Embedded);
        }
    }
    return asked.format == "html" ? withStyle(std::move(body)) : std::move(body);
}

} // namespace

int runReports(const AskReports& asked, const Environment& environment, std::ostream& out, std::ostream& err)
{
    const auto leave = [&](const core::Error& error) {
        err << "vivavoce-broker: " << error.detail << " (" << core::codeText(error.code) << ")\n";
        return core::exitCode(error.code);
    };
    const auto key = keyOf(environment);
    if (!key) {
        return leave(key.error());
    }
    net::IoThreads threads(1);
    threads.start();
    auto answer =
        boost::asio::co_spawn(threads.executor(), net::sendRequest(requestOf(asked, *key)), boost::asio::use_future)
            .get();
    threads.stop();
    threads.join();
    if (!answer) {
        return leave(answer.error());
    }
    if (answer->status != 200) {
        return leave(refusalOf(*answer));
    }
    const std::string text = shown(asked, std::move(answer->body));
    out << text << (text.ends_with('\n') ? "" : "\n");
    return 0;
}

} // namespace vivavoce::broker
