#pragma once

#include "core/base/clock.h"
#include "core/ports/tool_approvals.h"

#include <QObject>
#include <QString>
#include <QTimer>
#include <QtQml/qqmlregistration.h>

#include <string>
#include <vector>

namespace vivavoce::ui {

/// The oldest function that waits for a person's word; an answer is for the one that was shown.
/// Lifetime: the approvals outlive it, and are asked for nothing once it is gone.
class ApprovalViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The conversation has it")
    Q_PROPERTY(bool isAsking READ isAsking NOTIFY changed)
    /// Another one than a moment ago: whoever was about to press a button meant that.
    Q_PROPERTY(QString callId READ callId NOTIFY changed)
    Q_PROPERTY(QString tool READ tool NOTIFY changed)
    Q_PROPERTY(QString source READ source NOTIFY changed)
    /// A line each; empty: there are none.
    Q_PROPERTY(QString arguments READ arguments NOTIFY changed)
    /// A yes is for this once only.
    Q_PROPERTY(bool alwaysAsks READ alwaysAsks NOTIFY changed)
    Q_PROPERTY(int secondsLeft READ secondsLeft NOTIFY timeChanged)
    /// How many wait behind this one.
    Q_PROPERTY(int othersWaiting READ othersWaiting NOTIFY changed)

public:
    /// Null: nothing is asked for.
    ApprovalViewModel(core::ToolApprovals* approvals, const core::Clock& clock, QObject* parent = nullptr);

    Q_INVOKABLE void allowOnce() { answer(core::Approval::Once); }
    Q_INVOKABLE void allowForConversation() { answer(core::Approval::Conversation); }
    Q_INVOKABLE void deny() { answer(core::Approval::Deny); }

    [[nodiscard]] bool isAsking() const { return !m_request.callId.empty(); }
    [[nodiscard]] QString callId() const { return QString::fromStdString(m_request.callId); }
    [[nodiscard]] QString tool() const { return QString::fromStdString(m_request.tool); }
    [[nodiscard]] QString source() const { return QString::fromStdString(m_request.source); }
    [[nodiscard]] QString arguments() const { return m_arguments; }
    [[nodiscard]] bool alwaysAsks() const { return m_request.alwaysAsks; }
    [[nodiscard]] int secondsLeft() const;
    [[nodiscard]] int othersWaiting() const { return m_othersWaiting; }
    /// The calls of all that wait.
    [[nodiscard]] std::vector<std::string> waiting() const;

Q_SIGNALS:
    void changed();
    void timeChanged();

private:
    void read();
    void answer(core::Approval approval);

    core::ToolApprovals* m_approvals;
    const core::Clock& m_clock;
    core::ApprovalRequest m_request;
    QString m_arguments;
    int m_othersWaiting = 0;
    QTimer m_second;
};

} // namespace vivavoce::ui
