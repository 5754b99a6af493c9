#pragma once

#include "broker/config.h"

#include <iosfwd>
#include <string>

namespace vivavoce::broker {

/// `report` and `invoice`: asks a broker that runs, as an admin. What is done by it is in its audit like anybody else's doing.
struct AskReports {
    enum class What { Report, List, Show, Preview, Issue };
    What what = What::Report;
    std::string broker = "http://127.0.0.1:8790";
    std::string caFile;
    /// "json", "csv", "html".
    std::string format = "json";
    std::string project;
    std::string month;
    std::string number;
    /// Of a list: those before that `sequence`. Empty: the newest.
    std::string before;
};

/// The admin's key or token is VIVAVOCE_ADMIN_KEY, or in the file that VIVAVOCE_ADMIN_KEY_FILE names. What was asked for goes to `out`, one line to
/// `err` where it fails. Answers the exit code: 0; 2 usage, 3 not authorised, 4 the broker.
[[nodiscard]] int runReports(
    const AskReports& asked, const Environment& environment, std::ostream& out, std::ostream& err);

} // namespace vivavoce::broker
