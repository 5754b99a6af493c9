#pragma once

#include "core/base/executor.h"

#include <QObject>

namespace vivavoce::platform {

/// The event loop of the thread that it lives in, as an Executor.
/// Lifetime: work posted to it is dropped with it.
class QtExecutor final : public core::Executor {
public:
    QtExecutor();
    ~QtExecutor() override;

    void post(std::function<void()> work) override;
    [[nodiscard]] std::unique_ptr<core::Timer> after(core::Milliseconds delay, std::function<void()> work) override;

private:
    QObject m_context;
};

} // namespace vivavoce::platform
