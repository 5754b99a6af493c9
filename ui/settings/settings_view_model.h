#pragma once

#include "core/ports/conversation_store.h"
#include "core/ports/device_catalog.h"
#include "core/settings/live_settings.h"
#include "ui/settings/choice_view_model.h"
#include "ui/settings/device_model.h"
#include "ui/settings/network_view_model.h"
#include "ui/settings/project_view_model.h"
#include "ui/settings/tools_view_model.h"

#include <QObject>
#include <QStringList>
#include <QTimer>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// What a person can set. Each change holds at once and is saved.
/// Invariant: the microphone is open for its meter only while `isShown`.
class SettingsViewModel final : public QObject {
    Q_OBJECT
    QML_ELEMENT
    QML_UNCREATABLE("The application makes it")
    Q_PROPERTY(bool isShown READ isShown WRITE setShown NOTIFY isShownChanged)
    Q_PROPERTY(vivavoce::ui::DeviceModel* microphones READ microphones CONSTANT)
    Q_PROPERTY(vivavoce::ui::DeviceModel* loudspeakers READ loudspeakers CONSTANT)
    Q_PROPERTY(vivavoce::ui::ToolsViewModel* tools READ tools CONSTANT)
    Q_PROPERTY(vivavoce::ui::NetworkViewModel* network READ network CONSTANT)
    Q_PROPERTY(vivavoce::ui::ChoiceViewModel* choice READ choice CONSTANT)
    Q_PROPERTY(vivavoce::ui::ProjectViewModel* project READ project CONSTANT)
    Q_PROPERTY(int microphone READ microphone WRITE setMicrophone NOTIFY changed)
    Q_PROPERTY(int loudspeaker READ loudspeaker WRITE setLoudspeaker NOTIFY changed)
    Q_PROPERTY(qreal microphoneLevel READ microphoneLevel NOTIFY levelsChanged)
    Q_PROPERTY(qreal loudspeakerLevel READ loudspeakerLevel NOTIFY levelsChanged)
    /// 0: open microphone, 1: push to talk.
    Q_PROPERTY(int talkMode READ talkMode WRITE setTalkMode NOTIFY changed)
    Q_PROPERTY(bool isEchoCancelled READ isEchoCancelled WRITE setEchoCancelled NOTIFY changed)
    Q_PROPERTY(bool isNoiseSuppressed READ isNoiseSuppressed WRITE setNoiseSuppressed NOTIFY changed)
    Q_PROPERTY(bool isGainAutomatic READ isGainAutomatic WRITE setGainAutomatic NOTIFY changed)
    /// What a conversation with a broker may cost, in words, and which of them holds.
    Q_PROPERTY(QStringList spendLimits READ spendLimits NOTIFY changed)
    Q_PROPERTY(int spendLimit READ spendLimit WRITE setSpendLimit NOTIFY changed)
    /// How much silence ends a conversation, likewise.
    Q_PROPERTY(QStringList idleTimes READ idleTimes NOTIFY changed)
    Q_PROPERTY(int idleTime READ idleTime WRITE setIdleTime NOTIFY changed)
    /// A token is renewed before its end.
    Q_PROPERTY(bool isAutoRefreshed READ isAutoRefreshed WRITE setAutoRefreshed NOTIFY changed)
    /// How long before it, in words, and which of them holds.
    Q_PROPERTY(QStringList refreshThresholds READ refreshThresholds NOTIFY changed)
    Q_PROPERTY(int refreshThreshold READ refreshThreshold WRITE setRefreshThreshold NOTIFY changed)
    /// How often a first connection is tried again, likewise.
    Q_PROPERTY(QStringList retryCounts READ retryCounts NOTIFY changed)
    Q_PROPERTY(int retryCount READ retryCount WRITE setRetryCount NOTIFY changed)
    /// 0: as the system, 1: light, 2: dark.
    Q_PROPERTY(int colourScheme READ colourScheme WRITE setColourScheme NOTIFY changed)
    Q_PROPERTY(bool isMotionReduced READ isMotionReduced WRITE setMotionReduced NOTIFY changed)
    /// 0: this computer, 1: a broker.
    Q_PROPERTY(int profile READ profile NOTIFY changed)
    Q_PROPERTY(QString brokerUrl READ brokerUrl NOTIFY brokerUrlChanged)
    /// This build can run an agent of its own.
    Q_PROPERTY(bool hasAgent READ hasAgent CONSTANT)
    Q_PROPERTY(QString addressFault READ addressFault NOTIFY addressFaultChanged)
    /// What is said stays on this computer.
    Q_PROPERTY(bool keepsConversations READ keepsConversations WRITE setKeepsConversations NOTIFY changed)
    /// And the sound of both sides with it. Only where what is said is kept.
    Q_PROPERTY(bool recordsSound READ recordsSound WRITE setRecordsSound NOTIFY changed)
    /// 0: Ogg Opus, 1: WAV.
    Q_PROPERTY(int soundFormat READ soundFormat WRITE setSoundFormat NOTIFY changed)
    /// Nothing more is kept, and something was: it can be deleted.
    Q_PROPERTY(bool isDeletionOffered READ isDeletionOffered NOTIFY changed)
    /// Why the last change could not be saved; empty: it was.
    Q_PROPERTY(QString saveFault READ saveFault NOTIFY changed)

public:
    struct Dependencies {
        core::LiveSettings& settings;
        core::DeviceCatalog& devices;
        core::VoiceControls& voice;
        bool hasAgent = true;
        /// Null: nothing is ever kept.
        core::ConversationStore* history = nullptr;
        /// Null: there are no tools to decide on.
        core::ToolCatalog* tools = nullptr;
        /// Null: every file of authorities will do.
        core::CheckCaFile checkCaFile = {};
        /// Null: nobody knows what day it is, and no end of a model is near.
        const core::Clock* clock = nullptr;
    };

    explicit SettingsViewModel(Dependencies dependencies, QObject* parent = nullptr);
    ~SettingsViewModel() override;

    /// A second of a soft tone from the chosen loudspeaker.
    Q_INVOKABLE void playTone();
    /// The next conversation is with the agent of this computer.
    Q_INVOKABLE void useThisComputer();
    /// The next conversation is with this broker. Whether it was an address; otherwise `addressFault` says why not, and
    /// nothing changes.
    Q_INVOKABLE bool useBroker(const QString& address);
    /// Somebody types: what was wrong before is no more of interest.
    Q_INVOKABLE void forgetAddressFault();
    /// Deletes every conversation that was kept.
    Q_INVOKABLE void deleteKept();
    Q_INVOKABLE void leaveKept();

    [[nodiscard]] bool isShown() const { return m_levels.isActive(); }
    void setShown(bool isShown);
    [[nodiscard]] DeviceModel* microphones() { return &m_microphones; }
    [[nodiscard]] DeviceModel* loudspeakers() { return &m_loudspeakers; }
    [[nodiscard]] ToolsViewModel* tools() { return &m_tools; }
    [[nodiscard]] NetworkViewModel* network() { return &m_network; }
    [[nodiscard]] ChoiceViewModel* choice() { return &m_choice; }
    [[nodiscard]] ProjectViewModel* project() { return &m_project; }
    [[nodiscard]] int microphone() const { return m_microphones.rowOf(now().devices.captureId); }
    void setMicrophone(int row);
    [[nodiscard]] int loudspeaker() const { return m_loudspeakers.rowOf(now().devices.playbackId); }
    void setLoudspeaker(int row);
    [[nodiscard]] qreal microphoneLevel() const { return m_microphoneLevel; }
    [[nodiscard]] qreal loudspeakerLevel() const { return m_loudspeakerLevel; }
    [[nodiscard]] int talkMode() const { return static_cast<int>(now().talkMode); }
    void setTalkMode(int mode);
    [[nodiscard]] bool isEchoCancelled() const { return now().isEchoCancelled; }
    void setEchoCancelled(bool isOn);
    [[nodiscard]] bool isNoiseSuppressed() const { return now().isNoiseSuppressed; }
    void setNoiseSuppressed(bool isOn);
    [[nodiscard]] bool isGainAutomatic() const { return now().isGainAutomatic; }
    void setGainAutomatic(bool isOn);
    [[nodiscard]] QStringList spendLimits() const;
    [[nodiscard]] int spendLimit() const;
    void setSpendLimit(int row);
    [[nodiscard]] QStringList idleTimes() const;
    [[nodiscard]] int idleTime() const;
    void setIdleTime(int row);
    [[nodiscard]] bool isAutoRefreshed() const { return now().token.enableAutoRefresh; }
    void setAutoRefreshed(bool isOn);
    [[nodiscard]] QStringList refreshThresholds() const;
    [[nodiscard]] int refreshThreshold() const;
    void setRefreshThreshold(int row);
    [[nodiscard]] QStringList retryCounts() const;
    [[nodiscard]] int retryCount() const;
    void setRetryCount(int row);
    [[nodiscard]] int colourScheme() const { return static_cast<int>(now().colourScheme); }
    void setColourScheme(int scheme);
    [[nodiscard]] bool isMotionReduced() const { return now().isMotionReduced; }
    void setMotionReduced(bool isOn);
    [[nodiscard]] bool keepsConversations() const { return now().keepsConversations; }
    void setKeepsConversations(bool isOn);
    [[nodiscard]] bool recordsSound() const { return now().keepsConversations && now().recordsSound; }
    void setRecordsSound(bool isOn);
    [[nodiscard]] int soundFormat() const { return static_cast<int>(now().soundFormat); }
    void setSoundFormat(int format);
    [[nodiscard]] bool isDeletionOffered() const { return m_isDeletionOffered; }
    [[nodiscard]] int profile() const { return now().profile == core::Profile::Broker ? 1 : 0; }
    [[nodiscard]] QString brokerUrl() const { return QString::fromStdString(now().brokerUrl); }
    [[nodiscard]] bool hasAgent() const { return m_deps.hasAgent; }
    [[nodiscard]] QString addressFault() const { return m_addressFault; }
    [[nodiscard]] QString saveFault() const { return m_saveFault; }

Q_SIGNALS:
    void isShownChanged();
    void changed();
    /// Only where it is another one: somebody may be typing an address.
    void brokerUrlChanged();
    void levelsChanged();
    void addressFaultChanged();

private:
    [[nodiscard]] const core::Settings& now() const { return m_deps.settings.current(); }
    template <typename Value>
    void set(Value core::Settings::*field, Value value);
    void save(const core::Settings& settings);
    void choose(const core::DeviceChoice& choice);
    void readDevices();
    void readLevels();

    Dependencies m_deps;
    DeviceModel m_microphones;
    DeviceModel m_loudspeakers;
    ToolsViewModel m_tools;
    NetworkViewModel m_network;
    ChoiceViewModel m_choice;
    ProjectViewModel m_project;
    QTimer m_levels;
    qreal m_microphoneLevel = 0;
    qreal m_loudspeakerLevel = 0;
    QString m_toldBrokerUrl;
    QString m_addressFault;
    QString m_saveFault;
    bool m_isDeletionOffered = false;
};

} // namespace vivavoce::ui
