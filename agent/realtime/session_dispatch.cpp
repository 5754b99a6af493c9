// The part of RealtimeSession that obeys its client.
#include "agent/realtime/client_limits.h"
#include "agent/realtime/realtime_session.h"
#include "core/protocol/openai/codec.h"

#include <utility>
#include <variant>

namespace vivavoce::agent::realtime {

namespace openai = core::openai;

namespace {

core::Unexpected<EventFault> refused(EventFault fault)
{
    return core::Unexpected<EventFault>(std::move(fault));
}

} // namespace

void RealtimeSession::receiveBinary()
{
    m_events.sendError({"invalid_event", "Binary messages are not supported; send JSON text.", {}});
}

void RealtimeSession::receive(std::string_view text)
{
    auto event = openai::decodeClientEvent(text);
    if (!event) {
        m_events.sendError(unreadable(event.error()), event.error().eventId);
        return;
    }
    const std::string eventId = std::visit([](const auto& known) { return known.eventId; }, *event);
    if (const auto fault = beyondLimits(*event)) {
        m_events.sendError(*fault, eventId);
        return;
    }
    if (const auto done = std::visit([this](auto& known) { return obey(known); }, *event); !done) {
        m_events.sendError(done.error(), eventId);
    }
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::OutputAudioBufferClear&)
{
    return refused({"invalid_event", "The event is only for WebRTC and SIP connections.", "type"});
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::UnknownEvent&)
{
    return refused(invalidValue("type", "There is no such event."));
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::SessionUpdate& event)
{
    auto next = m_settings.merged(event.session, m_desk->hasSpoken());
    if (!next) {
        return refused(std::move(next.error()));
    }
    const bool isInputNew =
        next->inputFormat() != m_settings.inputFormat() || next->turnDetection() != m_settings.turnDetection();
    m_settings = std::move(*next);
    if (isInputNew) {
        m_idle.reset();
        configureInput();
    }
    m_events.send(openai::SessionUpdated{{}, m_settings.effective()});
    return {};
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::InputAudioBufferAppend& event)
{
    const std::size_t cost = event.audio.size();
    const bool isTaken = m_lane->post(cost,
        [weak = weak_from_this(), executor = m_executor, input = m_input, audio = std::move(event.audio),
            eventId = event.eventId]() mutable {
            executor->post([weak, fault = input->append(std::move(audio)), eventId] {
                const auto self = weak.lock();
                if (!self || self->m_isStopped) {
                    return;
                }
                if (fault) {
                    self->m_events.sendError(*fault, eventId);
                }
                self->wake();
            });
        });
    if (!isTaken) {
        busy();
    }
    return {};
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::InputAudioBufferCommit& event)
{
    onLane(event.eventId, [](InputAudio& input) { return input.commit(); });
    return {};
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::InputAudioBufferClear& event)
{
    const auto clear = [](InputAudio& input) {
        input.clear();
        return std::optional<EventFault>();
    };
    onLane(event.eventId, clear, openai::InputAudioBufferCleared{});
    return {};
}

/// Does something in order with the audio; the next client event waits for it. `answer` is the event that confirms it.
void RealtimeSession::onLane(const std::string& eventId, std::function<std::optional<EventFault>(InputAudio&)> work,
    std::optional<openai::ServerEvent> answer)
{
    ++m_awaited;
    const bool isTaken = m_lane->post(
        0, [weak = weak_from_this(), executor = m_executor, input = m_input, work = std::move(work), answer, eventId] {
            executor->post([weak, fault = work(*input), answer, eventId] {
                const auto self = weak.lock();
                if (!self || self->m_isStopped) {
                    return;
                }
                --self->m_awaited;
                if (fault) {
                    self->m_events.sendError(*fault, eventId);
                } else if (answer) {
                    self->m_isUserSpeaking = false;
                    self->m_events.send(*answer);
                }
                self->wake();
            });
        });
    if (!isTaken) {
        --m_awaited;
        busy();
    }
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::ConversationItemCreate& event)
{
    const WireFormat format = m_settings.inputFormat();
    auto item = itemFromWire(std::move(event.item), format, "item");
    if (!item) {
        return refused(std::move(item.error()));
    }
    const std::string id = item->id;
    core::Bytes unheard;
    for (ContentPart& part : item->content) {
        if (part.kind == PartKind::InputAudio && !part.text) {
            unheard.insert(unheard.end(), part.audio.begin(), part.audio.end());
        }
    }
    const bool isSpeech = !unheard.empty() && item->content.size() == 1;
    item->isPending = isSpeech;
    const auto inserted = m_conversation.insert(std::move(*item), event.previousItemId);
    if (!inserted) {
        return refused(inserted.error());
    }
    tellItem(id);
    if (isSpeech) {
        listenTo(id, std::move(unheard), format);
    }
    return {};
}

/// Recognises audio that came as an item of its own.
void RealtimeSession::listenTo(const std::string& itemId, core::Bytes audio, WireFormat format)
{
    const auto utterance = makeUtteranceFor(
        weak_from_this(), m_executor, ListeningParts{m_parts.recognisers, m_parts.workers, m_parts.clock}, itemId);
    Listening& listening = m_listening[itemId];
    listening.utterance = utterance;
    listening.length = playTime(audio.size(), format);
    listening.isTold = true;
    listening.isCommitted = true;
    waitForResult(itemId);
    const std::size_t cost = audio.size();
    const bool isTaken = m_lane->post(cost, [utterance, audio = std::move(audio), format] {
        if (auto decoder = WireDecoder::create(format)) {
            utterance->accept((*decoder)->decode(audio));
        }
        utterance->finish();
    });
    if (!isTaken) {
        busy();
    }
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::ConversationItemRetrieve& event)
{
    const Item* const item = m_conversation.find(event.itemId);
    if (item == nullptr) {
        return refused({"item_retrieve_invalid_item_id", "The item does not exist.", "item_id"});
    }
    m_events.send(openai::ConversationItemRetrieved{{}, itemToWire(*item, WithAudio::Yes)});
    return {};
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::ConversationItemTruncate& event)
{
    const core::Milliseconds audioEnd{event.audioEndMs};
    if (auto done = m_conversation.truncate(event.itemId, event.contentIndex, audioEnd); !done) {
        return done;
    }
    m_desk->leaveItemAlone(event.itemId);
    m_events.send(openai::ConversationItemTruncated{{}, event.itemId, event.contentIndex, event.audioEndMs});
    return {};
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::ConversationItemDelete& event)
{
    if (auto done = m_conversation.erase(event.itemId); !done) {
        return done;
    }
    if (const auto it = m_listening.find(event.itemId); it != m_listening.end()) {
        if (it->second.utterance) {
            it->second.utterance->cancel();
        }
        m_listening.erase(it);
    }
    m_events.send(openai::ConversationItemDeleted{{}, event.itemId});
    m_desk->itemsSettled();
    return {};
}

core::Expected<std::vector<Item>, EventFault> RealtimeSession::responseInput(std::vector<openai::Item> list)
{
    std::vector<Item> items;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string path = "response.input[" + std::to_string(i) + "]";
        if (list[i].type == openai::ItemType::Reference) {
            const Item* const item = m_conversation.find(list[i].id);
            if (item == nullptr) {
                return refused(invalidValue(path + ".id", "The referenced item does not exist."));
            }
            items.push_back(*item);
            continue;
        }
        auto item = itemFromWire(std::move(list[i]), m_settings.inputFormat(), path);
        if (!item) {
            return refused(std::move(item.error()));
        }
        items.push_back(std::move(*item));
    }
    return items;
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::ResponseCreate& event)
{
    const openai::ResponseConfig config = std::move(event.response).value_or(openai::ResponseConfig{});
    std::optional<std::vector<Item>> input;
    if (config.input) {
        auto items = responseInput(*config.input);
        if (!items) {
            return refused(std::move(items.error()));
        }
        input = std::move(*items);
    }
    m_idle.reset();
    return m_desk->create(m_settings.responseSettings(config), std::move(input));
}

RealtimeSession::Obeyed RealtimeSession::obey(openai::ResponseCancel& event)
{
    return m_desk->cancel(event.responseId);
}

} // namespace vivavoce::agent::realtime
