#include "broker/relay/gemini_transcript.h"

#include "broker/relay/message_scan.h"
#include "core/base/json.h"
#include "core/protocol/gemini/codec.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace vivavoce::broker::relay {
namespace {

namespace gemini = core::gemini;
using core::Json;
using transcripts::Extent;
using transcripts::Speaker;

/// Of what the user said, a piece comes this late at most; one that comes later while an answer is heard is of what they say into it.
constexpr core::Milliseconds kLatestPiece{2'000};

/// However it is spelt; null: there is none.
const Json* memberOf(const Json& from, std::string_view name)
{
    if (!from.is_object()) {
        return nullptr;
    }
    for (const auto& [written, value] : from.items()) {
        if (isSameSpelling(written, name)) {
            return &value;
        }
    }
    return nullptr;
}

bool isModels(const Json& turn)
{
    const Json* const role = memberOf(turn, "role");
    return role != nullptr && *role == "model";
}

/// Also where it is no list, and stands for one.
template <typename Read>
void forEach(const Json& list, const Read& read)
{
    if (list.is_array()) {
        std::for_each(list.begin(), list.end(), read);
    } else {
        read(list);
    }
}

/// What is typed in it, in a line of its own.
void addWords(SpokenItem& item, const Json& from)
{
    const Json* const words = memberOf(from, "text");
    const auto* const text = words != nullptr ? words->get_ptr<const std::string*>() : nullptr;
    if (text == nullptr || text->empty()) {
        return;
    }
    if (!item.part(0).empty()) {
        item.add(0, "\n");
    }
    item.add(0, *text);
}

bool isSpoken(const gemini::Part& part)
{
    return part.text && !part.text->empty() && !part.thought.value_or(false);
}

} // namespace

bool GeminiTranscript::reads(const gemini::ServerMessage& message)
{
    if (message.toolCall) {
        return true;
    }
    if (!message.serverContent) {
        return false;
    }
    const gemini::ServerContent& content = *message.serverContent;
    return content.inputTranscription || content.outputTranscription || content.turnComplete.value_or(false)
        || content.interrupted.value_or(false)
        || (content.modelTurn
            && std::any_of(content.modelTurn->parts.begin(), content.modelTurn->parts.end(), isSpoken));
}

void GeminiTranscript::fromClient(std::string_view text, core::WallTime now)
{
    m_now = now;
    const auto message = core::parseJson(text);
    if (!message || !message->is_object()) {
        return;
    }
    if (const Json* const input = memberOf(*message, "realtimeInput")) {
        SpokenItem item = made(Speaker::User, 0);
        addWords(item, *input);
        typed(std::move(item));
    } else if (const Json* const content = memberOf(*message, "clientContent")) {
        onContent(*content);
    }
}

void GeminiTranscript::onContent(const Json& content)
{
    const Json* const turns = memberOf(content, "turns");
    if (turns == nullptr) {
        return;
    }
    // One message is one line, whatever it is made of.
    SpokenItem item = made(Speaker::User, 0);
    forEach(*turns, [&](const Json& turn) {
        const Json* const parts = memberOf(turn, "parts");
        if (isModels(turn) && !m_hasBegun) {
            // A client that comes again tells what was said before: the user's part of that, too.
            item.parts.clear();
            item.isCut = false;
        } else if (parts != nullptr && !isModels(turn)) {
            forEach(*parts, [&](const Json& part) { addWords(item, part); });
        }
    });
    // What asks for no answer may be some of what was said before.
    const Json* const end = memberOf(content, "turnComplete");
    item.isOpening = !m_hasBegun && (end == nullptr || *end != true);
    typed(std::move(item));
}

void GeminiTranscript::fromProvider(std::string_view text, core::WallTime now)
{
    m_now = now;
    const auto message = gemini::decodeServerMessage(text);
    if (!message) {
        return;
    }
    if (message->serverContent) {
        on(*message->serverContent);
    }
    if (message->toolCall) {
        on(*message->toolCall);
    }
}

void GeminiTranscript::on(const gemini::ServerContent& content)
{
    m_hasBegun = true;
    if (content.interrupted.value_or(false)) {
        endModel(Extent::Interrupted);
        endTurn();
        m_isInterrupted = true;
    }
    if (content.inputTranscription) {
        userSaid(*content.inputTranscription);
    }
    if (content.modelTurn) {
        for (const gemini::Part& part : content.modelTurn->parts) {
            if (isSpoken(part)) {
                modelSaid(*part.text);
            }
        }
    }
    if (content.outputTranscription && !content.outputTranscription->text.empty()) {
        modelSaid(content.outputTranscription->text);
    }
    if (content.turnComplete.value_or(false)) {
        // The turn of an answer that was interrupted is over after that, when the user's next words may have come.
        const bool isOfThat = std::exchange(m_isInterrupted, false) && !m_model;
        endModel(Extent::Whole);
        if (!isOfThat) {
            endTurn();
        }
    }
}

void GeminiTranscript::on(const gemini::ToolCall& call)
{
    m_hasBegun = true;
    for (const gemini::FunctionCall& one : call.functionCalls) {
        beginTurn();
        SpokenItem item = made(Speaker::Tool, ++m_last);
        item.set(0, one.name);
        tell(item, Extent::Whole);
    }
}

void GeminiTranscript::beginTurn()
{
    if (!m_userPlace && !m_isUserHeard) {
        m_userPlace = ++m_last;
    }
}

void GeminiTranscript::beginUser()
{
    beginTurn();
    // Once all of a turn's words are there, what they say is said after whatever is being answered.
    m_isOfNextTurn = m_isUserHeard;
    m_user = made(Speaker::User, m_isOfNextTurn ? ++m_last : *m_userPlace);
}

void GeminiTranscript::endUser()
{
    if (m_user) {
        tell(*m_user, Extent::Whole);
    }
    m_user.reset();
    m_userPlace.reset();
    m_isUserHeard = true;
}

void GeminiTranscript::endTurn()
{
    const bool isNextUnderWay = m_user && m_isOfNextTurn;
    if (!isNextUnderWay) {
        endUser();
    } else {
        m_userPlace = m_user->position;
    }
    m_isOfNextTurn = false;
    m_isUserHeard = false;
}

SpokenItem GeminiTranscript::made(Speaker speaker, std::int64_t position) const
{
    SpokenItem item;
    item.speaker = speaker;
    item.position = position;
    item.at = m_now;
    return item;
}

void GeminiTranscript::userSaid(const gemini::TranscriptPiece& piece)
{
    if (!piece.text.empty()) {
        if (m_user && !m_isOfNextTurn && m_model && m_now - m_userAt > kLatestPiece) {
            endUser();
        }
        if (!m_user) {
            beginUser();
        }
        m_user->add(0, piece.text);
        m_userAt = m_now;
    }
    if (piece.finished.value_or(false) && m_user) {
        endUser();
    }
}

void GeminiTranscript::modelSaid(std::string_view text)
{
    if (!m_model) {
        beginTurn();
        m_model = made(Speaker::Assistant, ++m_last);
    }
    m_model->add(0, text);
}

void GeminiTranscript::typed(SpokenItem item)
{
    if (item.part(0).empty()) {
        return;
    }
    // Typing interrupts whatever is being said.
    item.position = ++m_last;
    tell(item, Extent::Whole);
}

void GeminiTranscript::endModel(Extent extent)
{
    if (m_model) {
        tell(*m_model, extent);
    }
    m_model.reset();
}

void GeminiTranscript::tell(SpokenItem& item, Extent extent)
{
    item.extent = extent;
    transcripts::Line line = item.line();
    if (!line.text.empty()) {
        m_onLine(std::move(line));
    }
}

void GeminiTranscript::ended(core::WallTime now)
{
    m_now = now;
    if (m_user) {
        const bool isAnswered = m_model && !m_isOfNextTurn;
        tell(*m_user, isAnswered ? Extent::Whole : Extent::Unfinished);
        m_user.reset();
    }
    endModel(Extent::Unfinished);
}

} // namespace vivavoce::broker::relay
