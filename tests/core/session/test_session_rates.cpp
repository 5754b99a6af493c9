#include "core/base/pcm.h"
#include "tests/core/session/story.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

constexpr SampleRate k8{8'000};
constexpr SampleRate k16{16'000};
constexpr SampleRate k48{48'000};

TokenPtr tokenOf(MonotonicTime now, VoiceRates rates, const std::string& dialect = "openai-ga")
{
    auto token = std::make_shared<AccessToken>(*makeToken(now));
    token->rates = rates;
    token->dialect = dialect;
    return token;
}

/// As far as the provider's first words.
void opens(Story& story, VoiceRates known, const std::string& dialect = "openai-ga")
{
    story.happens(session_event::Start{});
    story.happens(session_event::TokenArrived{tokenOf(story.clock.now(), known, dialect)});
    story.happens(session_event::Opened{});
}

openai::Session named(SampleRate input, SampleRate output)
{
    openai::Session session;
    session.inputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, input};
    session.outputFormat = openai::AudioFormat{openai::AudioEncoding::Pcm, output};
    return session;
}

openai::SessionCreated createdAt(SampleRate input, SampleRate output)
{
    return {{}, named(input, output), openai::Dialect::Ga};
}

openai::SessionUpdated updatedAt(SampleRate input, SampleRate output)
{
    openai::SessionUpdated updated;
    updated.session = named(input, output);
    return updated;
}

VoiceRates asked(const Story& story)
{
    const auto updates = story.sent<openai::SessionUpdate>();
    if (updates.size() != 1 || !updates[0].session.inputFormat || !updates[0].session.outputFormat) {
        return {SampleRate(), SampleRate()};
    }
    return {updates[0].session.inputFormat->rate, updates[0].session.outputFormat->rate};
}

/// Nothing: they stay as they are.
std::optional<VoiceRates> used(const Story& story)
{
    const auto all = story.all<session_effect::UseRates>();
    return all.empty() ? std::nullopt : std::optional(all.back().rates);
}

openai::AudioFormat telephone(openai::AudioEncoding encoding)
{
    return {encoding, k8};
}

/// Of a reply that sounds so.
std::vector<std::int16_t> played(Story& story, const Bytes& sound)
{
    openai::ResponseCreated created;
    created.response.id = "resp";
    story.says(created);
    story.says(openai::ResponseOutputAudioDelta{{}, "resp", "item", 0, 0, sound});
    const auto plays = story.all<session_effect::Play>();
    return plays.size() == 1 ? pcmSamples(plays[0].pcm) : std::vector<std::int16_t>();
}

std::size_t appended(const Story& story)
{
    std::size_t bytes = 0;
    for (const auto& append : story.sent<openai::InputAudioBufferAppend>()) {
        bytes += append.audio.size();
    }
    return bytes;
}

} // namespace

/// Sound at other rates than OpenAI's 24 kHz.
class SessionRatesTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void settings_AskForWhatTheBrokerKnows()
    {
        Story story;
        opens(story, {k16, k48});
        story.says(createdAt(kRealtimeRate, kRealtimeRate));
        QVERIFY(asked(story) == (VoiceRates{k16, k48}));
        QVERIFY(used(story) == (VoiceRates{k16, k48}));
        story.says(updatedAt(k16, k48));
        QVERIFY(!used(story));
        QVERIFY(story.told<session_notice::SettingDiffers>().empty());
        QCOMPARE(story.state.phase, Phase::Live);
    }

    void greeting_SaysWhatToAskFor_WhereTheBrokerKnowsNothing()
    {
        Story story;
        opens(story, {});
        story.says(createdAt(k16, k48));
        QVERIFY(asked(story) == (VoiceRates{k16, k48}));
        QVERIFY(used(story) == (VoiceRates{k16, k48}));
        // The next connection may be to another server.
        story.says(openai::SessionUpdated{});
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(asked(story) == VoiceRates());
        QVERIFY(used(story) == VoiceRates());
    }

    void serverThatGoesOnWithOthers_IsBelieved()
    {
        Story story;
        opens(story, {});
        story.says(openai::SessionCreated{});
        story.says(updatedAt(k16, k48));
        QVERIFY(used(story) == (VoiceRates{k16, k48}));
        // Nobody hears a difference.
        QVERIFY(story.told<session_notice::SettingDiffers>().empty());
        // And of a change that nobody has asked for.
        story.says(updatedAt(k48, k48));
        QVERIFY(used(story) == (VoiceRates{k48, k48}));
    }

    void serverThatGoesOnWithOthers_IsAskedForThemTheNextTime()
    {
        Story story;
        opens(story, {});
        story.says(openai::SessionCreated{});
        story.says(updatedAt(k16, k48));
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(asked(story) == (VoiceRates{k16, k48}));
        QVERIFY(!used(story));
        story.says(updatedAt(k16, k48));
        QVERIFY(!used(story));
        // Where formats are not to be asked for, the server has its own.
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        story.says(createdAt(kRealtimeRate, kRealtimeRate));
        auto refused = errorOf("invalid_value");
        refused.error.param = "session.audio.input.format.rate";
        story.says(refused);
        QVERIFY(used(story) == VoiceRates());
    }

    void otherServer_IsAskedForItsOwn()
    {
        Story story;
        opens(story, {});
        story.says(openai::SessionCreated{});
        story.says(updatedAt(k16, k48));
        story.happens(session_event::Closed{{4401, "token_expired"}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        auto other = std::make_shared<AccessToken>(*tokenOf(story.clock.now(), {}));
        other->url += "/elsewhere";
        story.happens(session_event::TokenArrived{other});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(asked(story) == VoiceRates());
        QVERIFY(used(story) == VoiceRates());
    }

    void answerThatComesLate_IsBelieved()
    {
        Story story;
        opens(story, {});
        story.says(openai::SessionCreated{});
        story.pong();
        story.happens(session_event::TimedOut{SessionTimer::Configured});
        QCOMPARE(story.state.phase, Phase::Live);
        story.says(updatedAt(kRealtimeRate, k48));
        QVERIFY(used(story) == (VoiceRates{kRealtimeRate, k48}));
    }

    void speechFromBeforeALateAnswer_IsSaidAgainAtTheRateThatItNames()
    {
        Story story;
        opens(story, {});
        story.says(openai::SessionCreated{});
        story.pong();
        story.happens(session_event::TimedOut{SessionTimer::Configured});
        for (int i = 0; i < 50; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(pcmBytesIn(Milliseconds{20}, kRealtimeRate), 0x40)});
        }
        story.says(updatedAt(k16, kRealtimeRate));
        for (int i = 0; i < 10; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(pcmBytesIn(Milliseconds{20}, k16), 0x40)});
        }
        story.happens(session_event::Closed{{1006, {}}});
        // A second, and what came behind it.
        QCOMPARE(story.state.heldAudioSize, pcmBytesIn(Milliseconds{1'200}, k16));
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        story.says(createdAt(k16, kRealtimeRate));
        story.says(openai::SessionUpdated{});
        QCOMPARE(appended(story), pcmBytesIn(Milliseconds{1'200}, k16));
        for (const auto& append : story.sent<openai::InputAudioBufferAppend>()) {
            QVERIFY(append.audio.size() <= pcmBytesIn(Milliseconds{100}, k16));
        }
    }

    void beta_NamesNoRate_AndLeavesTheBrokersWord()
    {
        Story story;
        opens(story, {k16, k48}, "openai-beta");
        const openai::AudioFormat pcm16{openai::AudioEncoding::Pcm, SampleRate()};
        openai::Session session;
        session.inputFormat = session.outputFormat = pcm16;
        story.says(openai::SessionCreated{{}, session, openai::Dialect::Beta});
        QVERIFY(used(story) == (VoiceRates{k16, k48}));
        openai::SessionUpdated updated;
        updated.session = session;
        story.says(updated);
        QVERIFY(!used(story));
        QVERIFY(story.told<session_notice::SettingDiffers>().empty());
    }

    void otherEncoding_IsTold_AndFollowedAtItsRate()
    {
        Story story;
        opens(story, {});
        story.says(openai::SessionCreated{});
        openai::SessionUpdated updated;
        updated.session.outputFormat = telephone(openai::AudioEncoding::Pcmu);
        story.says(updated);
        QVERIFY(used(story) == (VoiceRates{kRealtimeRate, k8}));
        QCOMPARE(story.told<session_notice::SettingDiffers>().size(), std::size_t{1});
        // The loudest codes there are, and silence: as PCM they would be noise.
        QCOMPARE(played(story, {0x00, 0x80, 0xFF}), (std::vector<std::int16_t>{-32'124, 32'124, 0}));
        QCOMPARE(story.state.replyItems.at(0).bytes, std::size_t{6});
        // And where the server changes its mind.
        story.says(updatedAt(k16, k16));
        QVERIFY(used(story) == (VoiceRates{k16, k16}));
        QVERIFY(story.state.server.encodings == SoundEncodings());
    }

    void encodingOfTheGreeting_CountsWhereTheSettingsAreNotTaken_data()
    {
        QTest::addColumn<int>("answer");
        QTest::newRow("none") << 0;
        QTest::newRow("they are refused as a whole") << 1;
        QTest::newRow("the formats are refused") << 2;
    }
    void encodingOfTheGreeting_CountsWhereTheSettingsAreNotTaken()
    {
        QFETCH(int, answer);
        Story story;
        opens(story, {});
        openai::SessionCreated created = createdAt(k16, k16);
        created.session.inputFormat = created.session.outputFormat = telephone(openai::AudioEncoding::Pcma);
        story.says(created);
        // First it is asked for what we speak.
        QVERIFY(asked(story) == VoiceRates());
        QVERIFY(story.state.server.encodings == SoundEncodings());
        if (answer == 0) {
            story.pong();
            story.happens(session_event::TimedOut{SessionTimer::Configured});
        } else {
            auto refused = errorOf("invalid_value");
            refused.error.param = answer == 1 ? "session.instructions" : "session.audio.input.format";
            story.says(refused);
        }
        QVERIFY(used(story) == (VoiceRates{k8, k8}));
        if (answer == 2) {
            story.says(openai::SessionUpdated{});
        }
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.state.server.encodings.input, openai::AudioEncoding::Pcma);
        QCOMPARE(played(story, {0xD5, 0xAA}), (std::vector<std::int16_t>{8, 32'256}));
    }

    void formatsThatAreRefused_LeaveTheServersOwn()
    {
        Story story;
        opens(story, {k16, k48});
        story.says(createdAt(kRealtimeRate, kRealtimeRate));
        QVERIFY(used(story) == (VoiceRates{k16, k48}));
        auto refused = errorOf("invalid_value");
        refused.error.param = "session.audio.input.format.rate";
        story.says(refused);
        QVERIFY(story.state.leftOut.contains(Setting::Formats));
        QVERIFY(used(story) == VoiceRates());
        QVERIFY(!story.sent<openai::SessionUpdate>().at(0).session.inputFormat);
    }

    void speechFromBeforeTheConnection_IsSentAtTheProvidersRate()
    {
        Story story;
        opens(story, {k16, k48});
        for (int i = 0; i < 50; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(960, 1)});
        }
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(appended(story), pcmBytesIn(Milliseconds{1'000}, k16));
        for (const auto& append : story.sent<openai::InputAudioBufferAppend>()) {
            QVERIFY(append.audio.size() <= pcmBytesIn(Milliseconds{100}, k16) && append.audio.size() % 2 == 0);
        }
        QCOMPARE(story.state.backlog, Milliseconds{1'000});
    }

    void keptSpeech_IsTenSecondsOfItsRate()
    {
        Story story;
        opens(story, {k48, k48});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        story.happens(session_event::Closed{{1006, {}}});
        for (int i = 0; i < 120; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(9'600, 0x40)});
        }
        QCOMPARE(story.state.heldAudioSize, pcmBytesIn(Milliseconds{10'000}, k48));
        QCOMPARE(story.state.lostAudio, Milliseconds{2'000});
    }

    void cutReply_IsTruncatedByTheTimeThatItTook()
    {
        Story story;
        opens(story, {k16, k48});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        openai::ResponseCreated created;
        created.response.id = "resp";
        story.says(created);
        // A second.
        story.says(openai::ResponseOutputAudioDelta{{}, "resp", "item", 0, 0, Bytes(96'000)});
        openai::ResponseOutputAudioTranscriptDelta words;
        words.responseId = "resp";
        words.itemId = "item";
        words.delta = "0123456789";
        story.says(words);
        story.happens(session_event::Interrupt{});
        story.happens(session_event::PlaybackCut{{"item", 0, Milliseconds{400}, false}});
        const auto truncated = story.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncated.size(), std::size_t{1});
        QCOMPARE(truncated[0].audioEndMs, std::int64_t{400});
        QCOMPARE(story.state.log.find("item")->heardBytes, std::optional<std::size_t>(4));
    }

    void cutReply_IsNeverTruncatedBehindWhatHasCome()
    {
        Story story;
        opens(story, {k16, k48});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        openai::ResponseCreated created;
        created.response.id = "resp";
        story.says(created);
        story.says(openai::ResponseOutputAudioDelta{{}, "resp", "item", 0, 0, Bytes(96'000)});
        story.happens(session_event::Interrupt{});
        story.happens(session_event::PlaybackCut{{"item", 0, Milliseconds{1'700}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().at(0).audioEndMs, std::int64_t{1'000});
    }

    void heldTurn_IsCountedAtItsRate()
    {
        Story story;
        story.happens(session_event::TurnsByHand{true});
        opens(story, {k16, k48});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        story.happens(session_event::TalkHeld{true});
        // 99 ms are nothing, and 100 ms a turn.
        story.happens(session_event::AudioCaptured{Bytes(99 * 32, 0x40)});
        story.happens(session_event::TalkHeld{false});
        story.happens(session_event::TimedOut{SessionTimer::TurnEnd});
        QVERIFY(story.sent<openai::InputAudioBufferCommit>().empty());
        story.happens(session_event::TalkHeld{true});
        story.happens(session_event::AudioCaptured{Bytes(100 * 32, 0x40)});
        story.happens(session_event::TalkHeld{false});
        story.happens(session_event::TimedOut{SessionTimer::TurnEnd});
        QCOMPARE(story.sent<openai::InputAudioBufferCommit>().size(), std::size_t{1});
        QCOMPARE(story.told<session_notice::SpeechStopped>().at(0).audioEnd, Milliseconds{199});
    }

    void gemini_IsSpokenToAtItsOwn()
    {
        Story story;
        opens(story, {k16, k48}, "gemini");
        story.says(openai::SessionCreated{});
        QVERIFY(!used(story));
    }
};

QTEST_GUILESS_MAIN(SessionRatesTest)
#include "test_session_rates.moc"
