#include "ui/conversation/model_note_view_model.h"

#include "ui/style/model_words.h"

namespace vivavoce::ui {

void ModelNoteViewModel::met(const std::string& model, const std::string& provider, core::WallTime now)
{
    m_sunset = core::ModelList::builtIn().sunsetOf(model, now, provider);
    Q_EMIT changed();
}

void ModelNoteViewModel::dismiss()
{
    if (m_sunset) {
        m_read = m_sunset->model;
        Q_EMIT changed();
    }
}

QString ModelNoteViewModel::text() const
{
    return m_sunset ? sunsetWords(*m_sunset) + QLatin1Char(' ')
            + tr("Name another one in the settings, or ask whoever runs your broker.")
                    : QString();
}

} // namespace vivavoce::ui
