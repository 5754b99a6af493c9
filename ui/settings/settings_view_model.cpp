#include "ui/settings/settings_view_model.h"

#include "core/settings/broker_address.h"
#include "ui/style/error_text.h"

#include <QLocale>

#include <algorithm>
#include <utility>
#include <vector>

namespace vivavoce::ui {
namespace {

constexpr std::chrono::milliseconds kLevelInterval{50};
constexpr double kQuietDbfs = -60;

qreal levelOf(double dbfs)
{
    return std::clamp(1 - dbfs / kQuietDbfs, 0.0, 1.0);
}

/// What is offered, and what holds: the file may say something else.
std::vector<int> withCurrent(std::vector<int> offered, int current)
{
    const auto place = std::lower_bound(offered.begin(), offered.end(), current);
    if (place == offered.end() || *place != current) {
        offered.insert(place, current);
    }
    return offered;
}

std::vector<int> spendCents(const core::Settings& settings)
{
    return withCurrent({0, 50, 100, 200, 500, 1'000, 2'000, 5'000}, settings.spendLimitCents);
}

std::vector<int> idleMinutes(const core::Settings& settings)
{
    return withCurrent({0, 5, 10, 30, 60}, settings.idleMinutes);
}

std::vector<int> refreshSeconds(const core::Settings& settings)
{
    return withCurrent({10, 30, 60, 120, 300}, static_cast<int>(settings.token.refreshThreshold.count()));
}

std::vector<int> retries(const core::Settings& settings)
{
    return withCurrent({0, 1, 3, 5, 10}, settings.token.maxRetryAttempts);
}

int rowOf(const std::vector<int>& values, int value)
{
    return static_cast<int>(std::find(values.begin(), values.end(), value) - values.begin());
}

bool isRow(const std::vector<int>& values, int row)
{
    return row >= 0 && static_cast<std::size_t>(row) < values.size();
}

} // namespace

SettingsViewModel::SettingsViewModel(Dependencies dependencies, QObject* parent)
    : QObject(parent),
      m_deps(std::move(dependencies)),
      m_tools(m_deps.tools),
      m_network(m_deps.settings, m_deps.checkCaFile,
          [this](const core::NetworkChoice& choice) { set(&core::Settings::network, choice); }),
      m_choice(m_deps.settings, m_deps.clock,
          [this](const core::ProviderChoice& choice) { set(&core::Settings::choice, choice); }),
      m_project(m_deps.settings, [this](const core::Settings& settings) { save(settings); })
{
    m_toldBrokerUrl = brokerUrl();
    m_levels.setInterval(kLevelInterval);
    connect(&m_levels, &QTimer::timeout, this, [this] { readLevels(); });
    m_deps.settings.follow([this](const core::Settings&) {
        Q_EMIT changed();
        if (std::exchange(m_toldBrokerUrl, brokerUrl()) != brokerUrl()) {
            Q_EMIT brokerUrlChanged();
        }
    });
    m_deps.devices.watch([this] { readDevices(); });
    readDevices();
}

SettingsViewModel::~SettingsViewModel()
{
    m_deps.devices.watch({});
    setShown(false);
}

void SettingsViewModel::playTone()
{
    m_deps.voice.playTestTone();
}

void SettingsViewModel::useThisComputer()
{
    forgetAddressFault();
    set(&core::Settings::profile, core::Profile::ThisComputer);
}

bool SettingsViewModel::useBroker(const QString& address)
{
    const auto checked = core::brokerAddress(address.toStdString());
    if (!checked) {
        m_addressFault = addressFaultText(checked.error());
        Q_EMIT addressFaultChanged();
        return false;
    }
    forgetAddressFault();
    core::Settings settings = now();
    settings.profile = core::Profile::Broker;
    settings.brokerUrl = *checked;
    save(settings);
    return true;
}

void SettingsViewModel::forgetAddressFault()
{
    if (!m_addressFault.isEmpty()) {
        m_addressFault.clear();
        Q_EMIT addressFaultChanged();
    }
}

void SettingsViewModel::setShown(bool isShown)
{
    if (isShown == this->isShown()) {
        return;
    }
    m_deps.voice.setPreview(isShown);
    if (isShown) {
        readDevices();
        m_network.look();
        m_choice.look();
        m_project.forgetFault();
        m_levels.start();
    } else {
        m_levels.stop();
        m_isDeletionOffered = false;
        m_microphoneLevel = 0;
        m_loudspeakerLevel = 0;
        Q_EMIT levelsChanged();
    }
    Q_EMIT isShownChanged();
}

void SettingsViewModel::setMicrophone(int row)
{
    choose({m_microphones.idAt(row), now().devices.playbackId});
}

void SettingsViewModel::setLoudspeaker(int row)
{
    choose({now().devices.captureId, m_loudspeakers.idAt(row)});
}

void SettingsViewModel::setTalkMode(int mode)
{
    set(&core::Settings::talkMode, mode == 1 ? core::TalkMode::PushToTalk : core::TalkMode::OpenMic);
}

void SettingsViewModel::setEchoCancelled(bool isOn)
{
    set(&core::Settings::isEchoCancelled, isOn);
}

void SettingsViewModel::setNoiseSuppressed(bool isOn)
{
    set(&core::Settings::isNoiseSuppressed, isOn);
}

void SettingsViewModel::setGainAutomatic(bool isOn)
{
    set(&core::Settings::isGainAutomatic, isOn);
}

QStringList SettingsViewModel::spendLimits() const
{
    QStringList words;
    for (const int cents : spendCents(now())) {
        // Providers bill in US dollars, whatever is usual here.
        words << (cents == 0 ? tr("No limit") : QStringLiteral("$%1").arg(QLocale().toString(cents / 100.0, 'f', 2)));
    }
    return words;
}

int SettingsViewModel::spendLimit() const
{
    return rowOf(spendCents(now()), now().spendLimitCents);
}

void SettingsViewModel::setSpendLimit(int row)
{
    if (const auto values = spendCents(now()); isRow(values, row)) {
        set(&core::Settings::spendLimitCents, values[static_cast<std::size_t>(row)]);
    }
}

QStringList SettingsViewModel::idleTimes() const
{
    QStringList words;
    for (const int minutes : idleMinutes(now())) {
        words << (minutes == 0 ? tr("Never") : tr("After %1 min").arg(minutes));
    }
    return words;
}

int SettingsViewModel::idleTime() const
{
    return rowOf(idleMinutes(now()), now().idleMinutes);
}

void SettingsViewModel::setIdleTime(int row)
{
    if (const auto values = idleMinutes(now()); isRow(values, row)) {
        set(&core::Settings::idleMinutes, values[static_cast<std::size_t>(row)]);
    }
}

void SettingsViewModel::setAutoRefreshed(bool isOn)
{
    core::TokenSettings token = now().token;
    token.enableAutoRefresh = isOn;
    set(&core::Settings::token, token);
}

QStringList SettingsViewModel::refreshThresholds() const
{
    QStringList words;
    for (const int seconds : refreshSeconds(now())) {
        words << (seconds % 60 == 0 ? tr("%1 min before its end").arg(seconds / 60)
                                    : tr("%1 s before its end").arg(seconds));
    }
    return words;
}

int SettingsViewModel::refreshThreshold() const
{
    return rowOf(refreshSeconds(now()), static_cast<int>(now().token.refreshThreshold.count()));
}

void SettingsViewModel::setRefreshThreshold(int row)
{
    if (const auto values = refreshSeconds(now()); isRow(values, row)) {
        core::TokenSettings token = now().token;
        token.refreshThreshold = std::chrono::seconds{values[static_cast<std::size_t>(row)]};
        set(&core::Settings::token, token);
    }
}

QStringList SettingsViewModel::retryCounts() const
{
    QStringList words;
    for (const int count : retries(now())) {
        words << (count == 0 ? tr("Not") : count == 1 ? tr("Once") : tr("%1 times").arg(count));
    }
    return words;
}

int SettingsViewModel::retryCount() const
{
    return rowOf(retries(now()), now().token.maxRetryAttempts);
}

void SettingsViewModel::setRetryCount(int row)
{
    if (const auto values = retries(now()); isRow(values, row)) {
        core::TokenSettings token = now().token;
        token.maxRetryAttempts = values[static_cast<std::size_t>(row)];
        set(&core::Settings::token, token);
    }
}

void SettingsViewModel::setColourScheme(int scheme)
{
    set(&core::Settings::colourScheme, static_cast<core::ColourScheme>(std::clamp(scheme, 0, 2)));
}

void SettingsViewModel::setMotionReduced(bool isOn)
{
    set(&core::Settings::isMotionReduced, isOn);
}

void SettingsViewModel::setKeepsConversations(bool isOn)
{
    if (isOn != keepsConversations()) {
        m_isDeletionOffered = !isOn && m_deps.history != nullptr && !m_deps.history->isEmpty();
        core::Settings settings = now();
        settings.keepsConversations = isOn;
        // Whoever keeps words again has not asked for sound.
        settings.recordsSound = isOn && settings.recordsSound;
        save(settings);
    }
}

void SettingsViewModel::setRecordsSound(bool isOn)
{
    if (now().keepsConversations) {
        set(&core::Settings::recordsSound, isOn);
    }
}

void SettingsViewModel::setSoundFormat(int format)
{
    set(&core::Settings::soundFormat, format == 1 ? core::SoundFormat::Wav : core::SoundFormat::OggOpus);
}

void SettingsViewModel::deleteKept()
{
    if (m_deps.history == nullptr || !std::exchange(m_isDeletionOffered, false)) {
        return;
    }
    const auto deleted = m_deps.history->removeAll();
    m_saveFault = deleted ? QString() : errorText(deleted.error()).sentence;
    m_isDeletionOffered = !deleted;
    Q_EMIT changed();
}

void SettingsViewModel::leaveKept()
{
    m_isDeletionOffered = false;
    Q_EMIT changed();
}

template <typename Value>
void SettingsViewModel::set(Value core::Settings::*field, Value value)
{
    core::Settings settings = now();
    settings.*field = value;
    save(settings);
}

void SettingsViewModel::save(const core::Settings& settings)
{
    const auto saved = m_deps.settings.change(settings);
    m_saveFault = saved ? QString() : errorText(saved.error()).sentence;
    Q_EMIT changed();
}

void SettingsViewModel::choose(const core::DeviceChoice& choice)
{
    if (choice != now().devices) {
        m_deps.voice.choose(choice);
        set(&core::Settings::devices, choice);
    }
}

void SettingsViewModel::readDevices()
{
    m_microphones.setDevices(m_deps.devices.devices(core::SoundDirection::Capture), now().devices.captureId);
    m_loudspeakers.setDevices(m_deps.devices.devices(core::SoundDirection::Playback), now().devices.playbackId);
    Q_EMIT changed();
}

void SettingsViewModel::readLevels()
{
    const core::VoiceLevels levels = m_deps.voice.takeLevels();
    m_microphoneLevel = levelOf(levels.captureDbfs);
    m_loudspeakerLevel = levelOf(levels.playbackDbfs);
    Q_EMIT levelsChanged();
}

} // namespace vivavoce::ui
