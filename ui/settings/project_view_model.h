#pragma once

#include "core/settings/live_settings.h"

#include <QObject>
#include <QtQml/qqmlregistration.h>

#include <functional>
#include <string>

namespace vivavoce::ui {

/// Which project the broker is asked for. Each broker has its own.
/// Invariant: what no broker could take is never saved.
class ProjectViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")
    /// With the broker at the address that is set; empty: none.
    Q_PROPERTY(QString name READ name NOTIFY nameChanged)
    /// Why what was last typed is not used; empty: it is.
    Q_PROPERTY(QString fault READ fault NOTIFY faultChanged)

public:
    using Save = std::function<void(const core::Settings& settings)>;

    ProjectViewModel(core::LiveSettings& settings, Save save, QObject* parent = nullptr);

    /// Whether it is a name, or nothing; otherwise `fault` says why not, and nothing changes.
    Q_INVOKABLE bool use(const QString& name);
    /// Somebody types: what was wrong before is no more of interest.
    Q_INVOKABLE void forgetFault() { setFault(QString()); }

    [[nodiscard]] QString name() const { return QString::fromStdString(core::projectOf(m_settings.current())); }
    [[nodiscard]] QString fault() const { return m_fault; }

Q_SIGNALS:
    /// Only where it is another one: somebody may be typing.
    void nameChanged();
    void faultChanged();

private:
    void setFault(const QString& words);

    core::LiveSettings& m_settings;
    Save m_save;
    QString m_told;
    QString m_fault;
};

} // namespace vivavoce::ui
