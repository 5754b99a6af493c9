#include "ui/conversation/model_note_view_model.h"

#include "ui/style/model_words.h"

namespace vivavoce::ui {

void ModelNoteViewModel::met(const std::string& model, const std::string& provider, core::WallTime now)
{
    m_sunset = core::ModelList::builtIn().sunsetOf(model, now, provider);
    Q_EMIT changed();
}

void ModelNoteViewModel::differs(const core::session_notice::SettingDiffers& differs)
{
    const QString words = differs.setting == "model"
        ? tr("The provider has %1 answer, and not the model %2 that was asked for.")
        : differs.setting == "voice"        ? tr("The provider speaks with the voice %1, and not with %2.")
        : differs.setting == "input_format" ? tr("The provider listens to sound as %1, and not as %2.")
                                            : tr("The provider speaks in sound as %1, and not as %2.");
    m_differences += words.arg(QString::fromStdString(differs.given), QString::fromStdString(differs.asked));
    Q_EMIT changed();
}

void ModelNoteViewModel::forgetDifferences()
{
    m_differences.clear();
    Q_EMIT changed();
}

void ModelNoteViewModel::dismiss()
{
    if (m_sunset) {
        m_read = m_sunset->model;
    }
    forgetDifferences();
}

QString ModelNoteViewModel::text() const
{
    QStringList sentences;
    if (isSunsetNews()) {
        sentences << sunsetWords(*m_sunset) << tr("Name another one in the settings, or ask whoever runs your broker.");
    }
    return (sentences + m_differences).join(QLatin1Char(' '));
}

} // namespace vivavoce::ui
