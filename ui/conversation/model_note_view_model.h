#pragma once

#include "core/models/model_list.h"
#include "core/session/session_effect.h"

#include <QObject>
#include <QStringList>
#include <QtQml/qqmlregistration.h>

#include <optional>
#include <string>

namespace vivavoce::ui {

/// That the model one talks to is to be shut down, or that the provider goes on with other settings than were asked for, until somebody has
/// read it.
class ModelNoteViewModel : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The conversation has it")
    Q_PROPERTY(bool isShown READ isShown NOTIFY changed)
    Q_PROPERTY(QString text READ text NOTIFY changed)

public:
    explicit ModelNoteViewModel(QObject* parent = nullptr) : QObject(parent) {}

    /// A conversation has it now, of this provider. Empty: none that anybody shuts down.
    void met(const std::string& model, const std::string& provider, core::WallTime now);
    void differs(const core::session_notice::SettingDiffers& differs);
    /// Of another conversation.
    void forgetDifferences();
    /// Nothing more is said of this model while the program runs.
    Q_INVOKABLE void dismiss();

    [[nodiscard]] bool isShown() const { return isSunsetNews() || !m_differences.isEmpty(); }
    [[nodiscard]] QString text() const;

Q_SIGNALS:
    void changed();

private:
    [[nodiscard]] bool isSunsetNews() const { return m_sunset && m_sunset->model != m_read; }

    std::optional<core::Sunset> m_sunset;
    std::string m_read;
    QStringList m_differences;
};

} // namespace vivavoce::ui
