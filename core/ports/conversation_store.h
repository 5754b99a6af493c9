#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/history/transcript.h"

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// What a kept conversation goes by.
struct ConversationHead {
    std::string id;
    WallTime startedAt;
    std::string model;
};

/// A kept conversation in a list.
struct SavedConversation {
    ConversationHead head;
    /// From its start to the end of its last line.
    Milliseconds length{0};
    int lines = 0;
    /// Its first line, or the first that was looked for.
    std::string words;
};

/// Port: conversations that are kept on this computer, for the user alone. Nothing is made before something is put.
/// Each call is one transaction: what it has done is on the disk when it returns. HistoryFailed: it is not there, and nothing else has changed.
/// Threads: the executor's own thread.
class ConversationStore {
public:
    virtual ~ConversationStore() = default;
    /// A new line, or that line anew; the conversation is made where it is not there. Kept is what was heard of it. A new line comes ahead of
    /// `nextItemId`; empty or unknown: at the end.
    virtual Expected<void, Error> put(
        const ConversationHead& head, const TranscriptLine& line, std::string_view nextItemId) = 0;
    /// That line is in the conversation no longer, and with its last line there is no conversation. Nothing where it is not there.
    virtual Expected<void, Error> drop(const std::string& id, const std::string& itemId) = 0;
    /// The newest first; all of them, or those that hold each of the words or what begins with it. The words are no query: they may have
    /// any characters in them.
    [[nodiscard]] virtual Expected<std::vector<SavedConversation>, Error> find(const std::string& words) = 0;
    /// HistoryFailed also where there is none of that id.
    [[nodiscard]] virtual Expected<Transcript, Error> open(const std::string& id) = 0;
    [[nodiscard]] virtual bool isEmpty() = 0;
    /// Its words are overwritten on the disk. HistoryFailed where it is there no longer: they are not yet; that is tried again with each
    /// change, and by the same call.
    virtual Expected<void, Error> remove(const std::string& id) = 0;
    /// Also where nothing can be read any more.
    virtual Expected<void, Error> removeAll() = 0;
};

} // namespace vivavoce::core
