#pragma once

#include "broker/projects/policy.h"
#include "core/usage/price_list.h"

#include <memory>
#include <string>

namespace vivavoce::broker::relay {

/// What a client may not change about its session, whatever the provider would let it.
struct Locks {
    std::string model;
    /// One of these; what was chosen when the session was minted is the only one.
    Allowed voices;
    /// The names of functions; nothing that is not a function then.
    Allowed tools;
    /// They are the operator's.
    bool areInstructionsFixed = false;
    /// Under a budget of money: whoever writes down what is said has a price in it. None: anybody may.
    std::shared_ptr<const core::PriceList> transcribersPrices{};
};

} // namespace vivavoce::broker::relay
