#include "broker/relay/openai_transcript.h"

#include "core/base/json.h"
#include "core/protocol/openai/codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <type_traits>
#include <variant>

namespace vivavoce::broker::relay {
namespace {

namespace openai = core::openai;
using core::Json;
using transcripts::Extent;
using transcripts::Speaker;

/// What may still become known, or change; of older ones all is told.
constexpr std::size_t kMostItems = 64;
/// Between two items, so that others find a place between them.
constexpr std::int64_t kGap = std::int64_t{1} << 20;
constexpr std::size_t kLongestName = 256;

constexpr std::array<std::string_view, 21> kRead{"error", "conversation.item.added", "conversation.item.created",
    "conversation.item.done", "conversation.item.truncated", "conversation.item.input_audio_transcription.delta",
    "conversation.item.input_audio_transcription.completed", "input_audio_buffer.speech_started",
    "input_audio_buffer.committed", "response.created", "response.done", "response.output_item.added",
    "response.output_item.done", "response.output_text.delta", "response.text.delta", "response.output_text.done",
    "response.text.done", "response.output_audio_transcript.delta", "response.audio_transcript.delta",
    "response.output_audio_transcript.done", "response.audio_transcript.done"};

std::string textIn(const Json& json, const char* name)
{
    const auto found = json.find(name);
    const bool isText = found != json.end() && found->is_string();
    std::string text = isText ? found->get<std::string>() : std::string();
    return text.size() <= kLongestName ? text : std::string();
}

/// What names an item; of a call, for want of that, what names the call.
const std::string& nameOf(const openai::Item& item)
{
    return item.id.empty() && item.type == openai::ItemType::FunctionCall ? item.callId : item.id;
}

template <typename T, typename... Among>
constexpr bool kIsAmong = (std::is_same_v<T, Among> || ...);

std::size_t indexOf(std::int64_t index)
{
    return index < 0 ? 0 : static_cast<std::size_t>(index);
}

} // namespace

bool OpenAiTranscript::reads(std::string_view type)
{
    return !type.empty() && std::find(kRead.begin(), kRead.end(), type) != kRead.end();
}

void OpenAiTranscript::fromClient(std::string_view text, core::WallTime now)
{
    m_now = now;
    const auto event = core::parseJson(text);
    const std::string type = event && event->is_object() ? textIn(*event, "type") : std::string();
    if (type == openai::ConversationItemTruncate::kType) {
        interrupted(textIn(*event, "item_id"));
        return;
    }
    const auto item = type == openai::ConversationItemCreate::kType ? event->find("item") : Json::const_iterator();
    if (type != openai::ConversationItemCreate::kType || item == event->end() || !item->is_object()) {
        return;
    }
    const std::string role = textIn(*item, "role");
    if (role == "assistant" && !m_hasBegun) {
        // A client that comes again tells what was said before: the user's part of that, too.
        m_typed.clear();
        std::erase_if(m_items, [](const SpokenItem& one) { return one.isOpening && !one.isTold; });
        return;
    }
    auto typed = role == "user" ? TypedItems::read(*item) : std::nullopt;
    if (!typed) {
        return;
    }
    typed->eventId = textIn(*event, "event_id");
    typed->id = textIn(*item, "id");
    const std::string previous = textIn(*event, "previous_item_id");
    typed->position = positionBehind(previous.empty() ? std::nullopt : std::optional(previous));
    typed->at = now;
    typed->isOpening = !m_hasBegun;
    if (!m_typed.add(std::move(*typed))) {
        tellLoss();
    }
}

void OpenAiTranscript::fromProvider(std::string_view text, core::WallTime now)
{
    m_now = now;
    const auto event = openai::decodeServerEvent(text);
    if (!event) {
        return;
    }
    const auto read = [this]([[maybe_unused]] const auto& one) {
        using Event = std::decay_t<decltype(one)>;
        if constexpr (kIsAmong<Event, openai::ConversationItemAdded, openai::ConversationItemCreated,
                          openai::ConversationItemDone>) {
            onItem(one);
        } else if constexpr (kIsAmong<Event, openai::ResponseOutputTextDelta,
                                 openai::ResponseOutputAudioTranscriptDelta>) {
            onDelta(one);
        } else if constexpr (kIsAmong<Event, openai::ResponseOutputTextDone>) {
            onWhole(one, one.text);
        } else if constexpr (kIsAmong<Event, openai::ResponseOutputAudioTranscriptDone>) {
            onWhole(one, one.transcript);
        } else if constexpr (kIsAmong<Event, openai::InputAudioBufferSpeechStarted, openai::InputAudioBufferCommitted,
                                 openai::ConversationItemTruncated, openai::InputAudioTranscriptionDelta,
                                 openai::InputAudioTranscriptionCompleted, openai::ResponseCreated,
                                 openai::ResponseDone, openai::ResponseOutputItemAdded, openai::ResponseOutputItemDone,
                                 openai::ErrorEvent>) {
            on(one);
        }
    };
    std::visit(read, *event);
}

SpokenItem* OpenAiTranscript::find(const std::string& id)
{
    const auto found = std::find_if(
        m_items.rbegin(), m_items.rend(), [&](const SpokenItem& item) { return !id.empty() && item.id == id; });
    return found == m_items.rend() ? nullptr : &*found;
}

SpokenItem* OpenAiTranscript::findNameless(Speaker speaker)
{
    const auto isIt = [speaker](const SpokenItem& item) {
        const bool isSaid = item.isOver || (speaker == Speaker::User && item.isTold);
        return item.id.empty() && item.speaker == speaker && !isSaid;
    };
    const auto found = std::find_if(m_items.rbegin(), m_items.rend(), isIt);
    return found == m_items.rend() ? nullptr : &*found;
}

std::int64_t OpenAiTranscript::positionBehind(const std::optional<std::string>& previous)
{
    if (previous && *previous == "root") {
        m_first -= kGap;
        return m_first;
    }
    const SpokenItem* const former = previous ? find(*previous) : nullptr;
    if (former != nullptr && former->position < m_last) {
        std::int64_t next = m_last;
        for (const SpokenItem& item : m_items) {
            next = item.position > former->position ? std::min(next, item.position) : next;
        }
        next = m_typed.nextBehind(former->position, next);
        const std::int64_t between = former->position + (next - former->position) / 2;
        if (between != former->position) {
            return between;
        }
        // There is no place left: behind all is as good as any.
    }
    m_last += kGap;
    return m_last;
}

SpokenItem& OpenAiTranscript::place(const std::string& id, Speaker speaker, const std::optional<std::string>& previous)
{
    SpokenItem* const known = id.empty() ? findNameless(speaker) : find(id);
    if (known != nullptr) {
        return *known;
    }
    if (m_items.size() >= kMostItems) {
        tell(m_items.front());
        m_items.pop_front();
    }
    SpokenItem item;
    item.id = id.size() <= kLongestName ? id : std::string();
    item.speaker = speaker;
    item.position = positionBehind(previous);
    item.at = m_now;
    return m_items.emplace_back(std::move(item));
}

void OpenAiTranscript::tell(SpokenItem& item)
{
    transcripts::Line line = item.line();
    const std::size_t hash = std::hash<std::string>()(line.text);
    const bool isSame = item.isTold && item.toldExtent == line.extent && item.toldHash == hash;
    if (line.text.empty() || isSame) {
        return;
    }
    item.isTold = true;
    item.toldExtent = line.extent;
    item.toldHash = hash;
    m_onLine(std::move(line));
}

void OpenAiTranscript::tellLoss()
{
    transcripts::Line lost;
    lost.at = m_now;
    lost.isCut = true;
    m_onLine(std::move(lost));
}

template <typename Event>
void OpenAiTranscript::onItem(const Event& event)
{
    const openai::Item& told = event.item;
    if (told.type == openai::ItemType::FunctionCall) {
        place(nameOf(told), Speaker::Tool, event.previousItemId);
        readOutput({}, told);
        return;
    }
    if (told.type != openai::ItemType::Message || told.role == openai::Role::System) {
        return;
    }
    if (told.role == openai::Role::Assistant) {
        // What it says comes with its response; what a client put there was said before, if at all.
        if (m_hasBegun) {
            place(told.id, Speaker::Assistant, event.previousItemId);
        }
        return;
    }
    const bool isSpoken = std::any_of(told.content.begin(), told.content.end(),
        [](const openai::ContentPart& part) { return part.type == openai::ContentType::InputAudio; });
    if (isSpoken) {
        readMessage(place(told.id, Speaker::User, event.previousItemId), told);
        return;
    }
    const SpokenItem* const known = find(told.id);
    auto typed = known == nullptr ? m_typed.take(told) : std::nullopt;
    if (!typed) {
        // Not typed here, as far as is known: a client's history, or what was told already.
        return;
    }
    SpokenItem& item = place(told.id, Speaker::User, event.previousItemId);
    item.set(0, typed->text);
    item.isCut = typed->isCut;
    item.at = typed->at;
    item.extent = Extent::Whole;
    item.isOpening = typed->isOpening;
    if (m_hasBegun) {
        tell(item);
    }
}

void OpenAiTranscript::readMessage(SpokenItem& item, const openai::Item& told)
{
    for (std::size_t i = 0; i < told.content.size(); ++i) {
        const openai::ContentPart& part = told.content[i];
        const std::optional<std::string>& words =
            part.type == openai::ContentType::InputAudio ? part.transcript : part.text;
        if (words && !words->empty()) {
            item.set(i, *words);
            item.extent = Extent::Whole;
        }
    }
    tell(item);
}

void OpenAiTranscript::on(const openai::InputAudioBufferSpeechStarted& started)
{
    m_hasBegun = true;
    settleTyped();
    if (!started.itemId.empty()) {
        place(started.itemId, Speaker::User, std::nullopt);
    }
}

void OpenAiTranscript::on(const openai::InputAudioBufferCommitted& committed)
{
    m_hasBegun = true;
    settleTyped();
    if (!committed.itemId.empty()) {
        place(committed.itemId, Speaker::User, committed.previousItemId);
    }
}

void OpenAiTranscript::on(const openai::InputAudioTranscriptionDelta& delta)
{
    place(delta.itemId, Speaker::User, std::nullopt).add(indexOf(delta.contentIndex), delta.delta);
}

void OpenAiTranscript::on(const openai::InputAudioTranscriptionCompleted& completed)
{
    SpokenItem& item = place(completed.itemId, Speaker::User, std::nullopt);
    item.set(indexOf(completed.contentIndex), completed.transcript);
    item.extent = Extent::Whole;
    tell(item);
}

void OpenAiTranscript::on(const openai::ConversationItemTruncated& truncated)
{
    interrupted(truncated.itemId);
}

void OpenAiTranscript::interrupted(const std::string& itemId)
{
    SpokenItem* const item = find(itemId);
    if (item == nullptr || item->speaker != Speaker::Assistant) {
        return;
    }
    item->extent = Extent::Interrupted;
    if (item->isTold || item->isOver) {
        tell(*item);
    }
}

void OpenAiTranscript::on(const openai::ResponseCreated& /*created*/)
{
    m_hasBegun = true;
    settleTyped();
}

void OpenAiTranscript::settleTyped()
{
    for (SpokenItem& item : m_items) {
        if (item.extent == Extent::Whole) {
            tell(item);
        }
    }
    while (const auto typed = m_typed.takeFirst()) {
        SpokenItem item;
        item.id = typed->id;
        item.position = typed->position;
        item.set(0, typed->text);
        item.isCut = typed->isCut;
        item.extent = Extent::Whole;
        item.at = typed->at;
        item.isOpening = typed->isOpening;
        if (m_items.size() >= kMostItems) {
            tell(m_items.front());
            m_items.pop_front();
        }
        tell(m_items.emplace_back(std::move(item)));
    }
}

void OpenAiTranscript::on(const openai::ResponseOutputItemAdded& added)
{
    const bool isCall = added.item.type == openai::ItemType::FunctionCall;
    if (isCall || added.item.type == openai::ItemType::Message) {
        SpokenItem& item = place(nameOf(added.item), isCall ? Speaker::Tool : Speaker::Assistant, std::nullopt);
        item.response = added.responseId;
    }
}

void OpenAiTranscript::on(const openai::ResponseOutputItemDone& done)
{
    readOutput(done.responseId, done.item);
}

void OpenAiTranscript::readOutput(const std::string& response, const openai::Item& told)
{
    if (told.type == openai::ItemType::FunctionCall) {
        SpokenItem& item = place(nameOf(told), Speaker::Tool, std::nullopt);
        item.speaker = Speaker::Tool;
        item.response = response.empty() ? item.response : response;
        // Nothing of what the function was given: that is not said by anybody.
        item.set(0, told.name);
        item.extent = Extent::Whole;
        tell(item);
        return;
    }
    if (told.type != openai::ItemType::Message || told.role != openai::Role::Assistant) {
        return;
    }
    SpokenItem& item = place(told.id, Speaker::Assistant, std::nullopt);
    item.response = response;
    for (std::size_t i = 0; i < told.content.size(); ++i) {
        const openai::ContentPart& part = told.content[i];
        const auto& words = part.type == openai::ContentType::OutputAudio ? part.transcript : part.text;
        if (words && item.part(i).empty()) {
            item.set(i, *words);
        }
    }
    if (told.status == openai::ItemStatus::Incomplete) {
        item.extent = Extent::Interrupted;
    } else if (item.extent == Extent::Unfinished && told.status == openai::ItemStatus::Completed) {
        item.extent = Extent::Whole;
    }
    if (item.extent != Extent::Unfinished) {
        tell(item);
    }
}

template <typename Event>
void OpenAiTranscript::onDelta(const Event& event)
{
    m_hasBegun = true;
    SpokenItem& item = place(event.itemId, Speaker::Assistant, std::nullopt);
    item.response = event.responseId;
    item.add(indexOf(event.contentIndex), event.delta);
}

template <typename Event>
void OpenAiTranscript::onWhole(const Event& event, const std::string& text)
{
    m_hasBegun = true;
    SpokenItem& item = place(event.itemId, Speaker::Assistant, std::nullopt);
    item.response = event.responseId;
    // A provider that was interrupted may say less here than it has said before.
    if (text.size() >= item.part(indexOf(event.contentIndex)).size()) {
        item.set(indexOf(event.contentIndex), text);
    }
    if (item.extent == Extent::Unfinished) {
        item.extent = Extent::Whole;
    }
    tell(item);
}

void OpenAiTranscript::on(const openai::ResponseDone& done)
{
    const openai::Response& response = done.response;
    for (const openai::Item& told : response.output) {
        readOutput(response.id, told);
    }
    const bool isWhole =
        response.status.value_or(openai::ResponseStatus::Completed) == openai::ResponseStatus::Completed;
    const auto isDone = [&](const SpokenItem& item) {
        return std::any_of(response.output.begin(), response.output.end(), [&](const openai::Item& told) {
            return told.id == item.id && told.status == openai::ItemStatus::Completed;
        });
    };
    for (SpokenItem& item : m_items) {
        const bool isIts =
            item.speaker == Speaker::Assistant && !item.isOver && (item.response == response.id || response.id.empty());
        if (!isIts) {
            continue;
        }
        if (!isWhole && !isDone(item)) {
            item.extent = Extent::Interrupted;
        } else if (item.extent == Extent::Unfinished) {
            item.extent = Extent::Whole;
        }
        item.isOver = true;
        tell(item);
    }
}

void OpenAiTranscript::on(const openai::ErrorEvent& error)
{
    m_typed.refuse(error.error.eventId.value_or(std::string()));
}

void OpenAiTranscript::ended(core::WallTime now)
{
    m_now = now;
    settleTyped();
    for (SpokenItem& item : m_items) {
        tell(item);
    }
}

} // namespace vivavoce::broker::relay
