#include "core/base/json.h"
#include "tests/scenarios/scenario_world.h"

#include <nlohmann/json.hpp>

#include <QFile>
#include <QTest>

#include <algorithm>
#include <map>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

using Words = std::vector<std::string>;

Json scenario()
{
    QFile file(qEnvironmentVariable("VV_SOURCE_DIR") + QStringLiteral("/tests/scenarios/scenario.json"));
    const auto parsed = parseJson(file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string());
    return parsed ? *parsed : Json();
}

/// The stand-ins, by the names that the file has for them; nothing: Gemini's.
const std::map<std::string, std::optional<ServerKind>> kServers{{"openai", ServerKind::OpenAi},
    {"azure", ServerKind::Azure}, {"xai", ServerKind::Xai}, {"localai", ServerKind::LocalAi},
    {"speaches", ServerKind::Speaches}, {"speech-to-speech", ServerKind::SpeechToSpeech}, {"gemini", std::nullopt}};

/// One run of the scenario.
class Run {
public:
    Run(const Json& all, const std::string& server, ScenarioWorld::Sound sound)
        : m_always(all.at("always").get<Words>()),
          m_never(all.at("servers").at(server).value("never", Words())),
          m_refuses(all.at("servers").at(server).value("refuses", Words())),
          m_world(kServers.at(server), sound)
    {
    }

    /// What is wrong; empty: nothing.
    [[nodiscard]] std::string begin()
    {
        m_world.client.start();
        return m_world.comesTo([this] { return m_world.client.isQuiet(); }) ? std::string() : waits("to begin");
    }

    [[nodiscard]] std::string go(const Json& step)
    {
        m_before = {m_world.provider.sessions, m_world.client.losses, m_world.costs, m_world.provider.answers};
        m_questions.clear();
        m_cut = 0;
        m_isSilencedLate = false;
        // What was told as lost excuses no turn but its own.
        m_world.client.audioLost = Milliseconds{0};
        if (std::string fault = act(step); !fault.empty()) {
            return fault;
        }
        Words expected = step.at("expect").get<Words>();
        expected.insert(expected.end(), m_always.begin(), m_always.end());
        for (const std::string& what : expected) {
            const std::string fault = faultOf(what);
            const bool isNever = std::find(m_never.begin(), m_never.end(), what) != m_never.end();
            if (isNever && fault.empty()) {
                return "is said to be impossible here, and is there: " + what;
            }
            if (!isNever && !fault.empty()) {
                return what + ": " + fault;
            }
        }
        m_world.client.forgetTurns();
        return {};
    }

    [[nodiscard]] std::string end()
    {
        for (const std::string& code : m_refuses) {
            const auto& refused = m_world.provider.refused;
            if (std::find(refused.begin(), refused.end(), code) == refused.end()) {
                return "never had to refuse " + code;
            }
        }
        m_world.client.stop();
        const bool isOver = m_world.comesTo([this] { return m_world.client.end().has_value(); });
        return isOver && !m_world.client.end()->error ? std::string() : waits("to end");
    }

private:
    struct Figures {
        int sessions = 0;
        int losses = 0;
        int costs = 0;
        int answers = 0;
    };

    [[nodiscard]] std::string waits(const std::string& what) const
    {
        std::string text = "waits without end " + what + ": " + m_world.client.standing();
        for (const std::string& code : m_world.provider.refused) {
            text += "; refused " + code;
        }
        return text;
    }

    [[nodiscard]] std::string act(const Json& step)
    {
        const std::string what = step.at("do");
        const int number = step.value("question", 0);
        m_world.losesWhen = step.value("lost when", std::string());
        if (what == "speak" || what == "type") {
            return ask(number, what == "speak", step.value("lost after ms", -1));
        }
        if (what == "talk") {
            return talk(number, step.at("turns"));
        }
        if (what == "speak over" || what == "lose in reply") {
            return cutShort(number, step.at("next"), what == "speak over");
        }
        if (what == "stop") {
            m_world.stopsNext = true;
            m_cut = number;
            std::string fault = ask(number, false, -1);
            m_isSilencedLate = m_world.client.voice().isPlaying();
            return fault;
        }
        if (what == "lose") {
            m_world.transports.drop();
            return m_world.comesTo([this] { return m_world.client.isQuiet(); }) ? std::string() : waits("for it");
        }
        if (what == "wait") {
            m_world.executor.advance(std::chrono::seconds(step.at("seconds").get<int>()));
            return {};
        }
        return "nobody can " + what;
    }

    /// The network takes the connection away so much later; -1: it does not.
    [[nodiscard]] std::string ask(int number, bool isSpoken, int lostAfter)
    {
        m_questions.push_back(number);
        isSpoken ? m_world.client.speak(number) : m_world.client.type(number);
        if (lostAfter > 0) {
            m_world.executor.advance(Milliseconds{lostAfter});
        }
        if (lostAfter >= 0) {
            m_world.transports.drop();
        }
        const bool isThere = m_world.comesTo([&] {
            return m_world.client.isAnswered(number) && m_world.client.isWrittenDown(number)
                && m_world.client.isQuiet();
        });
        return isThere ? std::string() : waits("for the answer to " + std::to_string(number));
    }

    [[nodiscard]] std::string talk(int first, int turns)
    {
        for (int i = 0; i < turns; ++i) {
            const bool isEndless = turnKind(first + i) == TurnKind::Endless;
            std::string fault = isEndless ? std::string() : ask(first + i, i % 2 == 0, -1);
            if (!fault.empty()) {
                return fault;
            }
        }
        return {};
    }

    /// Before an answer without an end is over, something else is said, or the connection is lost.
    [[nodiscard]] std::string cutShort(int number, int next, bool isSpokenOver)
    {
        m_cut = number;
        m_world.client.type(number);
        if (!m_world.comesTo([&] { return m_world.client.isBeingAnswered(number); })) {
            return waits("for a beginning of the answer to " + std::to_string(number));
        }
        if (!isSpokenOver) {
            m_world.transports.drop();
            return ask(next, false, -1);
        }
        m_world.client.speak(next);
        // The microphone gives out a first piece of it, and that is on its way.
        m_world.executor.advance(Milliseconds{110});
        m_isSilencedLate = m_world.client.voice().isPlaying();
        m_questions.push_back(next);
        const bool isThere =
            m_world.comesTo([&] { return m_world.client.isAnswered(next) && m_world.client.isQuiet(); });
        return isThere ? std::string() : waits("for the answer to " + std::to_string(next));
    }

    [[nodiscard]] std::string faultOf(const std::string& what) const
    {
        const ConversingClient& client = m_world.client;
        if (what == "answered") {
            return m_questions.empty() ? "nothing was asked" : faultOfAnswers();
        }
        if (what == "function ran once") {
            const auto& runs = client.toolRuns;
            return runs.size() == 1 && runs.begin()->second == 1 ? std::string() : "it did not";
        }
        if (what == "silenced at once") {
            return m_isSilencedLate ? "it is still heard" : std::string();
        }
        if (what == "marked as interrupted") {
            return client.isMarkedInterrupted(m_cut) ? client.faultOf(m_cut) : "it is not: " + client.standing();
        }
        if (what == "what was heard is told") {
            return m_world.provider.truncated.contains(m_cut) ? std::string() : "the provider does not know";
        }
        if (what == "cost told") {
            const int answers = m_world.provider.answers - m_before.answers;
            return answers > 0 && m_world.costs - m_before.costs >= answers ? std::string() : "it is not";
        }
        if (what == "nothing said") {
            return client.screen().empty() ? std::string() : client.standing();
        }
        if (what == "nothing said twice") {
            return m_world.provider.doubled.empty() ? std::string()
                                                    : "question " + std::to_string(m_world.provider.doubled.front());
        }
        return faultOfConnection(what);
    }

    [[nodiscard]] std::string faultOfConnection(const std::string& what) const
    {
        const ConversingClient& client = m_world.client;
        const int lost = client.losses - m_before.losses;
        const bool isLive = client.state().phase == Phase::Live;
        if (what == "connection kept") {
            return isLive && m_world.provider.sessions == m_before.sessions ? std::string() : "it was not";
        }
        if (what == "connection lost once") {
            return isLive && lost == 1 && m_world.provider.sessions == m_before.sessions + 1
                ? std::string()
                : "it was lost " + std::to_string(lost) + " times";
        }
        if (what == "no problem shown but losses") {
            const auto& problems = client.problems();
            const bool areLosses = std::all_of(problems.begin(), problems.end(),
                [](const Error& problem) { return problem.code == ErrorCode::ProviderClosed; });
            const bool isAll = areLosses && static_cast<int>(problems.size()) == lost;
            return isAll && !client.end() ? std::string() : client.standing();
        }
        if (what == "nothing refused") {
            for (const std::string& code : m_world.provider.refused) {
                if (std::find(m_refuses.begin(), m_refuses.end(), code) == m_refuses.end()) {
                    return code;
                }
            }
            return {};
        }
        return "nobody knows how to see that";
    }

    [[nodiscard]] std::string faultOfAnswers() const
    {
        for (const int number : m_questions) {
            if (std::string fault = m_world.client.faultOf(number); !fault.empty()) {
                return fault;
            }
        }
        return {};
    }

    Words m_always;
    Words m_never;
    Words m_refuses;
    ScenarioWorld m_world;
    Figures m_before;
    /// Of the step: the questions that are to be answered whole, and the one whose answer is cut short.
    std::vector<int> m_questions;
    int m_cut = 0;
    bool m_isSilencedLate = false;
};

} // namespace

/// One conversation, with what stands in for each provider: tests/scenarios/scenario.json.
class ScenariosTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void conversation_data()
    {
        QTest::addColumn<QString>("server");
        QTest::addColumn<unsigned>("input");
        QTest::addColumn<unsigned>("output");
        QTest::addColumn<bool>("isKnown");
        for (const auto& [name, kind] : kServers) {
            QTest::newRow(name.c_str()) << QString::fromStdString(name) << 24'000U << 24'000U << true;
        }
        QTest::newRow("openai, of other rates") << QStringLiteral("openai") << 16'000U << 48'000U << true;
        QTest::newRow("openai, by its greeting") << QStringLiteral("openai") << 48'000U << 16'000U << false;
        QTest::newRow("xai, of other rates") << QStringLiteral("xai") << 8'000U << 44'100U << true;
        QTest::newRow("speaches, which names none") << QStringLiteral("speaches") << 16'000U << 48'000U << true;
    }
    void conversation()
    {
        QFETCH(QString, server);
        QFETCH(unsigned, input);
        QFETCH(unsigned, output);
        QFETCH(bool, isKnown);
        const Json all = scenario();
        QVERIFY2(all.is_object() && all.at("servers").contains(server.toStdString()), "the file cannot be read");
        Run run(all, server.toStdString(), {{SampleRate{input}, SampleRate{output}}, isKnown});
        const std::string unbegun = run.begin();
        QVERIFY2(unbegun.empty(), unbegun.c_str());
        for (const Json& step : all.at("steps")) {
            const std::string fault = run.go(step);
            const std::string told = "step \"" + step.at("name").get<std::string>() + "\": " + fault;
            QVERIFY2(fault.empty(), told.c_str());
        }
        const std::string unended = run.end();
        QVERIFY2(unended.empty(), unended.c_str());
    }

    void everyServer_IsInTheFile() { QCOMPARE(scenario().at("servers").size(), kServers.size()); }
};

QTEST_GUILESS_MAIN(ScenariosTest)
#include "test_scenarios.moc"
