#include "ui/settings/project_view_model.h"

#include "ui/style/error_text.h"

#include <utility>

namespace vivavoce::ui {

ProjectViewModel::ProjectViewModel(core::LiveSettings& settings, Save save, QObject* parent)
    : QObject(parent), m_settings(settings), m_save(std::move(save)), m_told(name())
{
    m_settings.follow([this](const core::Settings&) {
        const QString before = std::exchange(m_told, name());
        if (before != m_told) {
            Q_EMIT nameChanged();
        }
    });
}

bool ProjectViewModel::use(const QString& name)
{
    const std::string wanted = name.trimmed().toStdString();
    const auto fault = core::projectNameFault(wanted);
    setFault(fault ? nameFaultText(*fault) : QString());
    if (!fault) {
        core::Settings settings = m_settings.current();
        core::nameProject(settings, wanted);
        m_save(settings);
    }
    return !fault;
}

void ProjectViewModel::setFault(const QString& words)
{
    if (std::exchange(m_fault, words) != words) {
        Q_EMIT faultChanged();
    }
}

} // namespace vivavoce::ui
