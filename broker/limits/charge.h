#pragma once

#include "broker/limits/sliding_window.h"

#include <string>

namespace vivavoce::broker {

/// What an answer says beside its body: which limiter counted the request, and how it stands.
struct Charge {
    std::string policy;
    SlidingWindow::Policy limits;
    SlidingWindow::Decision decision;
};

} // namespace vivavoce::broker
