#pragma once

#include "broker/reports/money.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace vivavoce::broker::reports {

/// `[invoices]`: who bills, and how. Value type.
struct InvoiceSettings {
    /// Name and address, line by line. Empty: nobody bills, and no invoice is issued.
    std::vector<std::string> issuer;
    /// Before the number: "VV-".
    std::string numberPrefix;
    std::string taxLabel = "VAT";
    /// Hundredths of a percent; 0: no tax.
    std::int64_t taxBasisPoints = 0;
    Currency currency;
    /// At the end of the page: how to pay, why there is no tax.
    std::vector<std::string> note;
    /// Name and address of who pays, by project; its name alone where there is none.
    std::map<std::string, std::vector<std::string>> recipients;
};

} // namespace vivavoce::broker::reports
