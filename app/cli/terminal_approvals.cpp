#include "app/cli/terminal_approvals.h"

#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <vector>

#ifdef Q_OS_UNIX
#include <termios.h>
#include <unistd.h>
#endif

namespace vivavoce::cli {
namespace {

using core::Approval;
using core::ApprovalRequest;

/// Whatever is in it, the terminal obeys none of it.
std::string printable(const std::string& json)
{
    const auto parsed = core::parseJson(json);
    return parsed ? parsed->dump(-1, ' ', true) : std::string("?");
}

} // namespace

TerminalApprovals::TerminalApprovals(Dependencies dependencies) : m_deps(std::move(dependencies))
{
#ifdef Q_OS_UNIX
    if (m_deps.mode == ApproveMode::Ask) {
        m_reader = std::make_unique<QSocketNotifier>(m_deps.input, QSocketNotifier::Read);
        QObject::connect(m_reader.get(), &QSocketNotifier::activated, m_reader.get(), [this] { read(); });
    }
#else
    if (m_deps.mode == ApproveMode::Ask) {
        m_deps.mode = ApproveMode::Never;
    }
#endif
    m_deps.approvals.follow([this] { changed(); });
}

ApproveMode TerminalApprovals::defaultMode()
{
#ifdef Q_OS_UNIX
    return ::isatty(0) == 1 ? ApproveMode::Ask : ApproveMode::Never;
#else
    return ApproveMode::Never;
#endif
}

void TerminalApprovals::changed()
{
    const std::vector<ApprovalRequest> waiting = m_deps.approvals.pending();
    const auto isWaiting = [&](const std::string& callId) {
        return std::any_of(waiting.begin(), waiting.end(), [&](const auto& one) { return one.callId == callId; });
    };
    std::erase_if(m_told, [&](const std::string& callId) { return !isWaiting(callId); });
    if (!m_asked.empty() && !isWaiting(m_asked)) {
        m_asked.clear();
        std::fputs("\n(too late: it did not run)\n", m_deps.output);
    }
    for (const ApprovalRequest& request : waiting) {
        if (m_told.insert(request.callId).second) {
            m_deps.told(request, std::chrono::duration_cast<core::Milliseconds>(request.deadline - m_deps.clock.now()));
        }
    }
    if (waiting.empty()) {
        return;
    }
    if (m_deps.mode != ApproveMode::Ask) {
        // Each answer changes what waits, and we are told of it.
        m_deps.approvals.answer(
            waiting.front().callId, m_deps.mode == ApproveMode::Always ? Approval::Once : Approval::Deny);
    } else if (m_asked.empty()) {
        ask(waiting.front());
    }
}

void TerminalApprovals::ask(const ApprovalRequest& request)
{
    m_asked = request.callId;
    m_isOnceOnly = request.alwaysAsks;
    m_typed.clear();
#ifdef Q_OS_UNIX
    ::tcflush(m_deps.input, TCIFLUSH);
#endif
    const auto left = std::chrono::ceil<std::chrono::seconds>(request.deadline - m_deps.clock.now());
    std::fprintf(m_deps.output,
        "The agent wants to run %s (%s) with %s\n[y]es, %s[N]o; in %d s it is no: ", request.tool.c_str(),
        printable(core::writeJson(core::Json(request.source))).c_str(), printable(request.arguments).c_str(),
        m_isOnceOnly ? "" : "[c]onversation: yes until it ends, ", static_cast<int>(left.count()));
    std::fflush(m_deps.output);
}

void TerminalApprovals::read()
{
#ifdef Q_OS_UNIX
    std::array<char, 256> bytes{};
    const ssize_t got = ::read(m_deps.input, bytes.data(), bytes.size());
    if (got <= 0) {
        stopAsking();
        return;
    }
    if (m_asked.empty()) {
        return;
    }
    m_typed.append(bytes.data(), static_cast<qsizetype>(got));
    if (const auto end = m_typed.indexOf('\n'); end >= 0) {
        // What follows on the same breath was typed before the next question.
        answer(m_typed.left(end).trimmed().toLower());
    }
#endif
}

void TerminalApprovals::answer(const QByteArray& line)
{
    const std::string callId = std::exchange(m_asked, {});
    m_typed.clear();
    const bool isYes = line == "y" || line == "yes";
    const bool isForAll = !m_isOnceOnly && (line == "c" || line == "conversation");
    m_deps.approvals.answer(callId, isForAll ? Approval::Conversation : isYes ? Approval::Once : Approval::Deny);
}

void TerminalApprovals::stopAsking()
{
    m_reader->setEnabled(false);
    m_deps.mode = ApproveMode::Never;
    if (!m_asked.empty()) {
        answer({});
    }
}

} // namespace vivavoce::cli
