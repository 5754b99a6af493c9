#include "app/platform/qt_executor.h"

#include <QMetaObject>
#include <QTimer>

#include <algorithm>
#include <limits>

namespace vivavoce::platform {
namespace {

class QtTimer final : public core::Timer {
public:
    QtTimer(core::Milliseconds delay, std::function<void()> work)
    {
        m_timer.setSingleShot(true);
        // Sound is paced by these: the default of Qt may be 5 % late.
        m_timer.setTimerType(Qt::PreciseTimer);
        QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [work = std::move(work)] {
            // The work may destroy this timer, and with it the closure that runs.
            const auto mine = work;
            mine();
        });
        // Qt counts in an int, 24 days: whoever waits for longer is woken early, which no timer of ours minds.
        m_timer.start(std::clamp(delay, core::Milliseconds{0}, core::Milliseconds{std::numeric_limits<int>::max()}));
    }

private:
    QTimer m_timer;
};

} // namespace

QtExecutor::QtExecutor() = default;
QtExecutor::~QtExecutor() = default;

void QtExecutor::post(std::function<void()> work)
{
    QMetaObject::invokeMethod(&m_context, std::move(work), Qt::QueuedConnection);
}

std::unique_ptr<core::Timer> QtExecutor::after(core::Milliseconds delay, std::function<void()> work)
{
    return std::make_unique<QtTimer>(delay, std::move(work));
}

} // namespace vivavoce::platform
