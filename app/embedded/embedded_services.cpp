#include "app/embedded/embedded_services.h"

#include "core/base/random_id.h"

#include <QDir>
#include <QFileInfo>

#include <utility>

namespace vivavoce::embedded {
namespace {

constexpr const char* kAgent = "vivavoce-agent";
constexpr const char* kBroker = "vivavoce-broker";

/// 256 random bits.
core::Secret newCredential()
{
    std::string text = core::randomId() + core::randomId();
    core::Secret secret(text);
    core::wipeString(text);
    return secret;
}

QString programPath(const QString& folder, const char* name)
{
    QString file = QString::fromLatin1(name);
#ifdef Q_OS_WIN
    file += QStringLiteral(".exe");
#endif
    return QDir(folder).filePath(file);
}

} // namespace

EmbeddedServices::EmbeddedServices(Options options) : m_options(std::move(options)) {}

EmbeddedServices::~EmbeddedServices()
{
    // Both at once: the second does not begin to end when the first is done.
    for (const auto* child : {&m_broker, &m_agent}) {
        if (*child != nullptr) {
            (*child)->askToEnd();
        }
    }
}

void EmbeddedServices::end(std::function<void()> gone)
{
    m_ready = nullptr;
    m_died = nullptr;
    m_gone = std::move(gone);
    for (const auto* child : {&m_broker, &m_agent}) {
        if (*child != nullptr) {
            ++m_ending;
            (*child)->end([this] {
                if (--m_ending == 0) {
                    m_gone();
                }
            });
        }
    }
}

QString EmbeddedServices::missingProgram(const QString& programFolder)
{
    for (const char* name : {kAgent, kBroker}) {
        const QFileInfo file(programPath(programFolder, name));
        if (!file.isExecutable()) {
            return file.absoluteFilePath();
        }
    }
    return {};
}

void EmbeddedServices::start(Ready ready, Died died)
{
    m_ready = std::move(ready);
    m_died = std::move(died);
    m_agentCredential = newCredential();
    m_brokerCredential = std::make_shared<const core::Secret>(newCredential());
    m_agent = std::make_unique<ChildProcess>(
        "the offline agent",
        [this](core::Expected<std::string, core::Error> url) {
            if (url) {
                startBroker(*url);
            } else {
                refuse(url.error());
            }
        },
        [this](core::Error error) { refuse(std::move(error)); });
    QStringList arguments{QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0"), QStringLiteral("--credential-fd"),
        QStringLiteral("0")};
    arguments += m_options.agentArguments;
    if (arguments.contains(QStringLiteral("--chat-url"))) {
        m_agent->keep(QStringLiteral("VIVAVOCE_CHAT_API_KEY"));
    }
    m_agent->start(program(kAgent), arguments, {&m_agentCredential}, m_options.patience);
}

void EmbeddedServices::startBroker(const std::string& agentUrl)
{
    m_broker = std::make_unique<ChildProcess>(
        "the broker",
        [this](core::Expected<std::string, core::Error> url) {
            if (!url) {
                refuse(url.error());
            } else if (auto ready = std::exchange(m_ready, nullptr)) {
                ready(Address{std::move(*url), m_brokerCredential});
            }
        },
        [this](core::Error error) { refuse(std::move(error)); });
    m_broker->start(program(kBroker),
        {QStringLiteral("--embedded"), QStringLiteral("--credential-fd"), QStringLiteral("0"),
            QStringLiteral("--listen"), QStringLiteral("127.0.0.1:0"), QStringLiteral("--provider-url"),
            QString::fromStdString(agentUrl)},
        {m_brokerCredential.get(), &m_agentCredential}, m_options.patience);
}

QString EmbeddedServices::program(const char* name) const
{
    return programPath(m_options.programFolder, name);
}

void EmbeddedServices::refuse(core::Error error)
{
    if (auto ready = std::exchange(m_ready, nullptr)) {
        m_died = nullptr;
        ready(core::Unexpected<core::Error>(std::move(error)));
    } else if (auto died = std::exchange(m_died, nullptr)) {
        died(std::move(error));
    }
}

} // namespace vivavoce::embedded
