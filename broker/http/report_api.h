#pragma once

#include "broker/http/entrance.h"
#include "broker/reports/invoice_book.h"
#include "broker/workshop.h"
#include "net/router.h"

#include <functional>
#include <memory>
#include <vector>

namespace vivavoce::broker::http {

/// What admins bill by: monthly reports and invoices, as JSON, CSV and a page to print.
/// Invariant: an invoice is in the audit before it is issued.
/// Threads: [any thread]. Lifetime: shared by the router's handlers.
class ReportApi {
public:
    struct Dependencies {
        Entrance& entrance;
        /// Where answers are written, some of which are long.
        Workshop& workshop;
        /// Owns the above.
        std::shared_ptr<const void> owner;
    };
    using Handler = net::Awaitable<net::HttpResponse> (ReportApi::*)(const net::HttpRequest&);
    struct Route {
        const char* method;
        const char* path;
        Handler handler;
    };

    ReportApi(reports::InvoiceBook book, Dependencies dependencies)
        : m_book(std::move(book)), m_deps(std::move(dependencies))
    {
    }
    [[nodiscard]] static std::vector<Route> routes();

    [[nodiscard]] net::Awaitable<net::HttpResponse> report(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> list(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> preview(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> issue(const net::HttpRequest& request);
    [[nodiscard]] net::Awaitable<net::HttpResponse> show(const net::HttpRequest& request);
    /// For anyone: it says nothing of anybody.
    [[nodiscard]] net::Awaitable<net::HttpResponse> style(const net::HttpRequest& request);

private:
    /// What `write` makes.
    [[nodiscard]] net::Awaitable<net::HttpResponse> written(std::function<net::HttpResponse()> write);

    reports::InvoiceBook m_book;
    const Dependencies m_deps;
};

} // namespace vivavoce::broker::http
