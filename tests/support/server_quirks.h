#pragma once

#include "core/protocol/openai/presence.h"

#include <optional>

namespace vivavoce::tests {

/// Whose way of speaking OpenAI Realtime it is.
enum class ServerKind { OpenAi, Azure, Xai, LocalAi, Speaches, SpeechToSpeech };

/// What a server makes of a request to truncate an item.
enum class Truncates { Yes, Refuses, Ignores };

/// How a server speaks it.
struct ServerQuirks {
    core::openai::Dialect dialect = core::openai::Dialect::Ga;
    /// conversation.created comes before session.created.
    bool greetsWithConversation = false;
    /// Requests that it does not know are none.
    bool ignoresUnknown = false;
    /// All the sound of a reply comes at once.
    bool speaksInOnePiece = false;
    /// Formats and padding cannot be chosen: it says so, and takes the rest of the settings.
    bool hasFixedSound = false;
    bool takesCancel = true;
    Truncates truncates = Truncates::Yes;
    /// Its errors have a code, and name the event that they answer.
    bool hasErrorCodes = true;
    bool tellsUsage = true;
    bool tellsRateLimits = true;
    bool tellsContentParts = true;
    /// The ends of items, each by itself.
    bool tellsItemEnds = true;
    /// An item of the client's is "created", not "added".
    bool createsToldItems = false;
    /// A reply that somebody speaks over is over before it is told that somebody speaks.
    bool endsReplyFirst = false;
    /// It answers what it has written down; else the words may come behind the answer.
    bool writesDownFirst = false;
};

/// Nothing: OpenAI's, without what no client needs.
[[nodiscard]] ServerQuirks quirksOf(std::optional<ServerKind> kind);

} // namespace vivavoce::tests
