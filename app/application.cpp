#include "app/application.h"

#include <QCoreApplication>

namespace vivavoce::app {
namespace {

constexpr const char* kCredentialVariable = "VIVAVOCE_CREDENTIAL";

/// Reads the credential and takes it out of the environment, so that no child inherits it.
std::shared_ptr<const core::Secret> takeCredential()
{
    QByteArray value = qgetenv(kCredentialVariable);
    qunsetenv(kCredentialVariable);
    if (value.isEmpty()) {
        return nullptr;
    }
    auto secret = std::make_shared<const core::Secret>(
        std::string_view(value.constData(), static_cast<std::size_t>(value.size())));
    value.fill('\0');
    return secret;
}

embedded::EmbeddedServices::Options services()
{
    embedded::EmbeddedServices::Options options;
    options.programFolder = QCoreApplication::applicationDirPath();
    return options;
}

} // namespace

Application::Application()
    : m_store(platform::QtSettingsStore::defaultFile()),
      m_settings(m_store),
      m_tools(m_executor),
      m_sound(makeSound(m_executor, m_settings.current())),
      m_talk({m_settings, m_sound->voice(), m_transports, m_http, m_tools, m_clock, m_executor, takeCredential(),
          services()}),
      m_window({m_talk, m_sound->controls(), m_sound->devices(), m_settings, m_clock,
          embedded::EmbeddedServices::missingProgram(QCoreApplication::applicationDirPath()).isEmpty()})
{
    m_sound->apply(m_settings.current());
    m_settings.follow([this](const core::Settings& settings) { m_sound->apply(settings); });
}

} // namespace vivavoce::app
