#pragma once

#include <QAbstractEventDispatcher>
#include <QEventLoop>
#include <QThread>
#include <QTimer>

namespace vivavoce::tests {

/// Runs the event loop until the condition holds, and no longer than that; what it came to. QTest::qWaitFor sleeps between two looks, and
/// all that waits for one another in one thread would wait for that.
template <typename Condition>
[[nodiscard]] bool waitFor(Condition condition, int patienceMs)
{
    QTimer end;
    end.setSingleShot(true);
    end.start(patienceMs);
    QAbstractEventDispatcher* const events = QThread::currentThread()->eventDispatcher();
    bool holds = condition();
    while (!holds && end.isActive()) {
        events->processEvents(QEventLoop::WaitForMoreEvents);
        holds = condition();
    }
    return holds;
}

} // namespace vivavoce::tests
