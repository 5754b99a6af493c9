#include "tests/core/session/story.h"

#include <QTest>

#include <algorithm>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

/// As far as the provider's first words.
void opens(Story& story)
{
    story.happens(session_event::Start{});
    story.happens(session_event::TokenArrived{makeToken(story.clock.now())});
    story.happens(session_event::Opened{});
}

/// A server without an id and without a code says no.
openai::ErrorEvent refusal(const std::string& message, std::optional<std::string> eventId = {})
{
    openai::ErrorEvent event;
    event.error.type = "invalid_request_error";
    event.error.message = message;
    event.error.eventId = std::move(eventId);
    return event;
}

openai::ResponseDone doneOf(const std::string& id)
{
    openai::ResponseDone done;
    done.response.id = id;
    done.response.status = openai::ResponseStatus::Completed;
    return done;
}

openai::Item callItem(const std::string& callId)
{
    openai::Item call;
    call.type = openai::ItemType::FunctionCall;
    call.callId = callId;
    call.name = "get_weather";
    call.arguments = "{}";
    return call;
}

/// How long a reply is waited for from now on.
Milliseconds replyDeadline(const Story& story)
{
    Milliseconds deadline{0};
    for (const auto& timer : story.all<session_effect::StartTimer>()) {
        deadline = timer.timer == SessionTimer::Reply ? timer.delay : deadline;
    }
    return deadline;
}

std::vector<std::string> spokenLog(const Story& story)
{
    std::vector<std::string> lines;
    for (const ConversationEntry& entry : story.state.log.entries()) {
        lines.push_back((entry.speaker == Speaker::User ? "user: " : "agent: ") + entry.text);
    }
    return lines;
}

using Lines = std::vector<std::string>;

} // namespace

/// Servers that speak OpenAI Realtime in their own ways: other greetings, no ids, no ends, and requests that they do not know.
class SessionServersTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    // --- Greetings ---------------------------------------------------------------------------------------------------

    void conversationCreatedFirst_IsAGreeting()
    {
        Story story;
        opens(story);
        story.says(openai::ConversationCreated{});
        QCOMPARE(story.state.phase, Phase::Configuring);
        QCOMPARE(story.sent<openai::SessionUpdate>().size(), std::size_t{1});
        // The other greeting, in the words that were used: nothing is to be said again.
        story.says(openai::SessionCreated{{}, {}, openai::Dialect::Ga});
        QVERIFY(story.sent<openai::SessionUpdate>().empty());
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.state.phase, Phase::Live);
        QVERIFY(story.told<session_notice::Problem>().empty());
    }

    void greetingInOtherWords_AfterTheSettings_HasThemSaidAgain()
    {
        Story story;
        opens(story);
        story.says(openai::ConversationCreated{});
        story.says(openai::SessionCreated{{}, {}, openai::Dialect::Beta});
        QCOMPARE(story.sent<openai::SessionUpdate>().size(), std::size_t{1});
        QVERIFY(story.state.server.dialect == openai::Dialect::Beta);
        QCOMPARE(story.state.phase, Phase::Configuring);
    }

    void nextConnection_IsGreetedAnew()
    {
        Story story;
        opens(story);
        story.says(openai::SessionCreated{{}, {}, openai::Dialect::Beta});
        story.says(openai::SessionUpdated{});
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        QVERIFY(story.state.server.dialect == openai::Dialect::Ga);
    }

    void modelThatDoesNotLoad_InPlaceOfASession_EndsItWithItsCode()
    {
        Story story;
        opens(story);
        story.says(errorOf("model_load_error", "failed to load model"));
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.state.failure->code, ErrorCode::ChoiceRefused);
        QCOMPARE(story.state.failure->foreignCode, std::string("model_load_error"));
    }

    void errorInPlaceOfASession_IsWhyThereIsNone()
    {
        Story story;
        opens(story);
        story.says(errorOf("rate_limit_exceeded"));
        QCOMPARE(story.state.phase, Phase::Waiting);
        QCOMPARE(story.told<session_notice::Problem>().at(0).error.code, ErrorCode::RateLimited);
    }

    void firstWordsThatAreNoGreeting_EndItWithAClearCode()
    {
        Story story;
        opens(story);
        story.says(openai::UnknownEvent{"localai.\nhello", {}, "{}"});
        story.says(openai::RateLimitsUpdated{});
        QCOMPARE(story.state.phase, Phase::Starting);
        story.happens(session_event::TimedOut{SessionTimer::FirstEvent});
        QCOMPARE(story.state.phase, Phase::Ended);
        QCOMPARE(story.state.failure->code, ErrorCode::ProviderMalformed);
        QCOMPARE(story.state.failure->foreignCode, std::string("localai. hello"));
    }

    void firstWordsThatAreNoGreeting_AreWaitedThrough()
    {
        Story story;
        opens(story);
        story.says(openai::UnknownEvent{"localai.loading", {}, "{}"});
        story.says(openai::SessionCreated{});
        QCOMPARE(story.state.phase, Phase::Configuring);
    }

    // --- Settings ----------------------------------------------------------------------------------------------------

    void settingsThatABetaServerDoesNotTake_AreLeftOut_AndTheRestIsKept()
    {
        SessionOptions options;
        options.tools.push_back({"get_weather", std::nullopt, std::nullopt});
        Story story(options);
        opens(story);
        story.says(openai::SessionCreated{{}, {}, openai::Dialect::Beta});
        const auto no = [&](const std::string& field) {
            story.says(refusal("Specifying `session." + field + "` is not supported."));
            QVERIFY(story.told<session_notice::Problem>().empty());
        };
        no("input_audio_format");
        QVERIFY(!story.sent<openai::SessionUpdate>().at(0).session.inputFormat.has_value());
        // Of the first update still: they say no more than that.
        no("output_audio_format");
        QVERIFY(story.effects.empty());
        no("turn_detection.prefix_padding_ms");
        const openai::Session session = story.sent<openai::SessionUpdate>().at(0).session;
        const auto* vad = std::get_if<openai::ServerVad>(session.turnDetection.value());
        QVERIFY(vad != nullptr && !vad->prefixPaddingMs && vad->silenceDurationMs);
        QVERIFY(session.tools.has_value());
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.state.phase, Phase::Live);
        no("turn_detection.prefix_padding_ms");
        QVERIFY(story.effects.empty());
        // Nor is the next connection asked for them, nor a change of who ends a turn.
        story.happens(session_event::TurnsByHand{true});
        story.happens(session_event::TurnsByHand{false});
        const openai::Session turns = story.sent<openai::SessionUpdate>().at(0).session;
        QVERIFY(!std::get<openai::ServerVad>(*turns.turnDetection.value()).prefixPaddingMs);
    }

    void voiceThatIsRefused_IsToldInWordsOfOurs_AndLeftOut_data()
    {
        QTest::addColumn<std::string>("code");
        QTest::addColumn<int>("told");
        QTest::addColumn<std::string>("words");
        QTest::newRow("by the provider") << std::string("invalid_value") << static_cast<int>(ErrorCode::ChoiceRefused)
                                         << std::string("the provider does not take the voice \"nosuch\"");
        QTest::newRow("by the broker") << std::string("locked_by_policy")
                                       << static_cast<int>(ErrorCode::ChoiceNotAllowed)
                                       << std::string("the broker's policy does not allow the voice \"nosuch\"");
    }
    void voiceThatIsRefused_IsToldInWordsOfOurs_AndLeftOut()
    {
        QFETCH(std::string, code);
        QFETCH(int, told);
        QFETCH(std::string, words);
        SessionOptions options;
        options.voice = "nosuch";
        Story story(options);
        opens(story);
        story.says(openai::SessionCreated{});
        auto refused = errorOf(code, "Invalid value: 'nosuch'. Supported values are: 'alloy'.");
        refused.error.param = "session.audio.output.voice";
        story.says(refused);
        const auto problems = story.told<session_notice::Problem>();
        QCOMPARE(problems.size(), std::size_t{1});
        QCOMPARE(static_cast<int>(problems[0].error.code), told);
        QCOMPARE(problems[0].error.detail, words + ": the conversation goes on without it");
        QCOMPARE(problems[0].error.foreignCode, code);
        QVERIFY(!story.sent<openai::SessionUpdate>().at(0).session.voice.has_value());
        story.says(openai::SessionUpdated{});
        QCOMPARE(story.state.phase, Phase::Live);
    }

    void settingsThatTheServerHasChangedSilently_AreToldOnce()
    {
        SessionOptions options;
        options.voice = "marin";
        Story story(options);
        story.happens(session_event::Start{});
        auto token = std::make_shared<AccessToken>(*makeToken(story.clock.now()));
        token->model = "gpt-realtime-2.1";
        story.happens(session_event::TokenArrived{token});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        openai::SessionUpdated updated;
        updated.session.model = "gpt-realtime-mini";
        updated.session.voice = openai::Voice{"alloy", false};
        updated.session.inputFormat = openai::AudioFormat{};
        updated.session.outputFormat = openai::AudioFormat{openai::AudioEncoding::Pcmu, SampleRate{8'000}};
        story.says(updated);
        QCOMPARE(story.state.phase, Phase::Live);
        QVERIFY(story.told<session_notice::Problem>().empty());
        const auto told = story.told<session_notice::SettingDiffers>();
        QCOMPARE(told.size(), std::size_t{3});
        QCOMPARE(told[0].setting + ": " + told[0].given, std::string("model: gpt-realtime-mini"));
        QCOMPARE(told[1].setting + ": " + told[1].asked + ", " + told[1].given, std::string("voice: marin, alloy"));
        QCOMPARE(told[2].setting + ": " + told[2].given, std::string("output_format: G.711 µ-law, 8000 Hz"));
        // It is no news over the next connection.
        story.happens(session_event::Closed{{1006, {}}});
        story.happens(session_event::TimedOut{SessionTimer::Backoff});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        story.says(updated);
        QCOMPARE(story.state.phase, Phase::Live);
        QVERIFY(story.told<session_notice::SettingDiffers>().empty());
    }

    void settingsThatAreTheSameInOtherWords_AreNoNews_data()
    {
        QTest::addColumn<std::string>("asked");
        QTest::addColumn<std::string>("given");
        QTest::addColumn<std::string>("voice");
        const auto row = [](const char* name, const char* asked, const char* given, const char* voice) {
            QTest::newRow(name) << std::string(asked) << std::string(given) << std::string(voice);
        };
        row("a dated name", "gpt-realtime", "gpt-realtime-2025-08-28", "Eve");
        row("a deployment", "my-deployment", "gpt-realtime", "Eve");
        row("a voice that nobody has chosen", "gpt-realtime", "gpt-realtime", "");
    }
    void settingsThatAreTheSameInOtherWords_AreNoNews()
    {
        QFETCH(std::string, asked);
        QFETCH(std::string, given);
        QFETCH(std::string, voice);
        SessionOptions options;
        options.voice = voice;
        Story story(options);
        story.happens(session_event::Start{});
        auto token = std::make_shared<AccessToken>(*makeToken(story.clock.now()));
        token->model = asked;
        story.happens(session_event::TokenArrived{token});
        story.happens(session_event::Opened{});
        story.says(openai::SessionCreated{});
        openai::SessionUpdated updated;
        updated.session.model = given;
        updated.session.voice = openai::Voice{"eve", false};
        story.says(updated);
        QVERIFY(story.told<session_notice::SettingDiffers>().empty());
    }

    void formatThatAGaServerDoesNotTake_IsTold()
    {
        Story story;
        opens(story);
        story.says(openai::SessionCreated{{}, {}, openai::Dialect::Ga});
        openai::ErrorEvent no = errorOf("invalid_value");
        no.error.param = "session.audio.input.format.rate";
        story.says(no);
        QCOMPARE(story.told<session_notice::Problem>().size(), std::size_t{1});
        QVERIFY(!story.sent<openai::SessionUpdate>().at(0).session.inputFormat.has_value());
    }

    void refusalOfWhatWasNotSent_CostsNoFunctions_data()
    {
        QTest::addColumn<QString>("param");
        QTest::addColumn<QString>("message");
        QTest::newRow("a voice that nobody chose") << "session.audio.output.voice"
                                                   << "no";
        QTest::newRow("a part of the settings that is none of ours") << "session.reasoning"
                                                                     << "no such tool";
        QTest::newRow("nothing that has a name") << ""
                                                 << "The session is not as it should be.";
    }
    void refusalOfWhatWasNotSent_CostsNoFunctions()
    {
        QFETCH(QString, param);
        QFETCH(QString, message);
        SessionOptions options;
        options.tools.push_back({"get_weather", std::nullopt, std::nullopt});
        Story story(options);
        opens(story);
        story.says(openai::SessionCreated{});
        openai::ErrorEvent no = errorOf("invalid_value", message.toStdString());
        no.error.param = param.toStdString();
        story.says(no);
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.told<session_notice::Problem>().size(), std::size_t{1});
        // Nothing was learnt that holds for the next connection.
        story.reconnects();
        QVERIFY(story.state.leftOut.empty());
    }

    // --- Requests that it does not know ------------------------------------------------------------------------------

    void cancelThatIsNotImplemented_IsAskedForOnceAConnection()
    {
        Story story;
        story.goLive();
        story.replyBegins("resp_1");
        story.happens(session_event::Interrupt{});
        const auto cancels = story.sent<openai::ResponseCancel>();
        QCOMPARE(cancels.size(), std::size_t{1});
        QVERIFY(!cancels[0].eventId.empty());
        story.says(refusal("Handling of this event is not implemented.", cancels[0].eventId));
        QVERIFY2(story.effects.empty(), "nobody has anything of it");
        story.replyEnds("resp_1");
        story.replyBegins("resp_2");
        story.happens(session_event::Interrupt{});
        QVERIFY(story.sent<openai::ResponseCancel>().empty());
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        // What it goes on saying is not heard.
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_2", "item_resp_2", 0, 0, Bytes(4800)});
        QVERIFY(story.all<session_effect::Play>().empty());
        story.reconnects();
        story.replyBegins("resp_3");
        story.happens(session_event::Interrupt{});
        QCOMPARE(story.sent<openai::ResponseCancel>().size(), std::size_t{1});
    }

    void truncateThatIsNotImplemented_IsAskedForOnceAConnection_data()
    {
        QTest::addColumn<bool>("namesTheId");
        QTest::newRow("by its id") << true;
        QTest::newRow("by its type") << false;
    }
    void truncateThatIsNotImplemented_IsAskedForOnceAConnection()
    {
        QFETCH(bool, namesTheId);
        Story story;
        story.goLive();
        const auto isCut = [&](const std::string& id) {
            story.replyBegins(id);
            story.says(openai::InputAudioBufferSpeechStarted{});
            story.happens(session_event::PlaybackCut{{"item_" + id, 0, Milliseconds{50}, false}});
        };
        isCut("resp_1");
        const auto truncates = story.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncates.size(), std::size_t{1});
        story.says(namesTheId ? refusal("not implemented", truncates[0].eventId)
                              : refusal("conversation.item.truncate is not implemented"));
        QVERIFY(story.effects.empty());
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        isCut("resp_2");
        QVERIFY(story.sent<openai::ConversationItemTruncate>().empty());
        QVERIFY2(story.state.log.find("item_resp_2") == nullptr || story.state.log.find("item_resp_2")->wasInterrupted,
            "what was heard is what was heard");
        QVERIFY(story.state.server.takesCancel);
    }

    void cancelThatComesTooLate_IsNoLackOfTheServers_data()
    {
        QTest::addColumn<std::string>("code");
        QTest::addColumn<std::string>("message");
        QTest::newRow("openai") << std::string("response_cancel_not_active") << std::string("no");
        QTest::newRow("speaches") << std::string() << std::string("No active response to cancel.");
    }
    void cancelThatComesTooLate_IsNoLackOfTheServers()
    {
        QFETCH(std::string, code);
        QFETCH(std::string, message);
        Story story;
        story.goLive();
        story.replyBegins();
        story.happens(session_event::Interrupt{});
        openai::ErrorEvent late = errorOf(code, message);
        late.error.eventId = story.sent<openai::ResponseCancel>().at(0).eventId;
        story.says(late);
        QVERIFY(story.effects.empty());
        QVERIFY(story.state.server.takesCancel);
    }

    void errorThatEndsTheConnection_IsNotTakenForALackOfTheServers()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.happens(session_event::Interrupt{});
        openai::ErrorEvent quota = errorOf("insufficient_quota");
        quota.error.eventId = story.sent<openai::ResponseCancel>().at(0).eventId;
        story.says(quota);
        QCOMPARE(story.state.failure->code, ErrorCode::ProviderQuota);
    }

    // --- Ends of replies ---------------------------------------------------------------------------------------------

    void replyWithoutItsEnd_IsOverAfterItsSound_AndSoonerTheNextTime()
    {
        Story story;
        story.goLive();
        const auto isSaid = [&](const std::string& id) {
            story.replyBegins(id);
            story.says(openai::ResponseOutputAudioDone{{}, id, "item_" + id, 0, 0});
            story.says(openai::ResponseOutputAudioTranscriptDone{{}, id, "item_" + id, 0, 0, "Hello."});
        };
        isSaid("resp_1");
        QCOMPARE(replyDeadline(story), Milliseconds{30'000});
        story.happens(session_event::TextEntered{"and?"});
        QVERIFY(story.sent<openai::ResponseCreate>().empty());
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.state.phase, Phase::Live);
        QCOMPARE(story.told<session_notice::ReplyEnded>().at(0).responseId, std::string("resp_1"));
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        isSaid("resp_2");
        QCOMPARE(replyDeadline(story), Milliseconds{1'000});
        // It may say more all the same.
        story.says(openai::ResponseOutputAudioDelta{{}, "resp_2", "item_b", 0, 0, Bytes(480)});
        QCOMPARE(replyDeadline(story), Milliseconds{30'000});
        QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.state.phase, Phase::Waiting);
    }

    void writtenReplyWithoutItsEnd_IsOver()
    {
        Story story;
        story.goLive();
        openai::ResponseCreated created;
        created.response.id = "resp_1";
        story.says(created);
        story.says(openai::ResponseOutputTextDone{{}, "resp_1", "item_a", 0, 0, "Hello."});
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.state.phase, Phase::Live);
        QVERIFY(story.state.reply.isFree());
    }

    void replyWithoutItsEnd_IsOverWhenTheNextOneBegins()
    {
        Story story;
        story.goLive();
        story.replyBegins("resp_1");
        story.says(openai::ResponseOutputAudioDone{{}, "resp_1", "item_resp_1", 0, 0});
        story.replyBegins("resp_2");
        QCOMPARE(story.state.reply.activeId, std::string("resp_2"));
        QCOMPARE(story.state.reply.itemId, std::string("item_resp_2"));
        QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
        story.replyEnds("resp_2");
        QVERIFY(story.state.reply.isFree());
    }

    void replyThatStalls_WhereRepliesHaveEnds_IsALostConnection()
    {
        Story story;
        story.goLive();
        story.replyBegins("resp_1");
        story.replyEnds("resp_1");
        story.replyBegins("resp_2");
        story.says(openai::ResponseOutputAudioDone{{}, "resp_2", "item_resp_2", 0, 0});
        story.happens(session_event::TimedOut{SessionTimer::Reply});
        QCOMPARE(story.state.phase, Phase::Waiting);
    }

    void bargeInThatEndsTheReplyFirst_CutsItAllTheSame()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        story.says(openai::ResponseOutputAudioTranscriptDelta{{}, "resp_1", "item_resp_1", 0, 0, "one two three"});
        story.replyEnds("resp_1", openai::ResponseStatus::Cancelled);
        story.says(openai::InputAudioBufferSpeechStarted{});
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{50}, false}});
        const auto truncates = story.sent<openai::ConversationItemTruncate>();
        QCOMPARE(truncates.size(), std::size_t{1});
        QCOMPARE(truncates[0].audioEndMs, std::int64_t{50});
        QVERIFY(story.state.log.find("item_resp_1")->wasInterrupted);
    }

    void bargeInOfWhichTheReplysEndAloneTells_CutsItAllTheSame()
    {
        Story story;
        story.goLive();
        story.replyBegins();
        openai::ResponseOutputAudioTranscriptDone words;
        words.responseId = "resp_1";
        words.itemId = "item_resp_1";
        words.transcript = "one two three";
        story.says(words);
        openai::ResponseDone done;
        done.response.id = "resp_1";
        done.response.status = openai::ResponseStatus::Cancelled;
        done.response.statusDetails.emplace().reason = "turn_detected";
        story.says(done);
        QCOMPARE(story.all<session_effect::CutPlayback>().size(), std::size_t{1});
        story.happens(session_event::PlaybackCut{{"item_resp_1", 0, Milliseconds{50}, false}});
        QCOMPARE(story.sent<openai::ConversationItemTruncate>().at(0).audioEndMs, std::int64_t{50});
        const ConversationEntry* entry = story.state.log.find("item_resp_1");
        QVERIFY(entry->wasInterrupted);
        QVERIFY(entry->heardText().size() < entry->text.size());
        // And where speech is told of after all, nothing is left to be cut.
        story.says(openai::InputAudioBufferSpeechStarted{});
        QVERIFY(story.all<session_effect::CutPlayback>().empty());
    }

    // --- Functions ---------------------------------------------------------------------------------------------------

    void call_WhereverItIsTold_IsRunOnce_data()
    {
        QTest::addColumn<bool>("inItsItem");
        QTest::addColumn<bool>("inItsArguments");
        QTest::addColumn<bool>("inTheEnd");
        QTest::newRow("in its item") << true << false << false;
        QTest::newRow("with its arguments") << false << true << false;
        QTest::newRow("in the end") << false << false << true;
        QTest::newRow("everywhere") << true << true << true;
    }
    void call_WhereverItIsTold_IsRunOnce()
    {
        QFETCH(bool, inItsItem);
        QFETCH(bool, inItsArguments);
        QFETCH(bool, inTheEnd);
        Story story;
        story.goLive();
        openai::ResponseCreated created;
        created.response.id = "resp_1";
        story.says(created);
        if (inItsArguments) {
            story.says(
                openai::ResponseFunctionCallArgumentsDone{{}, "resp_1", "item_c", 0, "call_1", "get_weather", "{}"});
        }
        if (inItsItem) {
            story.says(openai::ResponseOutputItemDone{{}, "resp_1", 0, callItem("call_1")});
        }
        QVERIFY2(story.all<session_effect::RunTool>().empty(), "the reply is not over");
        openai::ResponseDone done = doneOf("resp_1");
        if (inTheEnd) {
            done.response.output.push_back(callItem("call_1"));
        }
        story.says(done);
        const auto runs = story.all<session_effect::RunTool>();
        QCOMPARE(runs.size(), std::size_t{1});
        QVERIFY(runs[0].call == (ToolCall{"call_1", "get_weather", "{}"}));
        QVERIFY(!story.told<session_notice::ReplyEnded>().at(0).isAnswer);
        // What was told of one reply is not run with the next.
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        story.replyBegins("resp_2");
        story.replyEnds("resp_2");
        QVERIFY(story.all<session_effect::RunTool>().empty());
    }

    // --- Ids ---------------------------------------------------------------------------------------------------------

    void conversationWithoutIds_IsHeldAllTheSame()
    {
        Story story;
        story.goLive();
        const auto turn = [&](const std::string& question, const std::string& answer) {
            story.says(openai::InputAudioBufferSpeechStarted{});
            story.says(openai::InputAudioBufferSpeechStopped{});
            story.says(openai::InputAudioBufferCommitted{});
            story.says(openai::InputAudioTranscriptionDelta{{}, {}, 0, question.substr(0, 3), {}});
            story.says(openai::InputAudioTranscriptionCompleted{{}, {}, 0, question, {}, {}, {}});
            story.says(openai::ResponseCreated{});
            QVERIFY(!story.state.reply.isFree());
            story.says(openai::ResponseOutputAudioDelta{{}, {}, {}, 0, 0, Bytes(4800)});
            QCOMPARE(story.all<session_effect::Play>().size(), std::size_t{1});
            story.says(openai::ResponseOutputAudioTranscriptDone{{}, {}, {}, 0, 0, answer});
            story.says(openai::ResponseOutputAudioDone{});
            story.says(doneOf({}));
            QVERIFY(story.state.reply.isFree());
            story.happens(session_event::PlaybackDrained{});
            QCOMPARE(story.state.activity, Activity::Listening);
        };
        turn("Hello?", "Hi.");
        turn("And now?", "Now this.");
        QVERIFY((spokenLog(story) == Lines{"user: Hello?", "agent: Hi.", "user: And now?", "agent: Now this."}));
        // Names that we have given are nothing to speak to it about.
        story.says(openai::ResponseCreated{});
        story.says(openai::ResponseOutputAudioDelta{{}, {}, {}, 0, 0, Bytes(4800)});
        story.happens(session_event::Interrupt{});
        const auto cancels = story.sent<openai::ResponseCancel>();
        QCOMPARE(cancels.size(), std::size_t{1});
        QVERIFY(!cancels[0].responseId.has_value());
        const std::string itemId = story.state.replyItems.at(0).id;
        story.happens(session_event::PlaybackCut{{itemId, 0, Milliseconds{20}, false}});
        QVERIFY(story.sent<openai::ConversationItemTruncate>().empty());
    }

    void itemThatIsCreatedAndAdded_IsThereOnce()
    {
        Story story;
        story.goLive();
        openai::Item item;
        item.id = "item_1";
        openai::ContentPart part;
        part.text = "hello";
        item.content.push_back(part);
        story.says(openai::ConversationItemCreated{{}, item, std::nullopt});
        QCOMPARE(story.told<session_notice::TranscriptChanged>().size(), std::size_t{1});
        story.says(openai::ConversationItemAdded{{}, item, std::nullopt});
        story.says(openai::ConversationItemDone{{}, item, std::nullopt});
        QVERIFY(story.told<session_notice::TranscriptChanged>().empty());
        QVERIFY(spokenLog(story) == Lines{"user: hello"});
    }

    void replySaidWhileAFunctionRuns_IsNotTheAnswer()
    {
        Story story;
        story.goLive();
        story.functionIsCalled();
        story.replyBegins("resp_meanwhile");
        story.replyEnds("resp_meanwhile");
        QVERIFY(!story.told<session_notice::ReplyEnded>().at(0).isAnswer);
        story.happens(session_event::ToolAnswered{"call_1", std::string("{}")});
        QCOMPARE(story.sent<openai::ResponseCreate>().size(), std::size_t{1});
        story.replyBegins("resp_answer");
        story.replyEnds("resp_answer");
        QVERIFY(story.told<session_notice::ReplyEnded>().at(0).isAnswer);
    }
};

QTEST_GUILESS_MAIN(SessionServersTest)
#include "test_session_servers.moc"
