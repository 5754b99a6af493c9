#include "agent/realtime/response_desk.h"

#include <algorithm>
#include <utility>

namespace vivavoce::agent::realtime {

namespace {

constexpr std::size_t kMaxTimers = 64;

} // namespace

ResponseDesk::ResponseDesk(Parts parts)
    : m_parts(std::move(parts)), m_brain(std::make_shared<BrainSeat>(m_parts.brains.create()))
{
}

ResponseDesk::~ResponseDesk() = default;

std::shared_ptr<ResponseRun> ResponseDesk::makeRun(ResponseSettings settings)
{
    const bool isOutOfBand = settings.isOutOfBand;
    ResponseParts parts{
        m_parts.executor, m_parts.workers, m_parts.voice, m_brain, m_parts.events, nullptr, {}, m_style, {}};
    if (isOutOfBand) {
        // It runs beside the conversation, so it has a brain and a way of speaking of its own.
        parts.brain = std::make_shared<BrainSeat>(m_parts.brains.create());
        parts.style = std::make_shared<SpeakingStyle>(*m_style);
    } else {
        parts.conversation = &m_parts.conversation;
        parts.conversationId = m_parts.conversationId;
        parts.onDone = [this](ReminderChanges reminders) { done(std::move(reminders)); };
    }
    return std::make_shared<ResponseRun>(std::move(parts), std::move(settings));
}

core::Expected<void, EventFault> ResponseDesk::create(ResponseSettings settings, std::optional<std::vector<Item>> input)
{
    if (settings.isOutOfBand) {
        std::erase_if(m_outOfBand, [](const auto& run) { return run->isOver(); });
        if (m_outOfBand.size() >= kMaxOutOfBand) {
            return core::Unexpected<EventFault>(
                EventFault{"rate_limit_exceeded", "Too many responses outside the conversation are active.", {}});
        }
        const auto run = makeRun(std::move(settings));
        m_outOfBand.push_back(run);
        run->announce();
        // The conversation may still wait for words; this one takes what is there.
        begin(*run, input);
        return {};
    }
    if (m_active) {
        return core::Unexpected<EventFault>(EventFault{"conversation_already_has_active_response",
            "Conversation already has an active response in progress: " + m_active->id()
                + ". Wait until the response is finished before creating a new one.",
            {}});
    }
    m_active = makeRun(std::move(settings));
    m_activeInput = std::move(input);
    m_active->announce();
    itemsSettled();
    return {};
}

void ResponseDesk::createForTurn()
{
    m_isTurnWaiting = m_active != nullptr;
    if (!m_active) {
        static_cast<void>(create(m_parts.settings(), std::nullopt));
    }
}

void ResponseDesk::say(const std::string& text)
{
    if (m_active) {
        return;
    }
    m_active = makeRun(m_parts.settings());
    const auto run = m_active;
    run->announce();
    run->say(text);
}

void ResponseDesk::begin(ResponseRun& run, const std::optional<std::vector<Item>>& input)
{
    std::vector<const Item*> items;
    if (input) {
        for (const Item& item : *input) {
            items.push_back(&item);
        }
    } else {
        items = m_parts.conversation.finishedItems();
    }
    const ResponseSettings& settings = run.settings();
    BrainRequest request;
    request.instructions = settings.instructions;
    request.tools = settings.tools;
    request.toolChoice = settings.toolChoice;
    request.requiredTool = settings.requiredTool;
    request.items.reserve(items.size());
    for (const Item* item : items) {
        request.items.push_back(dialogueOf(*item));
    }
    const Usage usage = inputUsage(settings.instructions, settings.instructions == m_lastInstructions, items);
    m_lastInstructions = settings.instructions;
    if (!input) {
        m_parts.conversation.markAllSent();
    }
    run.think(std::move(request), usage);
}

void ResponseDesk::itemsSettled()
{
    if (m_active && !m_active->isThinking() && !m_parts.conversation.isPending()) {
        const auto run = m_active;
        const auto input = std::exchange(m_activeInput, std::nullopt);
        begin(*run, input);
    }
}

void ResponseDesk::listeningFailed(const std::string& message)
{
    if (m_active && !m_active->isThinking()) {
        const auto run = m_active;
        run->fail(serverFault(message));
    }
}

core::Expected<void, EventFault> ResponseDesk::cancel(const std::optional<std::string>& id)
{
    const auto matches = [&id](const auto& run) { return run && !run->isOver() && (!id || run->id() == *id); };
    std::shared_ptr<ResponseRun> run = matches(m_active) ? m_active : nullptr;
    if (!run && id) {
        const auto it = std::find_if(m_outOfBand.begin(), m_outOfBand.end(), matches);
        run = it == m_outOfBand.end() ? nullptr : *it;
    }
    if (!run) {
        return core::Unexpected<EventFault>(
            EventFault{"response_cancel_not_active", "Cancellation failed: no active response found", {}});
    }
    run->cancel(ResponseRun::CancelReason::ClientCancelled);
    return {};
}

void ResponseDesk::interrupt()
{
    // The turn that begins now is answered with all before it.
    m_isTurnWaiting = false;
    if (m_active) {
        const auto run = m_active;
        run->cancel(ResponseRun::CancelReason::TurnDetected);
    }
}

void ResponseDesk::leaveItemAlone(const std::string& itemId)
{
    if (m_active) {
        m_active->leaveItemAlone(itemId);
    }
}

bool ResponseDesk::hasSpoken() const
{
    return m_hasSpoken || (m_active && m_active->hasSpoken());
}

/// Called by the active run as the last thing it does; whoever called that run still holds it.
void ResponseDesk::done(ReminderChanges reminders)
{
    const auto run = std::exchange(m_active, nullptr);
    m_activeInput.reset();
    m_hasSpoken = m_hasSpoken || run->hasSpoken();
    for (const std::uint64_t id : reminders.withdrawn) {
        withdraw(id);
    }
    for (Reminder& reminder : reminders.made) {
        keepReminder(std::move(reminder));
    }
    m_parts.onDone(run->audioLength());
    if (std::exchange(m_isTurnWaiting, false)) {
        createForTurn();
    } else {
        speakDue();
    }
}

void ResponseDesk::keepReminder(Reminder reminder)
{
    if (m_timers.size() >= kMaxTimers) {
        m_timers.erase(m_timers.begin());
    }
    const std::uint64_t id = reminder.id;
    const core::Milliseconds in = reminder.in;
    m_timers[id] = m_parts.executor->after(in, [this, reminder = std::move(reminder)] { becameDue(reminder); });
}

/// By value: its timer, and with that what it was kept in, is let go of.
void ResponseDesk::becameDue(Reminder reminder)
{
    m_timers.erase(reminder.id);
    if (m_due.size() >= kMaxDue) {
        m_due.pop_front();
    }
    m_due.push_back(std::move(reminder));
    speakDue();
}

void ResponseDesk::withdraw(std::uint64_t reminder)
{
    m_timers.erase(reminder);
    std::erase_if(m_due, [reminder](const Reminder& due) { return due.id == reminder; });
}

void ResponseDesk::speakDue()
{
    if (m_due.empty() || m_active || !m_parts.isQuiet()) {
        return;
    }
    const std::string text = std::move(m_due.front().text);
    m_due.pop_front();
    say(text);
}

void ResponseDesk::stop()
{
    m_isTurnWaiting = false;
    m_timers.clear();
    m_due.clear();
    m_outOfBand.clear();
    m_active.reset();
}

} // namespace vivavoce::agent::realtime
