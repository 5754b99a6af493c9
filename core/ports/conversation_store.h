#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/history/transcript.h"
#include "core/settings/settings.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// What a kept conversation goes by.
struct ConversationHead {
    std::string id;
    WallTime startedAt;
    std::string model;
    /// Since its start, when its sound begins. Nothing: it has none.
    std::optional<Milliseconds> soundStart = {};
};

/// The sound of a kept conversation: a file of two channels, the user on the left.
struct SavedSound {
    /// Empty: it is not there any more.
    std::string path;
    /// Since the conversation's start.
    Milliseconds start{0};
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
/// Each call is one transaction: what it has done is on the disk when it returns. HistoryFailed: it is not there, and nothing else has changed;
/// with a history_fault where that is known.
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
    /// Neither words nor sound, but for what is just being recorded.
    [[nodiscard]] virtual bool isEmpty() = 0;
    /// Its words are overwritten on the disk, its sound is deleted. HistoryFailed where it is there no longer: they are not yet; that is
    /// tried again with each change, and by the same call.
    virtual Expected<void, Error> remove(const std::string& id) = 0;
    /// Also where nothing can be read any more.
    virtual Expected<void, Error> removeAll() = 0;

    /// A new, empty file for its sound, for the user alone; what it is called. It goes with the conversation. RecordingFailed.
    virtual Expected<std::string, Error> makeSound(const std::string& id, SoundFormat format) = 0;
    [[nodiscard]] virtual bool hasSound(const std::string& id) = 0;
    /// Nothing: none was kept of it.
    [[nodiscard]] virtual std::optional<SavedSound> sound(const std::string& id) = 0;
    /// It stays, also where no line of its conversation could be kept.
    virtual void keepSound(const std::string& id) = 0;
    virtual Expected<void, Error> dropSound(const std::string& id) = 0;
    /// Deletes what a crash has left: sound that was recorded by a program that is gone, before a line of its conversation was kept. Nothing where no
    /// conversation is kept at all: they may have been set aside. While none is recorded.
    virtual void dropLostSound() = 0;
};

} // namespace vivavoce::core
