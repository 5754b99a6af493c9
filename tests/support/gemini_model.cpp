#include "tests/support/gemini_model.h"

#include "core/base/pcm.h"
#include "tests/support/numbered_turns.h"

#include <algorithm>
#include <utility>

namespace vivavoce::tests {

using namespace core;

namespace {

constexpr Milliseconds kEndOfTurn{500};
constexpr Milliseconds kStep{10};
constexpr int kPieces = 2;

} // namespace

GeminiModel::GeminiModel(
    Executor& executor, GeminiStandIn& server, ScriptedProviderLog& log, ScriptedTransports::Mouth mouth)
    : m_executor(executor),
      m_log(log),
      m_connection(server, std::move(mouth.binary), [&log, hangUp = std::move(mouth.hangUp)](TransportClose close) {
          log.refused.push_back(close.reason);
          hangUp(std::move(close));
      })
{
    ++log.sessions;
    server.answer = [this](GeminiStandIn::Connection& connection) {
        if (&connection == &m_connection) {
            read();
        }
    };
    server.listen = [this](GeminiStandIn::Connection& connection, const Bytes& sound) {
        if (&connection == &m_connection) {
            listen(sound);
        }
    };
}

void GeminiModel::hear(std::string_view message)
{
    const bool wasSetUp = m_connection.isSetUp();
    m_connection.heard(message);
    if (!wasSetUp && m_connection.isSetUp()) {
        m_read = m_connection.session().texts.size();
    }
}

void GeminiModel::then(std::function<void()> step)
{
    m_steps.push_back(std::move(step));
    goOn();
}

void GeminiModel::goOn()
{
    if (std::exchange(m_isGoingOn, true)) {
        return;
    }
    m_executor.post([weak = std::weak_ptr(m_self)] {
        const auto self = weak.lock();
        if (self == nullptr) {
            return;
        }
        GeminiModel& model = **self;
        model.m_isGoingOn = false;
        if (model.m_steps.empty()) {
            return;
        }
        const auto step = std::move(model.m_steps.front());
        model.m_steps.pop_front();
        step();
        if (!model.m_steps.empty()) {
            model.goOn();
        }
    });
}

void GeminiModel::listen(const Bytes& sound)
{
    const std::vector<std::int16_t> samples = pcmSamples(sound);
    const auto step = static_cast<std::size_t>(FrameCount::of(kStep, kRealtimeRate).value());
    for (std::size_t at = 0; at < samples.size(); at += step) {
        const int number = spokenNumber(std::span(samples).subspan(at, std::min(samples.size() - at, step)));
        m_quiet = number == 0 ? m_quiet + kStep : Milliseconds{0};
        if (number != 0 && std::exchange(m_speech, number) == 0) {
            interrupted();
        }
        if (m_speech != 0 && m_quiet >= kEndOfTurn) {
            turnEnds();
        }
    }
}

void GeminiModel::turnEnds()
{
    const int number = std::exchange(m_speech, 0);
    then([this, number] { m_connection.userWords(questionText(number)); });
    asked(number);
    answer(number, false);
}

void GeminiModel::read()
{
    const auto& texts = m_connection.session().texts;
    if (m_read == texts.size()) {
        answer(m_callFor, true);
        return;
    }
    interrupted();
    int number = 0;
    bool isLookedUp = false;
    for (; m_read < texts.size(); ++m_read) {
        for (std::size_t begin = 0; begin <= texts[m_read].size();) {
            const std::size_t end = std::min(texts[m_read].find('\n', begin), texts[m_read].size());
            const std::string line = texts[m_read].substr(begin, end - begin);
            // What a function has answered over a connection before.
            isLookedUp = line.starts_with('[');
            number = isLookedUp ? number : understand(line);
            begin = end + 1;
        }
    }
    answer(number, isLookedUp);
}

int GeminiModel::understand(const std::string& line)
{
    const int number = turnNumber(line).value_or(0);
    asked(number);
    return number;
}

void GeminiModel::asked(int number)
{
    GeminiStandIn::Session& session = m_connection.session();
    const bool isInHistory =
        std::any_of(session.history.begin(), session.history.end(), [number](const gemini::Content& turn) {
            return turn.role == "user" && !turn.parts.empty()
                && turnNumber(turn.parts[0].text.value_or(std::string())) == number;
        });
    if (!session.asked.insert(number).second || isInHistory) {
        m_log.doubled.push_back(number);
    }
}

void GeminiModel::answer(int number, bool isLookedUp)
{
    m_isReplying = true;
    m_call.clear();
    if (turnKind(number) != TurnKind::Tool || isLookedUp) {
        speak(number);
        return;
    }
    then([this, number] {
        m_call = "call_" + std::to_string(m_log.sessions) + "_" + std::to_string(++m_calls);
        m_callFor = number;
        m_connection.call(m_call, "look_up", R"({"number":)" + std::to_string(number) + "}");
    });
}

void GeminiModel::speak(int number)
{
    const std::string text = answerText(number);
    const bool isEndless = turnKind(number) == TurnKind::Endless;
    std::size_t told = 0;
    for (int i = 1; i <= kPieces; ++i) {
        const std::size_t end =
            i == kPieces && !isEndless ? text.size() : text.size() * static_cast<std::size_t>(i) / 3;
        then([this] { m_connection.sound(Milliseconds{40}); });
        then([this, words = text.substr(told, end - told)] { m_connection.words(words); });
        told = end;
    }
    if (isEndless) {
        return;
    }
    then([this] { m_connection.usage(10, 20, 30); });
    then([this] { m_connection.generationComplete(); });
    then([this] {
        ++m_log.answers;
        m_isReplying = false;
        m_connection.turnComplete();
        m_connection.handle();
    });
}

void GeminiModel::interrupted()
{
    if (!std::exchange(m_isReplying, false)) {
        return;
    }
    m_steps.clear();
    if (!m_call.empty()) {
        m_connection.cancelCall(std::exchange(m_call, {}));
    }
    then([this] { m_connection.interrupt(); });
    then([this] {
        m_connection.usage(10, 20, 15);
        m_connection.turnComplete();
    });
}

} // namespace vivavoce::tests
