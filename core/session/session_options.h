#pragma once

#include "core/base/units.h"
#include "core/protocol/openai/session_config.h"

#include <cstddef>
#include <string>
#include <vector>

namespace vivavoce::core {

/// How long each wait may take, with the reason for the figure where it is not plain.
struct SessionDeadlines {
    Milliseconds token{15'000};
    Milliseconds handshake{10'000};
    /// From the handshake to `session.created`: providers accept first and refuse afterwards.
    Milliseconds firstEvent{10'000};
    /// Some servers never answer `session.update`; after this we go on and say so.
    Milliseconds configured{3'000};
    /// Between the key's release and the end of the turn: what the microphone heard until then is on its way.
    Milliseconds turnEnd{200};
    /// Between two events of a reply that has been asked for.
    Milliseconds reply{30'000};
    /// Behind the end of an item of it, where it is known that the server says no more when a reply ends.
    Milliseconds replyEnd{1'000};
    Milliseconds tool{30'000};
    Milliseconds close{2'000};
    /// Between two pings. The silence that follows is counted in pings, so that a sleep or a busy moment of our own is not taken for it.
    Milliseconds ping{1'000};
    /// Of a broker's relay, which answers by itself: then the connection is lost.
    Milliseconds relaySilence{5'000};
    /// Of a provider: people are told, and what they say is kept ...
    Milliseconds stalled{5'000};
    /// ... until the connection is given up.
    Milliseconds silence{30'000};
    /// Before the provider ends its session: from then on a fresh one takes over when nobody speaks and nothing is under way ...
    Milliseconds handOver{120'000};
    /// ... and now whatever is under way.
    Milliseconds lastHandOver{10'000};
};

/// What a conversation is to be like.
struct SessionOptions {
    std::string instructions;
    std::string voice;
    /// What writes down the user's words; empty: nothing does.
    std::string transcriptionModel;
    /// Answers are spoken (with a transcript) or written.
    bool spokenReplies = true;
    /// Silence that ends a turn. Always sent: providers' own defaults differ between models.
    Milliseconds endOfTurnSilence{500};
    std::vector<openai::FunctionTool> tools;
    /// Begins the ids that typed messages get; different for conversations that are shown together. At most 20 characters.
    std::string typedIdPrefix = "typed_";
    /// The microphone is open from the start, and what is said before the provider listens is kept for it. Without it a recording
    /// begins when the provider can hear it.
    bool capturesWhileConnecting = true;
    SessionDeadlines deadlines;
    /// Attempts in a row, the first included, before a session that never was live ends with an error; and replies in a row that a
    /// connection was lost with.
    int maxAttempts = 4;
    /// Of one that was: networks come back. About 40 s.
    int maxAttemptsOnceLive = 12;
    /// Replies in a row that only call functions, after which no more are run: each is paid for.
    int mostToolRounds = 16;
    Milliseconds firstBackoff{250};
    Milliseconds maxBackoff{5'000};
    /// Speech kept while there is no connection, or until the provider has understood it. The oldest is dropped, and its loss told.
    Milliseconds heldAudio{10'000};
    /// What is told of the conversation to a next connection: so many of its latest entries, and about 16,000 tokens. A conversation of hours
    /// would else be paid for anew each time, and its provider forgets the oldest of it all the same.
    std::size_t toldEntries = 400;
    std::size_t toldBytes = 65'536;
    /// Speech of replies that waits to be heard: 43 MB at kRealtimeRate. What sends more is no voice agent, and its reply is cut.
    Milliseconds mostSoundAhead{900'000};
};

} // namespace vivavoce::core
