#pragma once

#include "agent/realtime/response_run.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::agent::realtime {

/// The responses of a session: at most one in the conversation, a few beside it, and the reminders that wait for a quiet moment.
/// Reminders: at most kMaxDue wait; the oldest is dropped.
/// Threads: [net], the session's executor.
class ResponseDesk {
public:
    static constexpr std::size_t kMaxOutOfBand = 4;
    static constexpr std::size_t kMaxDue = 16;

    struct Parts {
        std::shared_ptr<core::Executor> executor;
        SpeechWorkers& workers;
        Voice& voice;
        BrainFactory& brains;
        EventWriter& events;
        Conversation& conversation;
        std::string conversationId;
        /// Nobody speaks, and the settings for a reply of our own accord.
        std::function<bool()> isQuiet;
        std::function<ResponseSettings()> settings;
        /// A response in the conversation is done; `audioLength` is how long it plays.
        std::function<void(core::Milliseconds audioLength)> onDone;
    };

    explicit ResponseDesk(Parts parts);
    ~ResponseDesk();

    /// Starts a response; `input` replaces the conversation as what the brain sees. Faults:
    /// conversation_already_has_active_response, rate_limit_exceeded.
    core::Expected<void, EventFault> create(ResponseSettings settings, std::optional<std::vector<Item>> input);
    /// After a turn that a detector ended: now, or as soon as the running response is done.
    void createForTurn();
    /// Says `text` in a response of its own.
    void say(const std::string& text);
    /// Nothing: the one in the conversation. Fault: response_cancel_not_active.
    core::Expected<void, EventFault> cancel(const std::optional<std::string>& id);
    void interrupt();
    /// Recognition of an item ended, well or not: whoever waited for it may go on.
    void itemsSettled();
    void listeningFailed(const std::string& message);
    void leaveItemAlone(const std::string& itemId);
    /// Speaks a reminder that is due if nobody speaks.
    void speakDue();
    void stop();

    [[nodiscard]] bool isActive() const { return m_active != nullptr; }
    /// A reply was heard: the voice is locked.
    [[nodiscard]] bool hasSpoken() const;

private:
    std::shared_ptr<ResponseRun> makeRun(ResponseSettings settings);
    void begin(ResponseRun& run, const std::optional<std::vector<Item>>& input);
    void done(ReminderChanges reminders);
    void keepReminder(Reminder reminder);
    void becameDue(Reminder reminder);
    void withdraw(std::uint64_t reminder);

    const Parts m_parts;
    std::shared_ptr<BrainSeat> m_brain;
    std::shared_ptr<SpeakingStyle> m_style = std::make_shared<SpeakingStyle>();
    std::shared_ptr<ResponseRun> m_active;
    std::optional<std::vector<Item>> m_activeInput;
    std::vector<std::shared_ptr<ResponseRun>> m_outOfBand;
    std::map<std::uint64_t, std::unique_ptr<core::Timer>> m_timers;
    std::deque<Reminder> m_due;
    std::string m_lastInstructions;
    bool m_isTurnWaiting = false;
    bool m_hasSpoken = false;
};

} // namespace vivavoce::agent::realtime
