#include "ui/conversation/timer_view_model.h"

namespace vivavoce::ui {

void TimerViewModel::tell(const core::TimerDue& timer)
{
    ++m_due;
    if (!timer.label.empty()) {
        m_labels << QString::fromStdString(timer.label).simplified();
    }
    Q_EMIT changed();
}

void TimerViewModel::dismiss()
{
    m_due = 0;
    m_labels.clear();
    Q_EMIT changed();
}

QString TimerViewModel::text() const
{
    if (m_due == 1) {
        return m_labels.isEmpty() ? tr("Time is up.") : tr("Time is up: %1.").arg(m_labels.first());
    }
    const QString names = m_labels.join(QStringLiteral(", "));
    return names.isEmpty() ? tr("%1 timers are over.").arg(m_due) : tr("%1 timers are over: %2.").arg(m_due).arg(names);
}

} // namespace vivavoce::ui
