#include "app/application.h"

#include "core/base/environment_secret.h"

#include <QCoreApplication>

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

} // namespace

std::shared_ptr<const core::Secret> Application::takeCredential()
{
    auto secret = std::make_shared<const core::Secret>(core::takeFromEnvironment(kCredentialVariable));
    return secret->empty() ? nullptr : std::move(secret);
}

Application::Application(std::shared_ptr<const core::Secret> credential)
    : m_store(platform::QtSettingsStore::defaultFile()),
      m_settings(m_store),
      m_tools(m_executor),
      m_sound(m_executor, m_settings),
      m_talk({m_settings, m_sound.engine(), m_transports, m_http, m_tools, m_clock, m_executor, std::move(credential),
          services()}),
      m_window({m_talk, m_sound.engine(), m_sound.engine(), m_settings, m_clock,
          embedded::EmbeddedServices::missingProgram(QCoreApplication::applicationDirPath()).isEmpty()})
{
}

} // namespace vivavoce::app
