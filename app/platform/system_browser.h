#pragma once

#include "core/ports/browser.h"

namespace vivavoce::platform {

/// The desktop's browser. A program without windows starts the one that `BROWSER` names, else what the desktop opens addresses with; where
/// there is no desktop either there is none.
/// Threads: the main thread.
class SystemBrowser final : public core::Browser {
public:
    [[nodiscard]] bool open(const std::string& url) override;
};

} // namespace vivavoce::platform
