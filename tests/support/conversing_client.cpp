#include "tests/support/conversing_client.h"

#include <algorithm>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

constexpr Milliseconds kPiece{100};
constexpr int kSpokenPieces = 3;

} // namespace

void NumberedVoice::stop()
{
    m_listener = nullptr;
    m_microphone.reset();
    m_playing.clear();
}

void NumberedVoice::play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples)
{
    if (m_playing.empty() || m_playing.back().itemId != itemId) {
        m_playing.push_back({std::string(itemId), contentIndex, 0, false});
    }
    m_playing.back().samples += samples.size();
}

void NumberedVoice::finishItem(std::string_view itemId)
{
    for (Playing& playing : m_playing) {
        playing.isFinished = playing.isFinished || playing.itemId == itemId;
    }
    m_executor.post([weak = std::weak_ptr(m_self)] {
        if (const auto self = weak.lock()) {
            (*self)->drain();
        }
    });
}

void NumberedVoice::drain()
{
    const bool wasPlaying = !m_playing.empty();
    while (!m_playing.empty() && m_playing.front().isFinished) {
        m_heard[m_playing.front().itemId] = 1;
        m_playing.pop_front();
    }
    if (wasPlaying && m_playing.empty() && m_listener != nullptr) {
        m_listener->playbackDrained();
    }
}

HeardAudio NumberedVoice::interrupt()
{
    HeardAudio heard;
    if (!m_playing.empty()) {
        const Playing& playing = m_playing.front();
        heard.itemId = playing.itemId;
        heard.contentIndex = playing.contentIndex;
        heard.heard = FrameCount{static_cast<std::int64_t>(playing.samples / 2)}.duration(m_rates.output);
        m_heard[playing.itemId] = 0.5;
        for (std::size_t i = 1; i < m_playing.size(); ++i) {
            m_heard[m_playing[i].itemId] = 0;
        }
        m_playing.clear();
    }
    return heard;
}

void NumberedVoice::speak(int number)
{
    m_speaking = number;
    m_piecesLeft = kSpokenPieces;
    m_microphone = m_executor.after(m_every, [this] { capture(); });
}

void NumberedVoice::capture()
{
    const int number = m_piecesLeft > 0 ? m_speaking : 0;
    m_piecesLeft = std::max(m_piecesLeft - 1, 0);
    // Before the listener may close it.
    m_microphone = m_executor.after(m_every, [this] { capture(); });
    if (m_listener != nullptr) {
        const auto samples = number == 0
            ? std::vector<std::int16_t>(static_cast<std::size_t>(FrameCount::of(kPiece, m_rates.input).value()))
            : spokenQuestion(number, kPiece, m_rates.input);
        m_listener->voiceCaptured(samples);
    }
}

std::optional<double> NumberedVoice::heardOf(const std::string& itemId) const
{
    const auto found = m_heard.find(itemId);
    return found == m_heard.end() ? std::nullopt : std::optional(found->second);
}

ConversingClient::ConversingClient(Dependencies dependencies)
    : m_clock(dependencies.clock),
      m_executor(dependencies.executor),
      m_voice(dependencies.executor, dependencies.microphoneEvery),
      m_broker({dependencies.http, dependencies.clock, dependencies.brokerUrl,
          std::make_shared<LiteralCredential>(dependencies.credential), {}, "00112233445566778899aabbccddeeff"}),
      m_tokens(m_broker, dependencies.clock, dependencies.executor),
      m_runner({m_tokens, dependencies.transports, m_voice, *this, dependencies.clock, dependencies.executor, *this,
          std::move(dependencies.options)})
{
}

ConversingClient::~ConversingClient() = default;

bool ConversingClient::isQuiet() const
{
    return state().phase == Phase::Live && state().activity == Activity::Listening;
}

std::vector<const ConversationEntry*> ConversingClient::entries(Speaker speaker, int number) const
{
    std::vector<const ConversationEntry*> found;
    for (const ConversationEntry& entry : m_screen) {
        // What nobody heard or wrote is on no screen.
        if (entry.speaker == speaker && !entry.heardText().empty() && turnNumber(entry.text) == number) {
            found.push_back(&entry);
        }
    }
    return found;
}

bool ConversingClient::isAnswered(int number) const
{
    const auto answers = entries(Speaker::Assistant, number);
    return std::any_of(answers.begin(), answers.end(), [](const auto* answer) { return answer->isFinal; });
}

bool ConversingClient::isWrittenDown(int number) const
{
    return audioLost > Milliseconds{0} || !entries(Speaker::User, number).empty();
}

bool ConversingClient::isMarkedInterrupted(int number) const
{
    const auto answers = entries(Speaker::Assistant, number);
    return answers.size() == 1 && answers[0]->wasInterrupted && answers[0]->isFinal;
}

bool ConversingClient::isBeingAnswered(int number) const
{
    return m_voice.isPlaying() && !entries(Speaker::Assistant, number).empty();
}

std::string ConversingClient::faultOf(int number) const
{
    const std::string name = "turn " + std::to_string(number) + ": ";
    const auto questions = entries(Speaker::User, number);
    if (questions.size() > 1) {
        return name + "is there twice";
    }
    // Answered over a connection that was lost before the words came: then it has been told as lost.
    if (questions.empty() && audioLost == Milliseconds{0}) {
        return name + "is lost";
    }
    const auto answers = entries(Speaker::Assistant, number);
    if (answers.size() != 1) {
        return name + "has " + std::to_string(answers.size()) + " answers";
    }
    const ConversationEntry& answer = *answers[0];
    if (!questions.empty() && questions[0] > answers[0]) {
        return name + "is behind its answer";
    }
    const auto heard = m_voice.heardOf(answer.itemId);
    if (!heard) {
        return name + "has an answer that was never played";
    }
    const bool isTold =
        answer.heardText().size() <= static_cast<std::size_t>(*heard * static_cast<double>(answer.text.size()));
    return isTold ? std::string() : name + "has an answer told as heard that was not";
}

bool ConversingClient::isRefused() const
{
    return std::any_of(m_problems.begin(), m_problems.end(),
        [](const Error& problem) { return problem.code == ErrorCode::NotAuthorised; });
}

std::string ConversingClient::standing() const
{
    std::string text = std::string(phaseText(state().phase)) + ", " + std::string(activityText(state().activity));
    for (const ConversationEntry& entry : m_screen) {
        text += "; " + entry.itemId + (entry.isFinal ? " \"" : "... \"") + std::string(entry.heardText()) + "\"";
    }
    for (const Error& problem : m_problems) {
        text += "; " + problem.detail;
    }
    return text;
}

void ConversingClient::forgetTurns()
{
    m_screen.clear();
    m_voice.forget();
    m_problems.clear();
    toolRuns.clear();
}

void ConversingClient::sessionTold(const SessionNotice& notice)
{
    using namespace session_notice;
    if (listener) {
        listener(notice);
    }
    if (const auto* changed = std::get_if<TranscriptChanged>(&notice)) {
        show(*changed);
    } else if (const auto* removed = std::get_if<TranscriptRemoved>(&notice)) {
        std::erase_if(m_screen, [&](const ConversationEntry& entry) { return entry.itemId == removed->itemId; });
    } else if (const auto* phase = std::get_if<PhaseChanged>(&notice)) {
        tokenFetches += phase->phase == Phase::FetchingToken ? 1 : 0;
        handOvers += phase->isHandOver ? 1 : 0;
        losses += phase->phase == Phase::Waiting && !phase->isHandOver ? 1 : 0;
    } else if (const auto* token = std::get_if<TokenChanged>(&notice)) {
        if (token->news == TokenNews::Acquired || token->news == TokenNews::Refreshed) {
            ++tokens;
            earlyTokens += m_renewalAt && m_clock.now() < *m_renewalAt ? 1 : 0;
            // A tenth of it may be taken off, so that not all come at once.
            m_renewalAt = m_clock.now() + token->renewIn * 9 / 10;
        }
    } else if (const auto* problem = std::get_if<Problem>(&notice)) {
        m_problems.push_back(problem->error);
    } else if (const auto* lost = std::get_if<AudioLost>(&notice)) {
        audioLost += lost->amount;
    } else if (const auto* ended = std::get_if<Ended>(&notice)) {
        m_end = *ended;
    }
}

void ConversingClient::show(const session_notice::TranscriptChanged& changed)
{
    const auto isIt = [](std::string_view id) {
        return [id](const ConversationEntry& entry) { return entry.itemId == id; };
    };
    const auto known = std::find_if(m_screen.begin(), m_screen.end(), isIt(changed.entry.itemId));
    if (known != m_screen.end()) {
        *known = changed.entry;
    } else {
        m_screen.insert(std::find_if(m_screen.begin(), m_screen.end(), isIt(changed.nextItemId)), changed.entry);
    }
}

void ConversingClient::run(const ToolCall& call, Callback done)
{
    const auto waiting = std::make_shared<Callback>(std::move(done));
    m_tools[call.callId] = waiting;
    m_executor.post([this, call, weak = std::weak_ptr(waiting)] {
        if (const auto open = weak.lock()) {
            m_tools.erase(call.callId);
            ++toolRuns[call.arguments];
            (*open)(std::string(R"({"found":true})"));
        }
    });
}

} // namespace vivavoce::tests
