#include "tests/core/session/story.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

/// What is said, heard, answered and asked for, while there is a connection.
class SessionMachineTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void connected_IsShownOnlyOnceTheProviderSaysSo()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        QCOMPARE(story.state.phase, Phase::Starting);
        story.says(openai::SessionCreated{});
        QCOMPARE(story.state.phase, Phase::Configuring);
        const auto updates = story.sent<openai::SessionUpdate>();
        QCOMPARE(updates.size(), std::size_t{1});
        QVERIFY(updates[0].session.turnDetection.hasValue());
        QVERIFY(updates[0].session.transcription.hasValue());
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.state.phase, Phase::Live);
        QVERIFY(story.all<session_effect::StartVoice>().empty());
    }

    void microphone_IsOpenFromTheStart_AndWhatItHeardIsSentInOrder()
    {
        Story story;
        story.happens(session_event::Start{});
        QCOMPARE(story.all<session_effect::StartVoice>().size(), std::size_t{1});
        story.happens(session_event::AudioCaptured{Bytes(4, 1)});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::AudioCaptured{Bytes(4, 2)});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.happens(session_event::AudioCaptured{Bytes(4, 3)});
        QVERIFY(story.sent<openai::InputAudioBufferAppend>().empty());
        story.says(openai::SessionUpdated{});
        const auto sent = story.sent<openai::InputAudioBufferAppend>();
        QCOMPARE(sent.size(), std::size_t{3});
        for (std::size_t i = 0; i < sent.size(); ++i) {
            QCOMPARE(sent[i].audio, Bytes(4, static_cast<std::uint8_t>(i + 1)));
        }
        QVERIFY(story.all<session_effect::StartVoice>().empty());
    }

    void recording_BeginsWhenTheProviderCanHearIt()
    {
        Story story(false);
        story.happens(session_event::Start{});
        QVERIFY(story.all<session_effect::StartVoice>().empty());
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(story.all<session_effect::StartVoice>().empty());
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.all<session_effect::StartVoice>().size(), std::size_t{1});
    }

    void wordsTypedWhileConnecting_AreShownAtOnceAndAnsweredOnce()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TextEntered{"one"});
        QCOMPARE(story.told<session_notice::TranscriptChanged>().size(), std::size_t{1});
        story.happens(session_event::TextEntered{"two"});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        const auto items = story.sent<openai::ConversationItemCreate>();
        QCOMPARE(items.size(), std::size_t{2});
        QCOMPARE(items[0].item.content[0].text.value(), std::string("one"));
        QCOMPARE(items[1].item.content[0].text.value(), std::string("two"));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void settingsNeverConfirmed_GoesOnWithANotice()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        QCOMPARE(story.all<session_effect::Ping>().size(), std::size_t{1});
        story.pong();
        story.says(openai::SessionCreated{});
        story.happens(session_event::TimedOut{SessionTimer::Configured});
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.told<session_notice::Problem>().size(), std::size_t{1});
    }

    void neitherSettingsNorPingsAnswered_IsADeadConnectionTheFirstTime()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        const auto isSilentAfterItsGreeting = [&] {
            story.happens(session_event::Opened{});
            story.says(openai::SessionCreated{});
            story.happens(session_event::TimedOut{SessionTimer::Configured});
        };
        isSilentAfterItsGreeting();
        QCOMPARE(story.state.phase, Phase::Waiting);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::ProviderSilent);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        isSilentAfterItsGreeting();
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.told<session_notice::Problem>().size(), std::size_t{1});
    }

    void speechWhileConnecting_IsKeptAndSentInOrder()
    {
        Story story;
        story.happens(session_event::Start{});
        story.happens(session_event::AudioCaptured{Bytes(960, 1)});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::AudioCaptured{Bytes(960, 2)});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        const auto appends = story.sent<openai::InputAudioBufferAppend>();
        QCOMPARE(appends.size(), std::size_t{2});
        QCOMPARE(int(appends[0].audio[0]), 1);
        QCOMPARE(int(appends[1].audio[0]), 2);
        QVERIFY(story.told<session_notice::AudioLost>().empty());
    }

    void speechBeyondTenSeconds_LosesTheOldestAndSaysSo()
    {
        Story story;
        story.happens(session_event::Start{});
        for (int i = 0; i < 600; ++i) {
            story.happens(session_event::AudioCaptured{Bytes(960, 64)});
        }
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.sent<openai::InputAudioBufferAppend>().size(), std::size_t{500});
        QCOMPARE(story.told<session_notice::AudioLost>().at(0).amount, Milliseconds{2000});
    }

    void userSpeaksOverAReply_CutsItAndTellsWhatWasHeard()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        QCOMPARE(story.state.activity, Activity::Speaking);
        story.says(openai::InputAudioBufferSpeechStarted{});
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        // The provider cancels by itself; a second cancel would only be an error.
        QVERIFY(story.sent<openai::ResponseCancel>().empty());
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{73}, false}});
        const auto truncates = story.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncates.size(), std::size_t{1});
        QCOMPARE(truncates[0].itemId, std::string("item_resp_1"));
        QCOMPARE(truncates[0].audioEndMs, std::int64_t{73});
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_resp_1", 0, 0, Bytes(480)});
        QVERIFY(story.all<session_effect::Play>().empty());
        QCOMPARE(story.state.activity, Activity::HearingUser);
    }

    void interruptedReply_KnowsAboutHowFarItWasHeard()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        // 1000 ms of speech in all, half of which is played.
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_resp_1", 0, 0, Bytes(48'000 - 4'800)});
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_resp_1", 0, 0, "one two three four"});
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{500}, false}});
        const ConversationEntry* entry = story.state.log.find("item_resp_1");
        QVERIFY(entry != nullptr && entry->wasInterrupted);
        QCOMPARE(entry->text.substr(0, entry->heardBytes.value()), std::string("one two"));
    }

    void interruptedReply_IsToldToTheNextSessionAsFarAsItWasHeard()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_resp_1", 0, 0, Bytes(48'000 - 4'800)});
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_resp_1", 0, 0, "one two three four"});
        story.happens(session_event::Interrupt{});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{500}, false}});
        // Another one, of which nothing was heard.
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        story.replyBegins("resp_2");
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_2", "item_resp_2", 0, 0, "five six"});
        story.happens(session_event::Interrupt{});
        story.happens(session_event::PlaybackCut{{"item_resp_2", 0, Milliseconds{0}, false}});
        story.reconnects();
        const auto items = story.sent<openai::ConversationItemCreate>();
        QCOMPARE(items.size(), std::size_t{1});
        QCOMPARE(items[0].item.content[0].text.value(), std::string("one two"));
    }

    void emptyOrHalfASample_IsNotSpeaking()
    {
        Story story;
        story.goLive();
        openai::ResponseCreated created;
        created.response.id = "resp_1";
        story.says(created);
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes{}});
        QVERIFY(story.all<session_effect::Play>().empty());
        QCOMPARE(story.state.activity, Activity::Thinking);
        // Half a sample waits for its other half.
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(1)});
        QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
        QCOMPARE(story.state.activity, Activity::Thinking);
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_1", 0, 0, Bytes(1)});
        QCOMPARE(story.state.activity, Activity::Speaking);
    }

    void soundFarFasterThanItIsHeard_IsRefusedAndCut()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        const Bytes minute(std::size_t{60} * 24'000 * 2);
        const auto more = [&] {
            story.says(openai::ResponseOutputAudioDelta{{}, "resp_1", "item_resp_1", 0, 0, minute});
        };
        for (int i = 0; i < 14; ++i) {
            more();
        }
        // What has been heard meanwhile waits no longer.
        story.clock.advance(Milliseconds{60'000});
        more();
        QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
        more();
        QVERIFY(story.all<session_effect::Play>().empty());
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ResponseCancel>().size(), std::size_t{1});
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::ProviderMalformed);
        story.happens(session_event::PlaybackCut{});
        more();
        QVERIFY(story.all<session_effect::Play>().empty());
        QVERIFY(story.told<session_notice::Problem>().empty());
        // The next one begins anew.
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        story.replyBegins("resp_2");
        QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
    }

    void replyHeardToItsEnd_IsNotTruncated()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{730}, true}});
        QVERIFY(story.sent<openai::ConversationItemTruncate>().empty());
    }

    void stopButton_BeforeTheReplyHasAnId_CancelsItWhenItComes()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"tell me everything"});
        story.happens(session_event::Interrupt{});
        QVERIFY(story.sent<openai::ResponseCancel>().empty());
        openai::ResponseCreated created;
        created.response.id = "resp_9";
        story.says(created);
        QCOMPARE(story.sent<openai::ResponseCancel>().at(0).responseId, std::optional<std::string>("resp_9"));
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_9", "item_9", 0, 0, Bytes(480)});
        QVERIFY(story.all<session_effect::Play>().empty());
    }

    void typedDuringAReply_WaitsForItsEndBeforeAskingAgain()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.happens(session_event::TextEntered{"no, the other one"});
        QCOMPARE(story.sent<openai::ResponseCancel>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void activeResponseError_AsksAgainAfterThatOneIsDone()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"hello"});
        story.says(errorOf("conversation_already_has_active_response"));
        QVERIFY(story.told<session_notice::Problem>().empty());
        story.replyBegins("resp_own");
        story.replyEnds("resp_own");
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void functionCalls_AreAllAnsweredBeforeOneReply()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        openai::ResponseDone done;
        done.response.id = "resp_1";
        done.response.status = openai::ResponseStatus::Completed;
        for (const char* id : {"call_1", "call_2"}) {
            openai::Item call;
            call.type = openai::ItemType::FunctionCall;
            call.callId = id;
            call.name = "get_weather";
            call.arguments = "{}";
            done.response.output.push_back(call);
        }
        story.says(done);
        QCOMPARE(story.all<session_effect::RunTool>().size(), std::size_t{2});
        story.happens(session_event::PlaybackDrained{});
        QCOMPARE(story.state.activity, Activity::RunningTool);
        story.happens(session_event::ToolAnswered{"call_2", std::string("{\"temperature\":21}")});
        QCOMPARE(story.sent<openai::ConversationItemCreate>().at(0).item.callId, std::string("call_2"));
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        story.happens(session_event::ToolAnswered{"call_2", std::string("again")});
        QVERIFY(story.effects.empty());
        story.happens(session_event::ToolAnswered{"call_1", fail(ErrorCode::ToolFailed, "secret path in here")});
        QCOMPARE(
            story.sent<openai::ConversationItemCreate>().at(0).item.output, std::string("{\"error\":\"tool.failed\"}"));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void functionCall_ThatDoesNotFit_IsToldWhy()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.happens(session_event::ToolAnswered{"call_1", fail(ErrorCode::ToolArguments, "city is missing")});
        QCOMPARE(story.sent<openai::ConversationItemCreate>().at(0).item.output,
            std::string(R"({"error":"tool.arguments","message":"city is missing"})"));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void functionsThatABrokerLocks_AreLeftOutOfTheSettings()
    {
        Story story;
        SessionOptions options;
        options.transcriptionModel = "writer";
        options.tools.push_back({"get_weather", std::nullopt, std::nullopt});
        story.state.options = std::make_shared<const SessionOptions>(options);
        story.happens(session_event::Start{});
        story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.tools.has_value());
        openai::ErrorEvent refused;
        refused.error.type = "invalid_request_error";
        refused.error.code = "locked_by_policy";
        refused.error.param = "session.tools";
        story.says(refused);
        QCOMPARE(story.sent<openai::SessionUpdate>().size(), std::size_t{1});
        QVERIFY(!story.sent<openai::SessionUpdate>().at(0).session.tools.has_value());
        QVERIFY(story.sent<openai::SessionUpdate>().at(0).session.transcription.hasValue());
        QCOMPARE(story.state.phase, Phase::Configuring);
        QCOMPARE(story.all<session_effect::Tell>().empty(), false);
        // Something else is locked, too: as it always was.
        refused.error.param = "session.instructions";
        story.says(refused);
        QVERIFY(story.sent<openai::SessionUpdate>().empty());
        QCOMPARE(story.state.phase, Phase::Live);
    }

    void interruption_StopsTheFunctions_AndAnswersThemWithoutAReply()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.happens(session_event::Interrupt{});
        QCOMPARE(story.all<session_effect::CancelTools>().size(), std::size_t{1});
        QCOMPARE(
            story.sent<openai::ConversationItemCreate>().at(0).item.output, std::string("{\"error\":\"cancelled\"}"));
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        QCOMPARE(story.state.activity, Activity::Listening);
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QVERIFY(story.effects.empty());
    }

    void functionResult_WhileTheUserSpeaks_IsAnsweredWithTheirTurn()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QVERIFY2(story.sent<openai::ResponseCreate>().empty(), "the agent talks over the user");
        story.says(openai::InputAudioBufferSpeechStopped{});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        // The provider's own reply to the turn goes by the result: nothing more is to be said about it.
        story.replyBegins("resp_own");
        story.replyEnds("resp_own");
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        QVERIFY(!story.state.tools.wantsReply);
    }

    void functionResult_OfATurnThatNobodyAnswers_IsAskedFor()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.says(openai::InputAudioBufferSpeechStopped{});
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void refusedRequest_IsToldAndTheNextOneIsFree()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"hello"});
        const std::string id = story.sent<openai::ResponseCreate>().at(0).eventId;
        QVERIFY(!id.empty());
        auto refusal = errorOf("rate_limit_exceeded");
        refusal.error.eventId = "somebody_elses";
        story.says(refusal);
        QVERIFY2(!story.state.reply.isFree(), "it was not about the reply");
        refusal.error.eventId = id;
        story.says(refusal);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::RateLimited);
        QCOMPARE(story.told<session_notice::ReplyEnded>().at(0).wasCompleted, false);
        QVERIFY(story.state.reply.isFree());
        QCOMPARE(story.state.activity, Activity::Listening);
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.state.phase, Phase::Live);
        story.happens(session_event::TextEntered{"again"});
        const auto requests = story.sent<openai::ResponseCreate>();
        QCOMPARE(requests.size(), std::size_t{1});
        QVERIFY(requests[0].eventId != id);
    }

    void replyThatSaysNothing_IsCountedAsAnAnswer()
    {
        Story story;
        story.goLive();
        openai::ResponseCreated created;
        created.response.id = "resp_1";
        story.says(created);
        story.replyEnds();
        QCOMPARE(story.told<session_notice::ReplyEnded>().at(0).isAnswer, true);
    }

    void lateEndOfACancelledReply_DoesNotStopTheWaitForTheNext()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.says(openai::InputAudioBufferSpeechStopped{});
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        const auto stops = story.all<session_effect::StopTimer>();
        QVERIFY(std::none_of(
            stops.begin(), stops.end(), [](const auto& stop) { return stop.timer == SessionTimer::Reply; }));
        const auto starts = story.all<session_effect::StartTimer>();
        QVERIFY(std::any_of(
            starts.begin(), starts.end(), [](const auto& start) { return start.timer == SessionTimer::Reply; }));
    }

    void announcedEnd_OutlivesAPong()
    {
        Story story;
        story.goLive();
        story.says(errorOf("session_expired"));
        story.pong();
        story.happens(session_event::Closed{{1000, {}}});
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::SessionExpired);
    }

    void answer_IsAReplyThatCallsNothing()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        QCOMPARE(story.told<session_notice::ReplyEnded>().at(0).isAnswer, false);
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        story.replyBegins("resp_2");
        story.replyEnds("resp_2");
        QCOMPARE(story.told<session_notice::ReplyEnded>().at(0).isAnswer, true);
        // Written, and all at once.
        openai::ResponseCreated created;
        created.response.id = "resp_3";
        story.says(created);
        story.says(openai::ResponseOutputTextDone{{}, "resp_3", "item_3", 0, 0, "Sunny."});
        QCOMPARE(story.told<session_notice::ReplyStarted>().size(), std::size_t{1});
        story.replyEnds("resp_3");
        QCOMPARE(story.told<session_notice::ReplyEnded>().at(0).isAnswer, true);
    }

    void functionCallOfACancelledReply_IsNotRun()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        openai::ResponseDone done;
        done.response.id = "resp_1";
        done.response.status = openai::ResponseStatus::Cancelled;
        openai::Item call;
        call.type = openai::ItemType::FunctionCall;
        call.callId = "call_1";
        done.response.output.push_back(call);
        story.says(done);
        QVERIFY(story.all<session_effect::RunTool>().empty());
    }

    void harmlessErrors_TellNobody_data()
    {
        QTest::addColumn<std::string>("code");
        QTest::addColumn<std::string>("message");
        QTest::newRow("cancel too late") << std::string("response_cancel_not_active") << std::string("no");
        QTest::newRow("commit of silence") << std::string("input_audio_buffer_commit_empty") << std::string("no");
        QTest::newRow("truncate too late") << std::string("item_truncate_invalid_audio_end_ms") << std::string("no");
        QTest::newRow("truncate too late, old server")
            << std::string() << std::string("Audio content of 13600ms is already shorter than 55960ms");
    }
    void harmlessErrors_TellNobody()
    {
        QFETCH(std::string, code);
        QFETCH(std::string, message);
        Story story;
        story.goLive();
        story.says(errorOf(code, message));
        QVERIFY(story.effects.empty());
        QCOMPARE(story.state.phase, Phase::Live);
    }

    void stop_ClosesPolitelyAndDoesNotWaitForEver()
    {
        Story story;
        story.goLive();
        story.happens(session_event::Stop{});
        QCOMPARE(story.all<session_effect::CloseTransport>().size(), std::size_t{1});
        QCOMPARE(story.all<session_effect::StopVoice>().size(), std::size_t{1});
        QCOMPARE(story.state.phase, Phase::Closing);
        story.happens(session_event::TimedOut{SessionTimer::Close});
        QCOMPARE(story.state.phase, Phase::Ended);
        QVERIFY(!story.told<session_notice::Ended>().at(0).error.has_value());
    }

    void transcriptOfTheUser_StandsBeforeTheReplyThatItCaused()
    {
        Story story;
        story.goLive();
        story.says(openai::InputAudioBufferCommitted{{}, "item_u", {}});
        story.replyBegins();
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_resp_1", 0, 0, "Four."});
        story.says(openai::InputAudioTranscriptionCompleted{{}, "item_u", 0, "two plus two", {}, {}, {}});
        QCOMPARE(story.state.log.entries()[0].text, std::string("two plus two"));
        QCOMPARE(story.state.log.entries()[1].text, std::string("Four."));
    }

    void noReplyToASpokenTurn_IsToldAndTheConversationGoesOn()
    {
        Story story;
        story.goLive();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.says(openai::InputAudioBufferSpeechStopped{});
        QCOMPARE(story.state.activity, Activity::Thinking);
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::ProviderSilent);
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.state.activity, Activity::Listening);
    }

    void usage_OfACancelledReply_IsStillTold()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        openai::ResponseDone done;
        done.response.id = "resp_1";
        done.response.status = openai::ResponseStatus::Cancelled;
        done.response.usage = openai::Usage{10, 4, 6, {}, {}};
        story.says(done);
        QCOMPARE(story.told<session_notice::ReplyUsage>().at(0).usage.totalTokens, std::int64_t{10});
    }
};

QTEST_GUILESS_MAIN(SessionMachineTest)
#include "test_session_machine.moc"
