#pragma once

#include "core/base/clock.h"
#include "core/settings/live_settings.h"

#include <QObject>
#include <QStringList>
#include <QtQml/qqmlregistration.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace vivavoce::ui {

/// Which provider, model and voice a broker is asked for.
/// Invariant: what no broker could take is never saved.
class ChoiceViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The settings have it")
    /// Empty: as the broker decides.
    Q_PROPERTY(QString provider READ provider NOTIFY providerChanged)
    Q_PROPERTY(QString model READ model NOTIFY modelChanged)
    /// Why what was last typed is not used; empty: it is.
    Q_PROPERTY(QString fault READ fault NOTIFY changed)
    Q_PROPERTY(bool isProviderWrong READ isProviderWrong NOTIFY changed)
    Q_PROPERTY(bool isModelWrong READ isModelWrong NOTIFY changed)
    /// What there is to know of the model that is chosen; empty: nothing.
    Q_PROPERTY(QString note READ note NOTIFY changed)
    /// Some that there are; a broker may have others.
    Q_PROPERTY(QStringList providers READ providers CONSTANT)
    /// Empty: as the server chooses.
    Q_PROPERTY(QString voice READ voice NOTIFY voiceChanged)
    /// What can be chosen from: first none, then those that the provider is known to have and the one that was chosen, last any other one.
    /// Empty: nobody knows that provider's.
    Q_PROPERTY(QStringList voices READ voices NOTIFY voicesChanged)
    /// Which of them holds.
    Q_PROPERTY(int voiceRow READ voiceRow NOTIFY voicesChanged)
    /// Why the voice that was last typed is not used; empty: it is.
    Q_PROPERTY(QString voiceFault READ voiceFault NOTIFY changed)

public:
    using Save = std::function<void(const core::ProviderChoice& choice)>;

    /// `clock` null: no end of a model is near.
    ChoiceViewModel(core::LiveSettings& settings, const core::Clock* clock, Save save, QObject* parent = nullptr);

    /// Whether they are names, or nothing; otherwise `fault` says why not, and nothing changes.
    Q_INVOKABLE bool use(const QString& provider, const QString& model);
    /// Whether it is a name, or nothing; otherwise `voiceFault` says why not, and nothing changes.
    Q_INVOKABLE bool useVoice(const QString& voice);
    /// One of `voices`; the last one changes nothing.
    Q_INVOKABLE void chooseVoice(int row);
    /// A conversation is held with that provider of the broker's: whose voices to offer where none is chosen. `profile`: which kind of server
    /// that is, whose voices are known by that; empty: by its name.
    void setServing(const QString& provider, const QString& profile = {});
    /// Somebody types: what was wrong before is no more of interest.
    Q_INVOKABLE void forgetFault();
    /// Some models of this provider; empty: of all that are known.
    [[nodiscard]] Q_INVOKABLE QStringList modelsOf(const QString& provider) const;
    /// It may have become another day.
    void look() { forgetFault(); }

    [[nodiscard]] QString provider() const { return QString::fromStdString(now().provider); }
    [[nodiscard]] QString model() const { return QString::fromStdString(now().model); }
    [[nodiscard]] QString fault() const { return m_fault; }
    [[nodiscard]] bool isProviderWrong() const { return m_isProviderWrong; }
    [[nodiscard]] bool isModelWrong() const { return !m_fault.isEmpty() && !m_isProviderWrong; }
    [[nodiscard]] QString note() const;
    [[nodiscard]] static QStringList providers();
    [[nodiscard]] QString voice() const { return QString::fromStdString(now().voice); }
    [[nodiscard]] QStringList voices() const;
    [[nodiscard]] int voiceRow() const;
    [[nodiscard]] QString voiceFault() const { return m_voiceFault; }

Q_SIGNALS:
    void changed();
    /// Only where it is another one: somebody may be typing.
    void providerChanged();
    void modelChanged();
    void voiceChanged();
    /// It is another one, or they are another provider's.
    void voicesChanged();

private:
    /// As far as that is known.
    [[nodiscard]] std::string providerInUse() const;
    /// By what a provider's voices are known.
    [[nodiscard]] std::string profileOf(const std::string& provider) const;
    /// Known voices and the one that was chosen; empty: none are known.
    [[nodiscard]] std::vector<std::string> namedVoices() const;
    [[nodiscard]] const core::ProviderChoice& now() const { return m_settings.current().choice; }
    [[nodiscard]] core::WallTime today() const { return m_clock != nullptr ? m_clock->wallNow() : core::WallTime(); }
    void told();

    core::LiveSettings& m_settings;
    const core::Clock* m_clock;
    Save m_save;
    core::ProviderChoice m_told;
    /// Whose choice it is: which agent, and the address of the broker's.
    std::pair<core::Profile, std::string> m_agent;
    /// The last that this broker chose.
    std::string m_serving;
    std::string m_servingProfile;
    QString m_fault;
    QString m_voiceFault;
    bool m_isProviderWrong = false;
};

} // namespace vivavoce::ui
