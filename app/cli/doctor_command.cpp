#include "app/cli/doctor_command.h"

#include "app/cli/command_tools.h"
#include "app/cli/recorded_voice_io.h"
#include "app/cli/sound_devices.h"
#include "app/embedded/embedded_services.h"
#include "app/platform/qt_executor.h"
#include "app/platform/qt_http_client.h"
#include "app/platform/qt_settings_store.h"
#include "app/platform/qt_websocket_transport.h"
#include "core/base/random_id.h"
#include "core/models/model_list.h"
#include "core/session/session_runner.h"
#include "core/token/broker_token_source.h"

#include <nlohmann/json.hpp>

#include <QCoreApplication>
#include <QEventLoop>

#include <optional>

namespace vivavoce::cli {
namespace {

using core::Error;
using core::ErrorCode;

/// Waits for the first whole answer, or the end.
class AnswerWatch final : public core::SessionObserver {
public:
    explicit AnswerWatch(QEventLoop& loop) : m_loop(loop) {}

    void sessionTold(const core::SessionNotice& notice) override
    {
        if (const auto* changed = std::get_if<core::session_notice::TranscriptChanged>(&notice)) {
            if (changed->entry.speaker == core::Speaker::Assistant && changed->entry.isFinal) {
                answer = changed->entry.text;
                m_loop.quit();
            }
        } else if (const auto* ended = std::get_if<core::session_notice::Ended>(&notice)) {
            error = ended->error;
            m_loop.quit();
        }
    }
    void replyTook(const core::ReplyLatency&) override {}

    std::optional<std::string> answer;
    std::optional<Error> error;

private:
    QEventLoop& m_loop;
};

/// The checks in their order; each builds on the one before.
class Doctor {
public:
    explicit Doctor(const DoctorOptions& options) : m_events(m_clock, options.format) {}

    int run()
    {
        const bool isWell = checkPrograms() && checkServers() && checkHealth() && checkToken() && checkConversation();
        const bool hasSound = checkSound();
        lookAtModel();
        m_events.write("summary", {{"exitCode", m_exitCode}});
        if (!isWell) {
            m_events.say("Something is missing; see the lines above.");
        } else {
            m_events.say(hasSound
                    ? "Everything that a conversation needs works."
                    : "Everything that a conversation from recordings needs works; for a spoken one see above.");
        }
        return m_exitCode;
    }

private:
    bool report(const char* check, const std::string& finding, const std::optional<Error>& error = std::nullopt)
    {
        core::Json fields{{"check", check}, {"ok", !error.has_value()}, {"finding", error ? error->detail : finding}};
        if (error) {
            fields["code"] = core::codeText(error->code);
            m_exitCode = core::exitCode(error->code);
        }
        m_events.write("check", std::move(fields));
        m_events.say(std::string(error ? "[no]  " : "[yes] ") + check + ": " + (error ? error->detail : finding));
        return !error.has_value();
    }

    /// Not a failure: recordings and typed words need no devices, and a server has none.
    bool checkSound()
    {
        std::string microphone;
        std::string loudspeaker;
        for (const core::SoundDevice& device : findSoundDevices(core::SoundBackend::PortAudio)) {
            std::string& name = device.direction == core::SoundDirection::Capture ? microphone : loudspeaker;
            name = name.empty() ? device.name : name;
        }
        const bool hasBoth = !microphone.empty() && !loudspeaker.empty();
        const std::string finding = "microphone " + (microphone.empty() ? "none" : microphone) + ", loudspeaker "
            + (loudspeaker.empty() ? "none" : loudspeaker);
        m_events.write("check", {{"check", "sound"}, {"ok", hasBoth}, {"finding", finding}});
        m_events.say(std::string(hasBoth ? "[yes] " : "[no]  ") + "sound: " + finding);
        return hasBoth;
    }

    /// Of the model that is set in the window. Not a failure: conversations on this computer need none.
    void lookAtModel()
    {
        const core::Settings settings = platform::QtSettingsStore(platform::QtSettingsStore::defaultFile()).load();
        const std::string& model = settings.choice.model;
        if (settings.profile != core::Profile::Broker || model.empty()) {
            return;
        }
        const auto sunset = core::ModelList::builtIn().sunsetOf(model, m_clock.wallNow(), settings.choice.provider);
        const bool isThere = !sunset || !sunset->isOver();
        const bool isKnown = core::ModelList::builtIn().find(model) != nullptr;
        const std::string finding = sunset ? core::sunsetText(*sunset)
            : isKnown                      ? model + ", which no end is announced of, or none that is near"
                                           : model + ", which is not known here";
        m_events.write("check", {{"check", "model"}, {"ok", isThere}, {"finding", finding}});
        m_events.say(std::string(isThere ? "[yes] " : "[no]  ") + "model: " + finding);
    }

    /// Runs the loop until `isDone` was called, at most ten seconds.
    template <typename Begin>
    void wait(Begin begin)
    {
        QEventLoop loop;
        const auto deadline = m_executor.after(core::Milliseconds{20'000}, [&loop] { loop.quit(); });
        begin(loop);
        loop.exec();
    }

    bool checkPrograms()
    {
        const QString missing = embedded::EmbeddedServices::missingProgram(QCoreApplication::applicationDirPath());
        if (!missing.isEmpty()) {
            return report("programs", {},
                Error{ErrorCode::ChildNotStarted, "not there: " + missing.toStdString(), std::nullopt, {}});
        }
        return report("programs", "the broker and the offline agent are beside this program");
    }

    bool checkServers()
    {
        m_servers = std::make_unique<embedded::EmbeddedServices>(embedded::EmbeddedServices::Options{
            QCoreApplication::applicationDirPath(), {}, core::Milliseconds{15'000}});
        std::optional<Error> error = Error{ErrorCode::Timeout, "they were not ready in time", std::nullopt, {}};
        wait([&](QEventLoop& loop) {
            m_servers->start(
                [&](core::Expected<embedded::EmbeddedServices::Address, Error> address) {
                    if (address) {
                        m_address = std::move(*address);
                        error.reset();
                    } else {
                        error = address.error();
                    }
                    loop.quit();
                },
                [](const Error&) {});
        });
        return report("servers",
            "ready after " + std::to_string(m_events.elapsed().count()) + " ms at " + m_address.brokerUrl, error);
    }

    bool checkHealth()
    {
        std::optional<Error> error = Error{ErrorCode::Timeout, "no answer in time", std::nullopt, {}};
        std::unique_ptr<core::HttpCall> call;
        wait([&](QEventLoop& loop) {
            core::HttpClient::Request request;
            request.method = "GET";
            request.url = m_address.brokerUrl + "/api/voice-agent/health";
            call = m_http.send(std::move(request), [&](core::Expected<core::HttpClient::Response, Error> response) {
                if (!response) {
                    error = response.error();
                } else if (response->status != 200) {
                    error = Error{ErrorCode::BrokerFailed, "the broker says HTTP " + std::to_string(response->status),
                        std::nullopt, {}};
                } else {
                    error.reset();
                }
                loop.quit();
            });
        });
        return report("health", "the broker is well", error);
    }

    bool checkToken()
    {
        m_source = std::make_unique<core::BrokerTokenSource>(
            core::BrokerTokenSource::Dependencies{m_http, m_clock, m_address.brokerUrl,
                std::make_shared<core::LiteralCredential>(m_address.credential), {}, core::randomId()});
        m_tokens = std::make_unique<core::CachingTokenSource>(*m_source, m_clock, m_executor);
        std::optional<Error> error = Error{ErrorCode::Timeout, "no token in time", std::nullopt, {}};
        std::string finding;
        wait([&](QEventLoop& loop) {
            m_tokens->fetch({}, [&](core::Expected<core::TokenPtr, Error> token) {
                if (token) {
                    const auto life =
                        std::chrono::duration_cast<std::chrono::seconds>((*token)->expiresAt - m_clock.now());
                    finding = "good for " + std::to_string(life.count()) + " s, for " + (*token)->model;
                    error.reset();
                } else {
                    error = token.error();
                }
                loop.quit();
            });
        });
        return report("token", finding, error);
    }

    bool checkConversation()
    {
        QEventLoop loop;
        AnswerWatch watch(loop);
        CommandTools tools(m_executor);
        RecordedVoiceIo voice(m_executor, m_clock, {}, Pace::Fast, [](auto, auto) { return true; });
        platform::QtWebSocketFactory transports;
        core::SessionRunner session({*m_tokens, transports, voice, tools, m_clock, m_executor, watch, {}});
        const auto deadline = m_executor.after(core::Milliseconds{20'000}, [&loop] { loop.quit(); });
        session.start();
        session.say("what is two plus two");
        loop.exec();
        if (watch.answer) {
            return report("conversation", "asked what two plus two is, the agent said: " + *watch.answer);
        }
        return report(
            "conversation", {}, watch.error.value_or(Error{ErrorCode::Timeout, "no answer in time", std::nullopt, {}}));
    }

    core::SystemClock m_clock;
    EventWriter m_events;
    platform::QtExecutor m_executor;
    platform::QtHttpClient m_http;
    std::unique_ptr<embedded::EmbeddedServices> m_servers;
    embedded::EmbeddedServices::Address m_address;
    std::unique_ptr<core::BrokerTokenSource> m_source;
    std::unique_ptr<core::CachingTokenSource> m_tokens;
    int m_exitCode = 0;
};

} // namespace

int runDoctor(const DoctorOptions& options)
{
    return Doctor(options).run();
}

} // namespace vivavoce::cli
