#pragma once

#include "core/base/clock.h"
#include "core/ports/conversation_store.h"
#include "core/ports/sound_recorder.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace vivavoce::core {

/// Records the sound of one conversation after the other, where the user wants that: one file each, from when it is first wanted. While it is
/// not wanted nothing is written. What cannot be written ends the recording, is told once, and is not tried again before the next conversation.
/// Threads: the executor's own thread. Lifetime: its dependencies outlive it.
class SoundKeeper {
public:
    struct Dependencies {
        SoundRecorder& recorder;
        ConversationStore& store;
        const Clock& clock;
        /// It is being recorded, or is not any more.
        std::function<void(bool)> changed;
        std::function<void(const Error&)> failed;
    };

    explicit SoundKeeper(Dependencies dependencies);
    ~SoundKeeper();
    SoundKeeper(const SoundKeeper&) = delete;
    SoundKeeper& operator=(const SoundKeeper&) = delete;

    void want(bool isWanted, SoundFormat format);
    /// A conversation begins now.
    void begin(const std::string& id);
    /// It is over; without any line that is kept its sound is deleted.
    void end(bool isKept);
    /// Somebody may have deleted the conversation meanwhile: then another file is begun.
    void look();
    /// Since the conversation's start, when its sound begins. Nothing: there is none.
    [[nodiscard]] std::optional<Milliseconds> startsAt() const { return m_startsAt; }

private:
    void follow();
    void start();
    void hasFailed(const Error& error);
    void setRecording(bool isRecording);

    Dependencies m_deps;
    bool m_isWanted = false;
    SoundFormat m_format = SoundFormat::OggOpus;
    /// Empty: there is no conversation.
    std::string m_id;
    MonotonicTime m_begin;
    std::optional<Milliseconds> m_startsAt;
    bool m_hasFailed = false;
    bool m_isRecording = false;
    /// Which recording this is: what comes late of an earlier one is none of its business.
    int m_number = 0;
    /// What comes late finds nothing here when we are gone.
    std::shared_ptr<SoundKeeper*> m_self;
};

} // namespace vivavoce::core
