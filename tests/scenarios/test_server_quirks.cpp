#include "core/base/json.h"
#include "core/protocol/openai/codec.h"
#include "tests/support/manual_executor.h"
#include "tests/support/scripted_session.h"

#include <nlohmann/json.hpp>

#include <QTest>

using namespace vivavoce;
using namespace vivavoce::core;
using namespace vivavoce::tests;

namespace {

std::string typeOf(const std::string& message)
{
    const auto parsed = parseJson(message);
    return parsed ? parsed->value("type", std::string()) : std::string();
}

} // namespace

/// What stands in for a server refuses what that server refuses, and no more.
class ServerQuirksTest : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void request_IsAnsweredAsTheServerDoes_data()
    {
        QTest::addColumn<ServerKind>("kind");
        QTest::addColumn<std::string>("request");
        QTest::addColumn<std::string>("answer");
        const std::string unknown = R"({"type":"session.avatar"})";
        const std::string nested =
            R"({"type":"session.update","session":{"type":"realtime","audio":{"output":{"voice":"a"}}}})";
        const std::string flat = R"({"type":"session.update","session":{"modalities":["audio"],"voice":"a"}})";
        const std::string formats = R"({"type":"session.update","session":{"input_audio_format":"pcm16"}})";
        const std::string cancel = R"({"type":"response.cancel","event_id":"c"})";
        const std::string truncate =
            R"({"type":"conversation.item.truncate","item_id":"none","content_index":0,"audio_end_ms":1})";
        const std::string item =
            R"({"type":"conversation.item.create","item":{"type":"message","role":"user","content":[{"type":"input_text","text":"Hello 1"}]}})";
        const auto row = [](const char* name, ServerKind kind, const std::string& request, const char* answer) {
            QTest::newRow(name) << kind << request << std::string(answer);
        };
        using enum ServerKind;
        row("openai, unknown type", OpenAi, unknown, "error invalid_event");
        row("localai, unknown type", LocalAi, unknown, "");
        row("openai, settings", OpenAi, nested, "session.updated");
        row("azure, settings", Azure, nested, "session.updated");
        row("openai, the beta's settings", OpenAi, flat, "error missing_required_parameter");
        row("speaches, settings", Speaches, flat, "session.updated");
        row("speaches, GA's settings", Speaches, nested, "error");
        row("speaches, formats", Speaches, formats, "error, session.updated");
        row("openai, cancel", OpenAi, cancel, "error response_cancel_not_active");
        row("speaches, cancel", Speaches, cancel, "error");
        row("openai, truncate", OpenAi, truncate, "error item_truncate_invalid_item_id");
        row("speaches, truncate", Speaches, truncate, "error");
        row("speech-to-speech, truncate", SpeechToSpeech, truncate, "");
        row("openai, item", OpenAi, item, "conversation.item.added");
        row("speech-to-speech, item", SpeechToSpeech, item, "conversation.item.created");
        row("speaches, item", Speaches, item, "conversation.item.created");
        row("openai, nothing", OpenAi, {}, "session.created");
        row("xai, nothing", Xai, {}, "conversation.created, session.created");
    }
    void request_IsAnsweredAsTheServerDoes()
    {
        QFETCH(ServerKind, kind);
        QFETCH(std::string, request);
        QFETCH(std::string, answer);
        ManualClock clock;
        ManualExecutor executor{clock};
        ScriptedProviderLog log;
        ScriptedProviderOptions options;
        options.kind = kind;
        std::string said;
        ScriptedSession session(executor, options, log, [&](const openai::ServerEvent& event) {
            said += (said.empty() ? "" : ", ") + typeOf(openai::encode(event, quirksOf(kind).dialect));
            if (const auto* error = std::get_if<openai::ErrorEvent>(&event); error != nullptr && error->error.code) {
                said += " " + error->error.code->substr(0, error->error.code->find(' '));
            }
        });
        executor.runPosted();
        if (!request.empty()) {
            said.clear();
            session.hear(request);
            executor.runPosted();
        }
        QCOMPARE(said, answer);
    }
};

QTEST_GUILESS_MAIN(ServerQuirksTest)
#include "test_server_quirks.moc"
