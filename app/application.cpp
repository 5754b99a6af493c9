#include "app/application.h"

#include "app/platform/ca_file.h"
#include "app/platform/local_moment.h"
#include "app/platform/network_settings.h"
#include "app/platform/qt_line_process.h"
#include "app/platform/qt_sha256.h"
#include "app/platform/small_file.h"
#include "core/base/environment_secret.h"

#include <QCoreApplication>
#include <QEventLoop>

#include <optional>
#include <tuple>
#include <utility>

namespace vivavoce::app {
namespace {

constexpr const char* kCredentialVariable = "VIVAVOCE_CREDENTIAL";

embedded::EmbeddedServices::Options services()
{
    embedded::EmbeddedServices::Options options;
    options.programFolder = QCoreApplication::applicationDirPath();
    return options;
}

std::shared_ptr<core::CredentialSource> credentialOf(
    std::shared_ptr<const core::Secret> literal, std::shared_ptr<core::SignIn> signIn)
{
    if (literal == nullptr) {
        return signIn;
    }
    return std::make_shared<core::LiteralCredential>(std::move(literal));
}

} // namespace

std::shared_ptr<const core::Secret> Application::takeCredential()
{
    auto secret = std::make_shared<const core::Secret>(core::takeFromEnvironment(kCredentialVariable));
    return secret->empty() ? nullptr : std::move(secret);
}

Application::Application(std::shared_ptr<const core::Secret> credential)
    : m_settings(m_store),
      m_hasCredential(credential != nullptr),
      m_signIn(std::make_shared<core::SignIn>(
          core::SignIn::Dependencies{m_http, m_clock, m_executor, m_browser, m_redirect, &platform::sha256})),
      m_builtIn({m_clock, m_executor, m_browser, &platform::localMoment}),
      m_mcp({m_executor, [] { return std::make_unique<platform::QtLineProcess>(); }, VV_VERSION}),
      m_tools({m_clock, m_executor, {&m_builtIn, &m_mcp},
          [this](const std::string& name) -> std::optional<core::ToolPolicy> {
              const auto& decided = m_settings.current().toolPolicies;
              const auto found = decided.find(name);
              return found == decided.end() ? std::nullopt : std::optional(found->second);
          }}),
      m_toolChoices({m_settings, m_tools, m_mcp, &platform::readSmallFile, &platform::sha256}),
      m_sound(m_executor, m_settings),
      m_book(platform::SqliteUsageBook::defaultFolder()),
      m_credential(credentialOf(std::move(credential), m_signIn)),
      m_ledger({m_http, m_credential}),
      m_talk(
          {m_settings, m_sound.engine(), m_transports, m_http, m_tools, m_clock, m_executor, m_credential, services(),
              &platform::useNetwork, &m_book, [this](const core::Error& error) { m_window.tellProblem(error); }}),
      m_history(platform::SqliteConversationStore::defaultFolder()),
      m_window({m_talk, m_sound.engine(), m_sound.engine(), m_settings, m_clock, *m_signIn, m_history, m_files,
          embedded::EmbeddedServices::missingProgram(QCoreApplication::applicationDirPath()).isEmpty(), m_hasCredential,
          [this](const std::string& url, BrokerTrial::Done done) { m_trial.ask(url, std::move(done)); }, &m_tools,
          &m_toolChoices, &platform::checkCaFile, &m_book,
          [this](
              const core::UsageQuery& query, core::BrokerLedger::Done done) { m_ledger.ask(query, std::move(done)); },
          &m_sound.engine().recorder(), &m_sound.engine().player()})
{
    if (m_damaged) {
        m_window.tellDamagedSettings(*m_damaged);
    }
    if (const auto kept = m_history.keepDamaged()) {
        m_window.tellDamagedHistory(*kept);
    }
    m_builtIn.followTimers([this](const core::TimerDue& timer) {
        // Nobody may be looking.
        m_sound.engine().playTestTone();
        m_window.tellTimer(timer);
    });
    follow(m_settings.current());
    m_settings.follow([this](const core::Settings& settings) { follow(settings); });
    m_signIn->follow([this](const core::SignInStatus& status) { accountChanged(status); });
}

void Application::finish()
{
    bool isDone = false;
    m_talk.finish([&isDone] { isDone = true; });
    while (!isDone) {
        QCoreApplication::processEvents(QEventLoop::ExcludeUserInputEvents | QEventLoop::WaitForMoreEvents);
    }
}

void Application::follow(const core::Settings& settings)
{
    // For whoever signs in. What is wrong with it the next conversation tells.
    std::ignore = platform::useNetwork(settings.network);
    m_signIn->setBroker(settings.profile == core::Profile::Broker ? settings.brokerUrl : std::string());
}

void Application::accountChanged(const core::SignInStatus& status)
{
    using Stage = core::SignInStatus::Stage;
    // Whoever signs out does not go on talking.
    if (std::exchange(m_isSignedIn, status.stage == Stage::SignedIn) && status.stage == Stage::SignedOut) {
        m_talk.stop();
        m_talk.forgetUser();
    }
}

} // namespace vivavoce::app
