#include "ui/conversation/approval_view_model.h"

#include "core/tools/readable_arguments.h"

#include <QPointer>

#include <algorithm>

namespace vivavoce::ui {
namespace {

constexpr std::chrono::milliseconds kSecond{1'000};

} // namespace

ApprovalViewModel::ApprovalViewModel(core::ToolApprovals* approvals, const core::Clock& clock, QObject* parent)
    : QObject(parent), m_approvals(approvals), m_clock(clock)
{
    m_second.setInterval(kSecond);
    connect(&m_second, &QTimer::timeout, this, &ApprovalViewModel::timeChanged);
    if (m_approvals != nullptr) {
        m_approvals->follow([self = QPointer(this)] {
            if (self != nullptr) {
                self->read();
            }
        });
        read();
    }
}

int ApprovalViewModel::secondsLeft() const
{
    if (!isAsking()) {
        return 0;
    }
    const auto left = std::chrono::ceil<std::chrono::seconds>(m_request.deadline - m_clock.now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

std::vector<std::string> ApprovalViewModel::waiting() const
{
    std::vector<std::string> calls;
    if (m_approvals != nullptr) {
        for (const core::ApprovalRequest& request : m_approvals->pending()) {
            calls.push_back(request.callId);
        }
    }
    return calls;
}

void ApprovalViewModel::read()
{
    const auto& waiting = m_approvals->pending();
    const core::ApprovalRequest first = waiting.empty() ? core::ApprovalRequest() : waiting.front();
    const int others = std::max(static_cast<int>(waiting.size()) - 1, 0);
    if (first == m_request && others == m_othersWaiting) {
        return;
    }
    m_request = first;
    m_othersWaiting = others;
    m_arguments = QString::fromStdString(core::readableArguments(first.arguments));
    isAsking() ? m_second.start() : m_second.stop();
    Q_EMIT changed();
    Q_EMIT timeChanged();
}

void ApprovalViewModel::answer(core::Approval approval)
{
    if (isAsking()) {
        m_approvals->answer(std::string(m_request.callId), approval);
    }
}

} // namespace vivavoce::ui
