#include "tests/core/session/story.h"

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

openai::ResponseCreated created(const std::string& id)
{
    openai::ResponseCreated event;
    event.response.id = id;
    return event;
}

openai::ResponseOutputAudioDelta sound(const std::string& id, const std::string& item, Milliseconds length)
{
    return {{}, id, item, 0, 0, Bytes(static_cast<std::size_t>(length.count()) * 48)};
}

openai::ResponseOutputAudioTranscriptDelta words(
    const std::string& id, const std::string& item, const std::string& text)
{
    return {{}, id, item, 0, 0, text};
}

openai::ResponseOutputAudioTranscriptDone wholeText(
    const std::string& id, const std::string& item, const std::string& text)
{
    return {{}, id, item, 0, 0, text};
}

std::string heardOf(Story& story, const std::string& item)
{
    const ConversationEntry* entry = story.state.log.find(item);
    return entry == nullptr ? "(nothing)" : std::string(entry->heardText());
}

/// "r1" is whole and says `first` in a second; of "r2" there is a second of sound. Nothing has been heard yet.
void twoRepliesCome(Story& story, const std::string& first)
{
    story.goLive();
    story.says(created("r1"));
    story.says(sound("r1", "i1", Milliseconds{1'000}));
    story.says(wholeText("r1", "i1", first));
    story.replyEnds("r1");
    story.says(created("r2"));
    story.says(sound("r2", "i2", Milliseconds{1'000}));
}

} // namespace

/// What the user heard is the truth: on the screen, at the provider, and for the next connection.
class SessionHeardTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void loudspeakerThatGoes_StopsTheReply_AndNoFunction()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.replyBegins();
        // Something else is to be answered once the function is.
        story.state.reply.isWanted = true;
        story.happens(session_event::LoudspeakerGone{});
        QVERIFY(story.all<session_effect::CancelTools>().empty());
        QVERIFY(story.sent<openai::ConversationItemCreate>().empty());
        QCOMPARE(story.sent<openai::ResponseCancel>().size(), std::size_t{1});
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        QVERIFY(story.state.reply.isWanted);
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{50}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().size(), std::size_t{1});
        QCOMPARE(story.state.activity, Activity::RunningTool);
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void loudspeakerThatGoes_LeavesAReplyThatIsOnlyAskedFor()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.replyEnds();
        story.functionIsCalled();
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QVERIFY(story.state.reply.isRequested && story.state.isPlaying);
        story.happens(session_event::LoudspeakerGone{});
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        QVERIFY(!story.state.reply.cancelWhenCreated);
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{50}, false}});
        // With nothing to be heard there is nothing to cut.
        story.happens(session_event::LoudspeakerGone{});
        QVERIFY(story.effects.empty());
    }

    void replyThatIsCutBeforeItsFirstSound_WasNotHeard()
    {
        Story story;
        story.goLive();
        story.says(created("r"));
        story.says(words("r", "i", "It is ten past four."));
        story.says(openai::InputAudioBufferSpeechStarted{});
        QVERIFY(story.all<session_effect::CutPlayback>().empty());
        QVERIFY(story.told<session_notice::TranscriptChanged>().at(0).entry.wasInterrupted);
        QVERIFY2(story.sent<openai::ConversationItemTruncate>().empty(), "it has no sound yet");
        // What was on its way: the provider takes it for heard.
        story.says(sound("r", "i", Milliseconds{100}));
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().size(), std::size_t{1});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().at(0).audioEndMs, std::int64_t{0});
        story.says(sound("r", "i", Milliseconds{100}));
        QVERIFY(story.sent<openai::ConversationItemTruncate>().empty());
        story.says(wholeText("r", "i", "It is ten past four."));
        story.replyEnds("r", openai::ResponseStatus::Cancelled);
        QCOMPARE(heardOf(story, "i"), std::string());
        QVERIFY(story.state.log.find("i")->isFinal && story.state.log.find("i")->wasInterrupted);
        story.reconnects();
        QVERIFY(story.sent<openai::ConversationItemCreate>().empty());
    }

    void replyThatHadCome_AndIsCut_IsSpokenNoMore()
    {
        Story story;
        story.goLive();
        story.replyBegins("r");
        story.replyEnds("r");
        QCOMPARE(story.state.activity, Activity::Speaking);
        story.happens(session_event::Interrupt{});
        story.happens(session_event::PlaybackCut{{"item_r", 0, Milliseconds{50}, false}});
        QCOMPARE(story.state.activity, Activity::Listening);
    }

    void replyThatIsStoppedBeforeItHasAnId_WasNotHeard()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"tell me everything"});
        story.happens(session_event::Interrupt{});
        story.says(created("r"));
        story.says(wholeText("r", "i", "Everything."));
        QCOMPARE(heardOf(story, "i"), std::string());
        story.says(sound("r", "i", Milliseconds{100}));
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().at(0).audioEndMs, std::int64_t{0});
    }

    void replyOfWhichAllThatCameWasHeard_EndsThere()
    {
        Story story;
        story.goLive();
        story.says(created("r"));
        story.says(sound("r", "i", Milliseconds{300}));
        story.says(words("r", "i", "One two"));
        // The provider is slower than the user hears.
        story.happens(session_event::PlaybackDrained{});
        story.says(openai::InputAudioBufferSpeechStarted{});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().at(0).audioEndMs, std::int64_t{300});
        story.says(wholeText("r", "i", "One two three four"));
        QCOMPARE(heardOf(story, "i"), std::string("One two"));
    }

    void replyThatWasHeardToItsEnd_StaysWhole_WhateverComesAfter()
    {
        Story story;
        story.goLive();
        story.says(created("r"));
        story.says(sound("r", "i", Milliseconds{300}));
        story.says(openai::ResponseOutputAudioDone{{}, "r", "i", 0, 0});
        story.happens(session_event::PlaybackDrained{});
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.says(wholeText("r", "i", "One two"));
        story.replyEnds("r", openai::ResponseStatus::Cancelled);
        QCOMPARE(heardOf(story, "i"), std::string("One two"));
        QVERIFY(!story.state.log.find("i")->wasInterrupted);
    }

    void twoRepliesInTheQueue_AreBothToldAsFarAsTheyWereHeard()
    {
        Story story;
        twoRepliesCome(story, "one two three four");
        story.says(wholeText("r2", "i2", "five six"));
        story.says(openai::InputAudioBufferSpeechStarted{});
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        story.happens(session_event::PlaybackCut{{"i1", 0, Milliseconds{500}, false}});
        const auto truncates = story.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncates.size(), std::size_t{2});
        QCOMPARE(truncates[0].itemId, std::string("i1"));
        QCOMPARE(truncates[0].audioEndMs, std::int64_t{500});
        QCOMPARE(truncates[1].itemId, std::string("i2"));
        QCOMPARE(truncates[1].audioEndMs, std::int64_t{0});
        QCOMPARE(heardOf(story, "i1"), std::string("one two"));
        QCOMPARE(heardOf(story, "i2"), std::string());
        QVERIFY(story.state.log.find("i2")->wasInterrupted);
    }

    void earlierReplyInTheQueue_ThatWasHeardWhole_StaysWhole()
    {
        Story story;
        twoRepliesCome(story, "one two");
        story.says(words("r2", "i2", "three four"));
        story.happens(session_event::Interrupt{});
        story.happens(session_event::PlaybackCut{{"i2", 0, Milliseconds{500}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().size(), std::size_t{1});
        QCOMPARE(heardOf(story, "i1"), std::string("one two"));
        QVERIFY(!story.state.log.find("i1")->wasInterrupted);
        QCOMPARE(heardOf(story, "i2"), std::string("three"));
    }

    void writtenReply_CountsAsReadAsFarAsItCame()
    {
        Story story;
        story.goLive();
        story.says(created("r"));
        story.says(openai::ResponseOutputTextDelta{{}, "r", "i", 0, 0, "one two"});
        story.happens(session_event::Interrupt{});
        story.replyEnds("r", openai::ResponseStatus::Cancelled);
        QCOMPARE(heardOf(story, "i"), std::string("one two"));
        QVERIFY(story.state.log.find("i")->isFinal && story.state.log.find("i")->wasInterrupted);
    }

    void connectionLost_BeforeTheFirstSound_TellsTheNextOneNothingOfIt()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"what time is it"});
        story.says(created("r"));
        story.says(wholeText("r", "i", "It is ten past four."));
        story.reconnects();
        const auto items = story.sent<openai::ConversationItemCreate>();
        QCOMPARE(items.size(), std::size_t{1});
        QCOMPARE(items[0].item.content[0].text.value(), std::string("what time is it"));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void soundOfALostConnection_ThatIsCut_IsNotToldToTheNextOne()
    {
        Story story;
        story.goLive();
        story.says(created("r"));
        story.says(sound("r", "i", Milliseconds{1'000}));
        story.says(wholeText("r", "i", "one two three four"));
        story.reconnects();
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.happens(session_event::PlaybackCut{{"i", 0, Milliseconds{500}, false}});
        QVERIFY(story.sent<openai::ConversationItemTruncate>().empty());
        QCOMPARE(heardOf(story, "i"), std::string("one two"));
    }

    void wantedReply_IsNotAskedForWhileTheUserSpeaks()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.replyBegins("r1");
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.replyEnds("r1", openai::ResponseStatus::Cancelled);
        QVERIFY2(story.sent<openai::ResponseCreate>().empty(), "the agent talks over the user");
        story.says(openai::InputAudioBufferSpeechStopped{});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        // The provider's own reply to the turn goes by what was told.
        story.replyBegins("r2");
        story.replyEnds("r2");
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
    }

    void wantedReply_OfATurnThatNobodyAnswers_IsAskedFor()
    {
        Story story;
        story.goLive();
        story.replyBegins("r1");
        story.happens(session_event::TextEntered{"no, the other one"});
        story.says(openai::InputAudioBufferSpeechStarted{});
        story.replyEnds("r1", openai::ResponseStatus::Cancelled);
        story.says(openai::InputAudioBufferSpeechStopped{});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
    }

    void wordsTypedWhileAFunctionRuns_AreAnsweredAfterIt()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.happens(session_event::TextEntered{"what is that?"});
        QCOMPARE(story.sent<openai::ConversationItemCreate>().size(), std::size_t{1});
        QVERIFY2(story.sent<openai::ResponseCreate>().empty(), "the call is not answered yet");
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        story.replyBegins("r");
        story.replyEnds("r");
        QVERIFY2(story.sent<openai::ResponseCreate>().empty(), "one reply to both");
    }

    void whatAFunctionAnswered_IsKnownToTheNextConnection()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"send it"});
        story.functionIsCalled();
        story.happens(session_event::ToolAnswered{"call_1", std::string("{\"sent\":true}")});
        story.reconnects();
        const auto items = story.sent<openai::ConversationItemCreate>();
        QCOMPARE(items.size(), std::size_t{3});
        QVERIFY(items[1].item.type == openai::ItemType::FunctionCall);
        QCOMPARE(items[1].item.callId, std::string("call_1"));
        QCOMPARE(items[1].item.name, std::string("get_weather"));
        QVERIFY(items[2].item.type == openai::ItemType::FunctionCallOutput);
        QCOMPARE(items[2].item.output, std::string("{\"sent\":true}"));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        // Answered: from then on it is a part of the conversation like any other.
        story.replyBegins("r");
        story.replyEnds("r");
        story.reconnects();
        for (const auto& create : story.sent<openai::ConversationItemCreate>()) {
            QVERIFY(create.item.type == openai::ItemType::Message);
        }
    }

    void replyThatIsNotComplete_IsToldAsThat()
    {
        Story story;
        story.goLive();
        story.replyBegins("r");
        openai::ResponseDone done;
        done.response.id = "r";
        done.response.status = openai::ResponseStatus::Incomplete;
        done.response.statusDetails.emplace();
        done.response.statusDetails->reason = "max_output_tokens";
        story.says(done);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::ProviderFailed);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.foreignCode, std::string("max_output_tokens"));
        QVERIFY(!story.told<session_notice::ReplyEnded>().at(0).wasCompleted);
    }

    void providerThatFallsOverEachReply_IsNotAskedForEver()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"hello"});
        int connections = 1;
        for (; connections < 20 && story.state.phase == Phase::Live; ++connections) {
            story.happens(session_event::Closed{{1006, {}}});
            if (story.state.phase == Phase::Waiting) {
                story.happens(session_event::TimedOut{SessionTimer::Backoff});
                story.opens();
                QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
            }
        }
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(connections, 5);
    }

    void replyOfWhichSomethingCame_StartsTheCountAnew()
    {
        Story story;
        story.goLive();
        for (int i = 0; i < 10; ++i) {
            story.happens(session_event::TextEntered{"hello"});
            story.reconnects();
            story.replyBegins();
            story.replyEnds();
            QCOMPARE(story.state.phase, Phase::Live);
        }
    }

    void modelThatCallsForEver_IsStopped_AndMayAnswerWhatIsSaidNext()
    {
        Story story;
        story.goLive();
        story.happens(session_event::TextEntered{"go"});
        int rounds = 0;
        for (; rounds < 100; ++rounds) {
            story.functionIsCalled();
            if (story.all<session_effect::RunTool>().empty()) {
                break;
            }
            story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
            QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        }
        QCOMPARE(rounds, 16);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::ToolFailed);
        QVERIFY(story.sent<openai::ConversationItemCreate>().at(0).item.type == openai::ItemType::FunctionCallOutput);
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        QCOMPARE(story.state.activity, Activity::Listening);
        story.happens(session_event::TextEntered{"again"});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        story.functionIsCalled();
        QCOMPARE(story.all<session_effect::RunTool>().size(), std::size_t{1});
    }

    void sessionThatTheBrokerHasForgotten_GoesOnInANewOne()
    {
        Story story;
        story.goLive();
        story.clock.advance(Milliseconds{3'600'000});
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QVERIFY(!story.all<session_effect::FetchToken>().at(0).query.resumeSessionId.empty());
        story.happens(session_event::TokenFailed{{ErrorCode::TokenExpired, "no such session", std::nullopt, {}}});
        QCOMPARE(story.state.phase, Phase::Waiting);
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        QVERIFY(story.all<session_effect::FetchToken>().at(0).query.resumeSessionId.empty());
    }
};

QTEST_GUILESS_MAIN(SessionHeardTest)
#include "test_session_heard.moc"
