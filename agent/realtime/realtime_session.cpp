#include "agent/realtime/realtime_session.h"

#include "core/base/random_id.h"

#include <utility>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

namespace {

constexpr core::Milliseconds kTick{1'000};
constexpr const char* kStillThere = "Are you still there?";

} // namespace

template <typename Work>
void RealtimeSession::later(core::Milliseconds delay, std::unique_ptr<core::Timer>& timer, Work work)
{
    timer = m_executor->after(delay, [weak = weak_from_this(), work] {
        if (const auto self = weak.lock(); self && !self->m_isStopped) {
            work(*self);
        }
    });
}

RealtimeSession::RealtimeSession(
    SpeechParts parts, std::shared_ptr<core::Executor> executor, EventWriter& events, SessionSettings settings)
    : m_parts(std::move(parts)),
      m_executor(std::move(executor)),
      m_events(events),
      m_settings(std::move(settings)),
      m_lane(std::make_shared<SerialLane>(m_parts.workers.cpu))
{
    // The desk is a member, so it never outlives what these refer to.
    m_desk = std::make_unique<ResponseDesk>(ResponseDesk::Parts{m_executor, m_parts.workers, m_parts.voice,
        m_parts.brains, m_events, m_conversation, "conv_" + core::randomId(),
        [this] { return !m_isUserSpeaking && !m_conversation.isPending(); },
        [this] { return m_settings.responseSettings(); }, [this](core::Milliseconds length) { responseDone(length); }});
}

RealtimeSession::~RealtimeSession()
{
    stop();
}

void RealtimeSession::start(core::Milliseconds maxDuration)
{
    const auto weak = weak_from_this();
    const auto executor = m_executor;
    auto detector = m_parts.makeDetector();
    if (!detector) {
        m_events.sendError(serverFault("The agent cannot listen: " + detector.error().detail));
        m_events.close(1011, "server_error.server_error");
        stop();
        return;
    }
    InputAudio::Parts parts;
    parts.detector = std::move(*detector);
    parts.emit = [weak, executor](InputEvent event) {
        executor->post([weak, event = std::move(event)]() mutable {
            if (const auto self = weak.lock(); self && !self->m_isStopped) {
                self->onInput(std::move(event));
            }
        });
    };
    // Runs on the lane and touches nothing of the session but what never changes.
    parts.makeUtterance =
        [weak, executor, listening = ListeningParts{m_parts.recognisers, m_parts.workers, m_parts.clock}](
            const std::string& itemId) { return makeUtteranceFor(weak, executor, listening, itemId); };
    m_input = std::make_shared<InputAudio>(std::move(parts));
    configureInput();
    m_events.send(openai::SessionCreated{{}, m_settings.effective()});
    later(maxDuration, m_expiry, [](RealtimeSession& self) { self.expire(); });
    later(kTick, m_tick, [](RealtimeSession& self) { self.tick(); });
}

std::shared_ptr<Utterance> RealtimeSession::makeUtteranceFor(const std::weak_ptr<RealtimeSession>& weak,
    const std::shared_ptr<core::Executor>& executor, const ListeningParts& parts, const std::string& itemId)
{
    const auto deliver = [weak, executor](auto work) {
        executor->post([weak, work = std::move(work)] {
            if (const auto self = weak.lock(); self && !self->m_isStopped) {
                work(*self);
            }
        });
    };
    Utterance::Callbacks callbacks;
    callbacks.onPartial = [deliver, itemId](std::string text) {
        deliver([itemId, text = std::move(text)](RealtimeSession& self) { self.partial(itemId, text); });
    };
    callbacks.onDone = [deliver, itemId](core::Expected<Recognition, core::Error> result) {
        deliver([itemId, result = std::move(result)](RealtimeSession& self) { self.recognised(itemId, result); });
    };
    return std::make_shared<Utterance>(parts, std::move(callbacks));
}

void RealtimeSession::stop()
{
    if (std::exchange(m_isStopped, true)) {
        return;
    }
    m_tick.reset();
    m_expiry.reset();
    m_idle.reset();
    m_desk->stop();
    if (m_input) {
        m_input->stop();
    }
    m_lane->close();
    for (auto& [id, listening] : m_listening) {
        if (listening.utterance) {
            listening.utterance->cancel();
        }
    }
    m_listening.clear();
}

void RealtimeSession::configureInput()
{
    onLane({}, [format = m_settings.inputFormat(), turn = m_settings.turnDetection()](InputAudio& input) {
        return input.configure(format, turn);
    });
}

bool RealtimeSession::isReady() const
{
    return m_awaited == 0 && m_lane->cost() <= kMaxUndecodedBytes && m_events.backlog() <= EventWriter::kReadBacklog;
}

void RealtimeSession::wake()
{
    if (m_wake) {
        m_wake();
    }
}

void RealtimeSession::onInput(InputEvent event)
{
    if (const auto* started = std::get_if<SpeechStarted>(&event)) {
        speechStarted(*started);
    } else if (const auto* stopped = std::get_if<SpeechStopped>(&event)) {
        m_isUserSpeaking = false;
        m_events.send(openai::InputAudioBufferSpeechStopped{{}, stopped->at.count(), stopped->itemId});
    } else if (const auto* begun = std::get_if<UtteranceBegun>(&event)) {
        listenAnew(begun->itemId, begun->utterance);
    } else {
        committed(std::move(std::get<AudioCommitted>(event)));
    }
}

/// One utterance at most is not an item yet: an earlier one was cleared.
RealtimeSession::Listening& RealtimeSession::listenAnew(const std::string& itemId, std::shared_ptr<Utterance> utterance)
{
    std::erase_if(m_listening, [](const auto& entry) { return !entry.second.isCommitted; });
    Listening& listening = m_listening[itemId];
    listening.utterance = std::move(utterance);
    return listening;
}

void RealtimeSession::speechStarted(const SpeechStarted& event)
{
    m_isUserSpeaking = true;
    listenAnew(event.itemId, event.utterance).isTold = true;
    m_events.send(openai::InputAudioBufferSpeechStarted{{}, event.at.count(), event.itemId});
    if (m_settings.turnDetection().interruptsResponse) {
        m_desk->interrupt();
    }
    m_idle.reset();
}

void RealtimeSession::committed(AudioCommitted event)
{
    m_isUserSpeaking = false;
    m_idle.reset();
    Item item;
    item.id = event.itemId;
    item.isPending = true;
    ContentPart part;
    part.kind = PartKind::InputAudio;
    part.audioLength = event.length;
    part.audio = std::move(event.audio);
    item.content.push_back(std::move(part));
    const std::string previous = m_conversation.insert(std::move(item), std::nullopt).value_or("");
    Listening& listening = m_listening[event.itemId];
    listening.length = event.length;
    listening.isTold = true;
    listening.isCommitted = true;
    waitForResult(event.itemId);
    m_events.send(openai::InputAudioBufferCommitted{{}, event.itemId, whereGiven(previous)});
    tellItem(event.itemId);
    if (event.isByDetector && m_settings.turnDetection().createsResponse) {
        m_desk->createForTurn();
    }
    if (const auto failure = listening.failure) {
        recognised(event.itemId, core::Unexpected<core::Error>(*failure));
    }
}

void RealtimeSession::tellItem(const std::string& itemId)
{
    const openai::Item item = itemToWire(*m_conversation.find(itemId), WithAudio::No);
    const auto previous = whereGiven(m_conversation.before(itemId));
    m_events.send(openai::ConversationItemAdded{{}, item, previous});
    m_events.send(openai::ConversationItemDone{{}, item, previous});
}

void RealtimeSession::waitForResult(const std::string& itemId)
{
    later(kListenPatience, m_listening[itemId].patience, [itemId](RealtimeSession& self) {
        self.m_listening[itemId].utterance->cancel();
        self.recognised(itemId, core::fail(core::ErrorCode::Timeout, "the recogniser did not answer in time"));
    });
}

void RealtimeSession::partial(const std::string& itemId, const std::string& text)
{
    const auto it = m_listening.find(itemId);
    if (it != m_listening.end() && it->second.isTold) {
        tellDelta(itemId, it->second.growth.partial(text));
    }
}

void RealtimeSession::tellDelta(const std::string& itemId, std::string delta)
{
    if (!delta.empty() && m_settings.isTranscribing()) {
        m_events.send(openai::InputAudioTranscriptionDelta{{}, itemId, 0, std::move(delta), {}});
    }
}

void RealtimeSession::recognised(const std::string& itemId, const core::Expected<Recognition, core::Error>& result)
{
    const auto it = m_listening.find(itemId);
    Item* const item = m_conversation.find(itemId);
    if (it == m_listening.end()) {
        return;
    }
    if (item == nullptr) {
        // Results come after the commit; only a failure can be early.
        it->second.failure = result ? std::nullopt : std::optional(result.error());
        return;
    }
    const Listening listening = std::move(it->second);
    m_listening.erase(it);
    item->isPending = false;
    if (!result) {
        if (m_settings.isTranscribing()) {
            m_events.send(openai::InputAudioTranscriptionFailed{
                {}, itemId, 0, {"server_error", "transcription_failed", result.error().detail, {}, {}}});
        }
        m_desk->listeningFailed("The speech could not be recognised: " + result.error().detail);
        return;
    }
    item->content.front().text = result->text;
    item->isCertain = result->isCommand;
    TranscriptGrowth growth = listening.growth;
    tellDelta(itemId, growth.finish(result->text));
    if (m_settings.isTranscribing()) {
        m_events.send(openai::InputAudioTranscriptionCompleted{
            {}, itemId, 0, result->text, transcriptionUsage(listening.length, result->text), {}, {}});
    }
    m_desk->itemsSettled();
}

void RealtimeSession::responseDone(core::Milliseconds audioLength)
{
    const auto timeout = m_settings.turnDetection().idleTimeout;
    if (timeout) {
        // The reply was sent faster than it plays: the user's silence begins when it has been heard.
        later(*timeout + audioLength, m_idle, [](RealtimeSession& self) { self.idled(); });
    }
}

void RealtimeSession::idled()
{
    if (m_isUserSpeaking || m_desk->isActive() || m_conversation.isPending()) {
        return;
    }
    const bool isTaken = m_lane->post(0, [weak = weak_from_this(), executor = m_executor, input = m_input] {
        executor->post([weak, silence = input->commitSilence()] {
            if (const auto self = weak.lock(); self && !self->m_isStopped) {
                self->timeoutTriggered(silence);
            }
        });
    });
    if (!isTaken) {
        busy();
    }
}

void RealtimeSession::timeoutTriggered(const InputAudio::Silence& silence)
{
    if (m_desk->isActive()) {
        return;
    }
    Item item;
    item.id = silence.itemId;
    ContentPart part;
    part.kind = PartKind::InputAudio;
    part.text = "";
    part.audioLength = silence.end - silence.start;
    item.content.push_back(std::move(part));
    const std::string previous = m_conversation.insert(std::move(item), std::nullopt).value_or("");
    m_events.send(
        openai::InputAudioBufferTimeoutTriggered{{}, silence.start.count(), silence.end.count(), silence.itemId});
    m_events.send(openai::InputAudioBufferCommitted{{}, silence.itemId, whereGiven(previous)});
    tellItem(silence.itemId);
    m_desk->say(kStillThere);
}

void RealtimeSession::tick()
{
    for (auto& [id, listening] : m_listening) {
        if (listening.utterance) {
            listening.utterance->parkIfIdle();
        }
    }
    m_desk->speakDue();
    later(kTick, m_tick, [](RealtimeSession& self) { self.tick(); });
}

void RealtimeSession::expire()
{
    m_events.sendError({"session_expired", "Your session hit the maximum duration.", {}});
    m_events.close(1001, "invalid_request_error.session_expired");
    stop();
}

/// The workers' queue is full, which the limit on sessions should prevent: the session ends rather than lie.
void RealtimeSession::busy()
{
    m_events.sendError(serverFault("The agent is too busy."));
    m_events.close(1011, "server_error.server_error");
    stop();
}

} // namespace vivavoce::agent::realtime
