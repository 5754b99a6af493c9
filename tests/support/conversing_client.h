#pragma once

#include "core/session/session_runner.h"
#include "core/token/broker_token_source.h"
#include "tests/support/numbered_turns.h"

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::tests {

/// Ears and mouth of somebody who asks numbered questions. What is played is heard at once, but for answers that do not end: of those one half
/// of what has come.
class NumberedVoice final : public core::VoiceIo {
public:
    NumberedVoice(core::Executor& executor, core::Milliseconds every) : m_executor(executor), m_every(every) {}

    void useRates(const core::VoiceRates& rates) override { m_rates = rates; }
    void start(core::VoiceListener& listener) override { m_listener = &listener; }
    void stop() override;
    void play(std::string_view itemId, int contentIndex, std::span<const std::int16_t> samples) override;
    void finishItem(std::string_view itemId) override;
    core::HeardAudio interrupt() override;
    [[nodiscard]] bool isPlaying() const override { return !m_playing.empty(); }

    /// The microphone is open from now on: first that question, then silence.
    void speak(int number);
    /// It picks nothing up any more.
    void fallSilent() { m_microphone.reset(); }

    /// What share of an item was heard: 1 for one that was heard to its end; nothing for one that was never played.
    [[nodiscard]] std::optional<double> heardOf(const std::string& itemId) const;
    void forget() { m_heard.clear(); }

private:
    struct Playing {
        std::string itemId;
        int contentIndex = 0;
        std::size_t samples = 0;
        bool isFinished = false;
    };
    void capture();
    void drain();

    core::Executor& m_executor;
    core::Milliseconds m_every;
    core::VoiceListener* m_listener = nullptr;
    core::VoiceRates m_rates;
    std::deque<Playing> m_playing;
    std::map<std::string, double> m_heard;
    std::unique_ptr<core::Timer> m_microphone;
    int m_speaking = 0;
    int m_piecesLeft = 0;
    std::shared_ptr<NumberedVoice*> m_self = std::make_shared<NumberedVoice*>(this);
};

/// A client as the programs put it together, with somebody in front of it who counts.
class ConversingClient final : private core::SessionObserver, private core::ToolRunner {
public:
    struct Dependencies {
        core::HttpClient& http;
        core::TransportFactory& transports;
        const core::Clock& clock;
        core::Executor& executor;
        std::string brokerUrl;
        core::CredentialPtr credential;
        core::SessionOptions options;
        /// Between two pieces of 100 ms of the microphone.
        core::Milliseconds microphoneEvery{100};
    };

    explicit ConversingClient(Dependencies dependencies);
    ~ConversingClient() override;

    void start() { m_runner.start(); }
    void stop() { m_runner.stop(); }
    void type(int number) { m_runner.say(questionText(number)); }
    void speak(int number) { m_voice.speak(number); }
    void interrupt() { m_runner.interrupt(); }

    [[nodiscard]] const core::SessionState& state() const { return m_runner.state(); }
    [[nodiscard]] bool isQuiet() const;
    /// There is an answer to it on the screen, whole or as far as it was heard.
    [[nodiscard]] bool isAnswered(int number) const;
    /// So is the question, or it has been told that something is lost.
    [[nodiscard]] bool isWrittenDown(int number) const;
    /// Of the answer to it only a part was heard, and it is marked so.
    [[nodiscard]] bool isMarkedInterrupted(int number) const;
    /// It is being heard.
    [[nodiscard]] bool isBeingAnswered(int number) const;
    /// What is wrong with that turn, in words; empty: nothing.
    [[nodiscard]] std::string faultOf(int number) const;
    /// The broker does not let it in.
    [[nodiscard]] bool isRefused() const;
    /// Where it is, what is on the screen, and what it has told as problems: for those who ask why it stays there.
    [[nodiscard]] std::string standing() const;
    /// The turns so far are of no interest any more.
    void forgetTurns();

    [[nodiscard]] const std::vector<core::ConversationEntry>& screen() const { return m_screen; }
    [[nodiscard]] NumberedVoice& voice() { return m_voice; }
    [[nodiscard]] const std::vector<core::Error>& problems() const { return m_problems; }
    [[nodiscard]] const std::optional<core::session_notice::Ended>& end() const { return m_end; }

    int tokenFetches = 0;
    int tokens = 0;
    /// That came though the one before had not come near its time.
    int earlyTokens = 0;
    int handOvers = 0;
    int losses = 0;
    core::Milliseconds audioLost{0};
    /// Functions that ran to their end, by the question that they were for.
    std::map<std::string, int> toolRuns;
    /// All that it is told, for others who listen.
    std::function<void(const core::SessionNotice&)> listener;

private:
    void sessionTold(const core::SessionNotice& notice) override;
    void replyTook(const core::ReplyLatency&) override {}
    void run(const core::ToolCall& call, Callback done) override;
    void cancel(const std::string& callId) override { m_tools.erase(callId); }
    void cancelAll() override { m_tools.clear(); }
    void show(const core::session_notice::TranscriptChanged& changed);
    [[nodiscard]] std::vector<const core::ConversationEntry*> entries(core::Speaker speaker, int number) const;

    const core::Clock& m_clock;
    core::Executor& m_executor;
    NumberedVoice m_voice;
    std::optional<core::MonotonicTime> m_renewalAt;
    std::map<std::string, std::shared_ptr<Callback>> m_tools;
    std::vector<core::ConversationEntry> m_screen;
    std::vector<core::Error> m_problems;
    std::optional<core::session_notice::Ended> m_end;
    core::BrokerTokenSource m_broker;
    core::CachingTokenSource m_tokens;
    core::SessionRunner m_runner;
};

} // namespace vivavoce::tests
