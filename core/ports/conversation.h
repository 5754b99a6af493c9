#pragma once

#include "core/session/session_effect.h"

#include <string>

namespace vivavoce::core {

/// Is told what a conversation says of itself.
class ConversationListener {
public:
    virtual ~ConversationListener() = default;
    virtual void conversationTold(const SessionNotice& notice) = 0;
};

/// Port: what a person can do with a conversation. Wrong moments are harmless: stopping twice, speaking before it is live.
/// Threads: the executor's own thread. A listener is never called from within a call.
class Conversation {
public:
    virtual ~Conversation() = default;
    /// Listeners outlive it, or are removed before.
    virtual void add(ConversationListener& listener) = 0;
    virtual void remove(ConversationListener& listener) = 0;

    virtual void start() = 0;
    virtual void stop() = 0;
    /// A typed message; kept until the session is live.
    virtual void say(std::string text) = 0;
    /// Stops the reply, and the functions that run for it.
    virtual void interrupt() = 0;
    /// Push to talk: the key is down, or up again. Kept over conversations; where the provider detects the turns it does nothing.
    virtual void holdTalk(bool isHeld) = 0;
};

} // namespace vivavoce::core
