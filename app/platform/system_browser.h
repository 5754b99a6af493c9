#pragma once

#include "core/ports/browser.h"

namespace vivavoce::platform {

/// The desktop's browser, as Qt opens it. A program without windows, or where that fails, starts the first that starts of those that `BROWSER` names (commands, separated as in
/// `PATH`; `%s` is the address, which else comes last), else what the desktop opens addresses with, unless that soon says that it
/// found none; where there is no desktop either there is none. What they say themselves is shown to nobody.
/// Threads: the main thread.
class SystemBrowser final : public core::Browser {
public:
    [[nodiscard]] bool open(const std::string& url) override;
};

} // namespace vivavoce::platform
