// The part of RealtimeSession that obeys its client.
#include "agent/realtime/realtime_session.h"

#include "agent/realtime/client_shapes.h"

#include <nlohmann/json.hpp>

#include <utility>

namespace vivavoce::agent::realtime {

using core::Json;

namespace {

constexpr std::size_t kMaxMetadataPairs = 16;
constexpr std::size_t kMaxMetadataText = 512;

std::string textOf(const Json& event, const char* name)
{
    const auto it = event.find(name);
    return it != event.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::optional<std::string> optionalText(const Json& event, const char* name)
{
    const auto it = event.find(name);
    return it != event.end() && it->is_string() ? std::optional(it->get<std::string>()) : std::nullopt;
}

std::optional<EventFault> checkMetadata(const Json& options)
{
    const auto metadata = options.is_object() ? options.find("metadata") : options.end();
    if (metadata == options.end() || metadata->is_null()) {
        return std::nullopt;
    }
    bool isFine = metadata->size() <= kMaxMetadataPairs;
    for (const auto& [name, value] : metadata->items()) {
        isFine = isFine && name.size() <= 64 && value.is_string()
            && value.get_ref<const std::string&>().size() <= kMaxMetadataText;
    }
    return isFine ? std::nullopt
                  : std::optional(invalidValue("response.metadata", "Metadata is at most 16 pairs of short strings."));
}

} // namespace

void RealtimeSession::receiveBinary()
{
    m_events.sendError({"invalid_event", "Binary messages are not supported; send JSON text.", {}});
}

void RealtimeSession::receive(std::string_view text)
{
    const auto event = core::parseJson(text);
    if (!event) {
        m_events.sendError({"invalid_json", "Could not parse the message as JSON: " + event.error().detail, {}});
        return;
    }
    if (!event->is_object()) {
        m_events.sendError({"invalid_event", "An event is a JSON object.", {}});
        return;
    }
    dispatch(*event);
}

void RealtimeSession::dispatch(const Json& event)
{
    const std::string eventId = textOf(event, "event_id").substr(0, 512);
    if (const auto fault = clientEventRule()(event, "")) {
        m_events.sendError(*fault, eventId);
        return;
    }
    if (const auto done = obey(textOf(event, "type"), event, eventId); !done) {
        m_events.sendError(done.error(), eventId);
    }
}

core::Expected<void, EventFault> RealtimeSession::obey(
    const std::string& type, const Json& event, const std::string& eventId)
{
    if (type == "input_audio_buffer.append") {
        appendAudio(event.at("audio").get_ref<const std::string&>(), eventId);
        return {};
    }
    if (type == "input_audio_buffer.commit") {
        onLane(
            eventId, [](InputAudio& input) { return input.commit(); }, nullptr);
        return {};
    }
    if (type == "input_audio_buffer.clear") {
        const auto clear = [](InputAudio& input) {
            input.clear();
            return std::optional<EventFault>();
        };
        onLane(eventId, clear, "input_audio_buffer.cleared");
        return {};
    }
    if (type == "session.update") {
        return updateSession(event.at("session"));
    }
    if (type == "conversation.item.create") {
        return createItem(event);
    }
    if (type == "conversation.item.retrieve") {
        return retrieveItem(textOf(event, "item_id"));
    }
    if (type == "conversation.item.truncate") {
        return truncateItem(event);
    }
    if (type == "conversation.item.delete") {
        return deleteItem(textOf(event, "item_id"));
    }
    if (type == "response.create") {
        return createResponse(event);
    }
    if (type == "response.cancel") {
        return m_desk->cancel(optionalText(event, "response_id"));
    }
    return core::Unexpected<EventFault>(
        EventFault{"invalid_event", "'" + type + "' is only available for WebRTC and SIP connections.", "type"});
}

core::Expected<void, EventFault> RealtimeSession::updateSession(const Json& session)
{
    auto next = m_settings.merged(session, m_desk->hasSpoken());
    if (!next) {
        return core::Unexpected<EventFault>(std::move(next.error()));
    }
    const bool isInputNew =
        next->inputFormat() != m_settings.inputFormat() || next->turnDetection() != m_settings.turnDetection();
    m_settings = std::move(*next);
    if (isInputNew) {
        m_idle.reset();
        configureInput();
    }
    m_events.send({{"type", "session.updated"}, {"session", m_settings.effective()}});
    return {};
}

void RealtimeSession::appendAudio(std::string base64, const std::string& eventId)
{
    const std::size_t cost = base64.size();
    const bool isTaken = m_lane->post(
        cost, [weak = weak_from_this(), executor = m_executor, input = m_input, audio = std::move(base64), eventId] {
            executor->post([weak, fault = input->append(audio), eventId] {
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
}

/// Does something in order with the audio; the next client event waits for it. `answer` is the event that confirms it.
void RealtimeSession::onLane(
    const std::string& eventId, std::function<std::optional<EventFault>(InputAudio&)> work, const char* answer)
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
                } else if (answer != nullptr) {
                    self->m_isUserSpeaking = false;
                    self->m_events.send({{"type", answer}});
                }
                self->wake();
            });
        });
    if (!isTaken) {
        --m_awaited;
        busy();
    }
}

core::Expected<void, EventFault> RealtimeSession::createItem(const Json& event)
{
    const WireFormat format = m_settings.inputFormat();
    auto item = itemFromJson(event.at("item"), format, "item");
    if (!item) {
        return core::Unexpected<EventFault>(std::move(item.error()));
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
    const auto inserted = m_conversation.insert(std::move(*item), optionalText(event, "previous_item_id"));
    if (!inserted) {
        return core::Unexpected<EventFault>(inserted.error());
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
    const auto utterance = makeUtteranceFor(weak_from_this(), m_executor,
        ListeningParts{m_parts.recognisers, m_parts.workers, m_parts.clock, m_parts.vocabulary}, itemId);
    Listening& listening = m_listening[itemId];
    listening.utterance = utterance;
    listening.length = core::Milliseconds{static_cast<long long>(audio.size() / bytesPerMillisecond(format))};
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

core::Expected<void, EventFault> RealtimeSession::retrieveItem(const std::string& id)
{
    const Item* const item = m_conversation.find(id);
    if (item == nullptr) {
        return core::Unexpected<EventFault>(
            EventFault{"item_retrieve_invalid_item_id", "The item does not exist.", "item_id"});
    }
    m_events.send({{"type", "conversation.item.retrieved"}, {"item", itemToJson(*item, WithAudio::Yes)}});
    return {};
}

core::Expected<void, EventFault> RealtimeSession::truncateItem(const Json& event)
{
    const std::string id = textOf(event, "item_id");
    const auto index = event.at("content_index").get<long long>();
    const auto audioEnd = event.at("audio_end_ms").get<long long>();
    if (auto done = m_conversation.truncate(id, index, core::Milliseconds{audioEnd}); !done) {
        return done;
    }
    m_desk->leaveItemAlone(id);
    m_events.send({{"type", "conversation.item.truncated"}, {"item_id", id}, {"content_index", index},
        {"audio_end_ms", audioEnd}});
    return {};
}

core::Expected<void, EventFault> RealtimeSession::deleteItem(const std::string& id)
{
    if (auto done = m_conversation.erase(id); !done) {
        return done;
    }
    if (const auto it = m_listening.find(id); it != m_listening.end()) {
        if (it->second.utterance) {
            it->second.utterance->cancel();
        }
        m_listening.erase(it);
    }
    m_events.send({{"type", "conversation.item.deleted"}, {"item_id", id}});
    m_desk->itemsSettled();
    return {};
}

core::Expected<std::vector<Item>, EventFault> RealtimeSession::responseInput(const Json& list)
{
    std::vector<Item> items;
    for (std::size_t i = 0; i < list.size(); ++i) {
        const std::string path = "response.input[" + std::to_string(i) + "]";
        if (list[i].value("type", "") == "item_reference") {
            const Item* const item = m_conversation.find(list[i].value("id", ""));
            if (item == nullptr) {
                return core::Unexpected<EventFault>(invalidValue(path + ".id", "The referenced item does not exist."));
            }
            items.push_back(*item);
            continue;
        }
        auto item = itemFromJson(list[i], m_settings.inputFormat(), path);
        if (!item) {
            return core::Unexpected<EventFault>(std::move(item.error()));
        }
        items.push_back(std::move(*item));
    }
    return items;
}

core::Expected<void, EventFault> RealtimeSession::createResponse(const Json& event)
{
    const auto found = event.find("response");
    const Json options = found == event.end() ? Json(nullptr) : *found;
    if (auto fault = checkMetadata(options)) {
        return core::Unexpected<EventFault>(std::move(*fault));
    }
    std::optional<std::vector<Item>> input;
    if (options.is_object() && options.contains("input")) {
        auto items = responseInput(options.at("input"));
        if (!items) {
            return core::Unexpected<EventFault>(std::move(items.error()));
        }
        input = std::move(*items);
    }
    m_idle.reset();
    return m_desk->create(m_settings.responseSettings(options), std::move(input));
}

} // namespace vivavoce::agent::realtime
