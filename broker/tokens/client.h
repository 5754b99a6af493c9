#pragma once

#include "broker/auth/caller.h"

#include <string>

namespace vivavoce::broker {

/// Who asks, and from where.
struct Client {
    /// Nobody in particular where a token of ours is all there is.
    auth::Caller caller;
    /// Of the connection, or what a trusted proxy says.
    std::string address;
    /// The id that the answer bears, too.
    std::string request;
};

} // namespace vivavoce::broker
