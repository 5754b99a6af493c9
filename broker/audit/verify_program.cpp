#include "broker/audit/verify_program.h"

#include "broker/audit/audit_verifier.h"
#include "core/base/error.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <iostream>

namespace vivavoce::broker {

int runAuditVerify(const std::filesystem::path& path)
{
    const auto verified = AuditVerifier::verify(path);
    if (!verified) {
        const AuditFinding& finding = verified.error();
        std::cerr << core::writeJson({{"error", auditFlawText(finding.flaw)}, {"file", finding.file},
            {"line", finding.line}, {"linesBefore", finding.before.lines}, {"lastHashBefore", finding.before.lastHash}})
                  << '\n';
        return core::exitCode(core::ErrorCode::InputUnreadable);
    }
    std::cout << core::writeJson(
        {{"files", verified->files}, {"lines", verified->lines}, {"firstSeq", verified->firstSequence},
            {"lastSeq", verified->lastSequence}, {"lastHash", verified->lastHash}, {"tornBytes", verified->tornBytes}})
              << '\n';
    return 0;
}

} // namespace vivavoce::broker
