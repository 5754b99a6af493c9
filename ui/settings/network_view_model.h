#pragma once

#include "core/settings/ca_file.h"
#include "core/settings/live_settings.h"

#include <QObject>
#include <QtQml/qqmlregistration.h>

#include <functional>
#include <optional>

namespace vivavoce::ui {

/// How other computers are reached, and whom besides the system's authorities they are believed for.
/// Invariant: what cannot be used is never saved.
class NetworkViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")
    /// 0: as the system says, 1: none, 2: the one at `proxyUrl`.
    Q_PROPERTY(int proxy READ proxy NOTIFY changed)
    Q_PROPERTY(QString proxyUrl READ proxyUrl NOTIFY proxyUrlChanged)
    /// Why the address last tried is not used; empty: it is.
    Q_PROPERTY(QString proxyFault READ proxyFault NOTIFY changed)
    /// Empty: none.
    Q_PROPERTY(QString caFile READ caFile NOTIFY caFileChanged)
    /// Why the file last tried is not used, or what is wrong with the one in use; empty: nothing.
    Q_PROPERTY(QString caFault READ caFault NOTIFY changed)

public:
    using Save = std::function<void(const core::NetworkChoice& choice)>;

    /// `check` null: every file will do.
    NetworkViewModel(core::LiveSettings& settings, core::CheckCaFile check, Save save, QObject* parent = nullptr);

    Q_INVOKABLE void useSystem() { choose(core::ProxyChoice::System); }
    Q_INVOKABLE void useNone() { choose(core::ProxyChoice::None); }
    /// Whether it is an address; otherwise `proxyFault` says why not, and nothing changes.
    Q_INVOKABLE bool useProxy(const QString& address);
    Q_INVOKABLE void forgetProxyFault();
    /// Whether it will do, as no file does; otherwise `caFault` says why not, and nothing changes.
    Q_INVOKABLE bool useCaFile(const QString& path);
    Q_INVOKABLE void forgetCaFault();
    /// The file may have become another one.
    void look();

    [[nodiscard]] int proxy() const { return static_cast<int>(now().proxy); }
    [[nodiscard]] QString proxyUrl() const { return QString::fromStdString(now().proxyUrl); }
    [[nodiscard]] QString proxyFault() const { return m_proxyFault; }
    [[nodiscard]] QString caFile() const { return QString::fromStdString(now().caFile); }
    [[nodiscard]] QString caFault() const { return m_caFault; }

Q_SIGNALS:
    void changed();
    /// Only where it is another one: somebody may be typing.
    void proxyUrlChanged();
    void caFileChanged();

private:
    [[nodiscard]] const core::NetworkChoice& now() const { return m_settings.current().network; }
    [[nodiscard]] std::optional<core::CaFileFault> faultOf(const std::string& path) const;
    void choose(core::ProxyChoice proxy);
    void told();

    core::LiveSettings& m_settings;
    core::CheckCaFile m_check;
    Save m_save;
    core::NetworkChoice m_told;
    QString m_proxyFault;
    QString m_caFault;
};

} // namespace vivavoce::ui
