#pragma once

#include "core/tools/built_in_tools.h"

#include <QObject>
#include <QStringList>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// The timers that are over, until somebody has read it.
class TimerViewModel : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The conversation has it")
    Q_PROPERTY(bool isDue READ isDue NOTIFY changed)
    Q_PROPERTY(QString text READ text NOTIFY changed)

public:
    explicit TimerViewModel(QObject* parent = nullptr) : QObject(parent) {}

    void tell(const core::TimerDue& timer);
    Q_INVOKABLE void dismiss();

    [[nodiscard]] bool isDue() const { return m_due > 0; }
    [[nodiscard]] QString text() const;

Q_SIGNALS:
    void changed();

private:
    int m_due = 0;
    /// Of those that have one.
    QStringList m_labels;
};

} // namespace vivavoce::ui
