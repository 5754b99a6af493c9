#include "ui/settings/choice_view_model.h"

#include "core/models/model_list.h"
#include "core/usage/price_list.h"
#include "ui/style/error_text.h"
#include "ui/style/model_words.h"

#include <utility>

namespace vivavoce::ui {
namespace {

QStringList listOf(const std::vector<std::string>& names)
{
    QStringList list;
    for (const std::string& name : names) {
        list << QString::fromStdString(name);
    }
    return list;
}

} // namespace

ChoiceViewModel::ChoiceViewModel(core::LiveSettings& settings, const core::Clock* clock, Save save, QObject* parent)
    : QObject(parent), m_settings(settings), m_clock(clock), m_save(std::move(save)), m_told(now())
{
    m_settings.follow([this](const core::Settings&) { told(); });
}

bool ChoiceViewModel::use(const QString& provider, const QString& model)
{
    const core::ProviderChoice wanted{provider.trimmed().toStdString(), model.trimmed().toStdString()};
    const auto ofProvider = core::nameFault(wanted.provider);
    const auto fault = ofProvider ? ofProvider : core::nameFault(wanted.model);
    m_isProviderWrong = ofProvider.has_value();
    m_fault = fault ? nameFaultText(*fault) : QString();
    if (!fault) {
        m_save(wanted);
    }
    Q_EMIT changed();
    return !fault;
}

void ChoiceViewModel::forgetFault()
{
    m_fault.clear();
    m_isProviderWrong = false;
    Q_EMIT changed();
}

QStringList ChoiceViewModel::modelsOf(const QString& provider) const
{
    return listOf(core::ModelList::builtIn().offered(provider.trimmed().toStdString(), today()));
}

QStringList ChoiceViewModel::providers()
{
    return listOf(core::ModelList::builtIn().providers());
}

QString ChoiceViewModel::note() const
{
    const std::string& model = now().model;
    if (model.empty()) {
        return {};
    }
    if (const auto sunset = core::ModelList::builtIn().sunsetOf(model, today(), now().provider)) {
        return sunsetWords(*sunset);
    }
    return core::PriceList::builtIn().find(model, today()) == nullptr
        ? tr("What this model costs is not known here, and is not estimated.")
        : QString();
}

void ChoiceViewModel::told()
{
    const core::ProviderChoice before = std::exchange(m_told, now());
    if (before == m_told) {
        return;
    }
    Q_EMIT changed();
    if (before.provider != m_told.provider) {
        Q_EMIT providerChanged();
    }
    if (before.model != m_told.model) {
        Q_EMIT modelChanged();
    }
}

} // namespace vivavoce::ui
