#include "tests/core/session/story.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

/// What people report of voice clients elsewhere, by their own words for it, as far as no other test is about it.
class KnownSymptomsTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void keepalivePingTimeout1011_IsSurvivedWithTheConversation()
    {
        Story story;
        story.goLive();
        openai::InputAudioTranscriptionCompleted words;
        words.itemId = "item_u";
        words.transcript = "hello";
        story.says(words);
        story.happens(session_event::Closed{{1011, "keepalive ping timeout"}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.opens();
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.sent<openai::ConversationItemCreate>().at(0).item.content.at(0).text, std::string("hello"));
    }

    void audioContentIsAlreadyShorter_IsNotProvoked()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.says(openai::InputAudioBufferSpeechStarted{});
        // A device that tells more than it was given.
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{55'960}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().at(0).audioEndMs, std::int64_t{100});
    }

    void audioContentIsAlreadyShorter_DoesNotStallTheTurn()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{50}, false}});
        openai::ErrorEvent late = errorOf({}, "Audio content of 40ms is already shorter than 50ms");
        late.error.eventId = story.sent<openai::ConversationItemTruncate>().at(0).eventId;
        story.says(late);
        QVERIFY(story.effects.empty());
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        story.says(openai::InputAudioBufferSpeechStopped{});
        story.replyBegins("resp_2");
        QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
        // A race says nothing of what the server can do.
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.happens(session_event::PlaybackCut{{"item_resp_2", 0, Milliseconds{50}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().size(), std::size_t{1});
    }

    void responseCancelNotActive_IsNotProvoked()
    {
        Story story;
        story.goLive();
        story.happens(session_event::Interrupt{});
        QVERIFY(story.sent<openai::ResponseCancel>().empty());
        story.replyBegins();
        story.happens(session_event::Interrupt{});
        QCOMPARE(story.sent<openai::ResponseCancel>().at(0).responseId, std::optional<std::string>("resp_1"));
        story.happens(session_event::Interrupt{});
        QVERIFY2(story.sent<openai::ResponseCancel>().empty(), "once is enough");
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        story.happens(session_event::Interrupt{});
        QVERIFY(story.sent<openai::ResponseCancel>().empty());
    }

    void conversationAlreadyHasActiveResponse_OfWhichNobodyHeard_IsAskedForAgainInTheEnd()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"hello"});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        story.says(errorOf("conversation_already_has_active_response"));
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        QCOMPARE(story.state.activity, Activity::Thinking);
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void voiceUpdateIgnored_KeepsTheRestOfTheUpdate_data()
    {
        QTest::addColumn<std::string>("param");
        QTest::addColumn<std::string>("code");
        QTest::newRow("by its field") << std::string("session.audio.output.voice") << std::string("invalid_value");
        QTest::newRow("by its code") << std::string() << std::string("cannot_update_voice");
    }
    void voiceUpdateIgnored_KeepsTheRestOfTheUpdate()
    {
        QFETCH(std::string, param);
        QFETCH(std::string, code);
        SessionOptions options;
        options.instructions = "Be brief.";
        options.voice = "nobody";
        options.transcriptionModel = "scribe";
        options.tools.push_back({"get_weather", std::nullopt, std::nullopt});
        Story story(options);
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.voice.has_value());
        openai::ErrorEvent refused = errorOf(code);
        refused.error.param = param;
        story.says(refused);
        const openai::Session session = story.sent<openai::SessionUpdate>().at(0).session;
        QVERIFY(!session.voice.has_value());
        QVERIFY(session.tools.has_value());
        QVERIFY(session.transcription.hasValue());
        QCOMPARE(session.instructions, std::optional<std::string>("Be brief."));
        QCOMPARE(story.told<session_notice::Problem>().size(), std::size_t{1});
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.state.phase, Phase::Live);
        story.reconnects();
        QVERIFY(story.told<session_notice::Problem>().empty());
    }

    void transcriptionUpdateIgnored_WaitsForNoWords()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        openai::ErrorEvent refused = errorOf("model_not_available");
        refused.error.param = "session.audio.input.transcription.model";
        story.says(refused);
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.transcription.isAbsent());
        story.says(openai::SessionUpdated{});
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.says(openai::InputAudioBufferSpeechStopped{});
        story.replyBegins();
        QVERIFY(story.state.speech.isWrittenDown());
    }

    void userTranscriptMissing_FailedToBeWritten_KeepsItsPlaceAndIsTold()
    {
        Story story;
        story.goLive();
        story.says(openai::InputAudioBufferCommitted{{}, "item_u", std::nullopt});
        story.replyBegins();
        story.says(openai::ResponseOutputAudioTranscriptDone{{}, "resp_1", "item_resp_1", 0, 0, "Sure."});
        openai::InputAudioTranscriptionFailed failed;
        failed.itemId = "item_u";
        failed.error.code = "audio_unintelligible";
        story.says(failed);
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.foreignCode, std::string("audio_unintelligible"));
        const auto& entries = story.state.log.entries();
        QCOMPARE(entries.size(), std::size_t{2});
        QCOMPARE(entries[0].itemId, std::string("item_u"));
        QVERIFY(entries[0].isFinal);
        // Late pieces do not open it again.
        story.says(openai::InputAudioTranscriptionDelta{{}, "item_u", 0, "uh", {}});
        QVERIFY(story.told<session_notice::TranscriptChanged>().empty());
        story.replyEnds();
        QVERIFY(story.state.reply.isFree());
    }

    void silentAfterSleep_IsFoundOutByPings_AndNotByTheHoursThatWentBy()
    {
        Story story;
        story.goLive();
        story.pong();
        story.clock.advance(Milliseconds{8 * 3'600'000});
        story.happens(session_event::TimedOut{SessionTimer::Liveness});
        QCOMPARE(story.state.phase, Phase::Live);
        story.pong();
        QCOMPARE(story.state.phase, Phase::Live);
        for (int second = 0; second < 30; ++second) {
            QCOMPARE(story.state.phase, Phase::Live);
            story.happens(session_event::TimedOut{SessionTimer::Liveness});
        }
        QCOMPARE(story.state.phase, Phase::Waiting);
    }
};

QTEST_GUILESS_MAIN(KnownSymptomsTest)
#include "test_known_symptoms.moc"
