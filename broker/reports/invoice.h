#pragma once

#include "broker/reports/invoice_settings.h"
#include "broker/reports/month.h"
#include "broker/reports/statement.h"
#include "core/base/clock.h"
#include "core/base/json.h"

#include <cstdint>
#include <optional>
#include <string>

namespace vivavoce::broker::reports {

/// An invoice as it is stored and told (docs/protocol.md, "Reports and invoices"). Without a number it is a preview. All amounts but the lines'
/// are of the currency: `net` is the lines' sum, rounded once; `tax` is of that; `total` both. Pure.
[[nodiscard]] core::Json makeInvoice(const Statement& statement, const Month& month, const InvoiceSettings& settings,
    std::optional<std::int64_t> number, core::WallTime now);

/// "VV-000041".
[[nodiscard]] std::string numberText(const InvoiceSettings& settings, std::int64_t number);

/// Its lines, or those of a monthly report, as CSV with a header line. Pure.
[[nodiscard]] std::string writeInvoiceCsv(const core::Json& invoice);
[[nodiscard]] std::string writeReportCsv(const core::Json& report);

/// A page to print. Its style is a file of the broker's (`invoiceStylePath`), or is in it, for a file. Pure.
enum class Style { Linked, Embedded };
[[nodiscard]] std::string writeInvoicePage(const core::Json& invoice, Style style);
[[nodiscard]] std::string writeReportPage(const core::Json& report, Style style);

inline constexpr const char* kInvoiceStylePath = "/invoice.css";
/// resources/invoices/invoice.css.
[[nodiscard]] std::string_view invoiceStyle();

} // namespace vivavoce::broker::reports
