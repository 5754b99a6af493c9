#include "app/platform/qt_settings_store.h"

#include <QDir>
#include <QFileInfo>
#include <QSettings>
#include <QStandardPaths>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>

namespace vivavoce::platform {
namespace {

/// The words of an enum in the file. They stay, whatever becomes of the enum's order.
template <typename Value, std::size_t N>
struct Names {
    std::array<std::pair<Value, const char*>, N> rows;

    [[nodiscard]] QString text(Value value) const
    {
        for (const auto& [known, name] : rows) {
            if (known == value) {
                return QString::fromLatin1(name);
            }
        }
        return {};
    }
    [[nodiscard]] Value value(const QString& text, Value otherwise) const
    {
        for (const auto& [known, name] : rows) {
            if (text == QLatin1String(name)) {
                return known;
            }
        }
        return otherwise;
    }
};

constexpr Names<core::Profile, 3> kProfiles{{{{core::Profile::None, "none"},
    {core::Profile::ThisComputer, "this-computer"}, {core::Profile::Broker, "broker"}}}};
constexpr Names<core::TalkMode, 2> kTalkModes{
    {{{core::TalkMode::OpenMic, "open"}, {core::TalkMode::PushToTalk, "push-to-talk"}}}};
constexpr Names<core::ColourScheme, 3> kSchemes{{{{core::ColourScheme::System, "system"},
    {core::ColourScheme::Light, "light"}, {core::ColourScheme::Dark, "dark"}}}};
constexpr Names<core::SoundBackend, 2> kBackends{
    {{{core::SoundBackend::PortAudio, "portaudio"}, {core::SoundBackend::QtMultimedia, "qt"}}}};

constexpr Names<core::ProxyChoice, 3> kProxies{
    {{{core::ProxyChoice::System, "system"}, {core::ProxyChoice::None, "none"}, {core::ProxyChoice::Own, "own"}}}};

constexpr Names<core::ToolPolicy, 3> kPolicies{
    {{{core::ToolPolicy::Always, "always"}, {core::ToolPolicy::Ask, "ask"}, {core::ToolPolicy::Never, "never"}}}};

constexpr Names<core::SoundFormat, 2> kSoundFormats{
    {{{core::SoundFormat::OggOpus, "opus"}, {core::SoundFormat::Wav, "wav"}}}};

QString key(const char* name)
{
    return QString::fromLatin1(name);
}

/// Names that others chose are keys; percent signs keep what a key cannot hold.
std::map<std::string, QString> groupOf(const QSettings& file, const char* group)
{
    std::map<std::string, QString> found;
    const QString prefix = key(group) + QLatin1Char('/');
    for (const QString& name : file.allKeys()) {
        if (name.startsWith(prefix)) {
            found[QByteArray::fromPercentEncoding(name.mid(prefix.size()).toUtf8()).toStdString()] =
                file.value(name).toString();
        }
    }
    return found;
}

void putGroup(QSettings& file, const char* group, const std::map<std::string, QString>& values)
{
    file.remove(key(group));
    for (const auto& [name, value] : values) {
        file.setValue(
            key(group) + QLatin1Char('/') + QString::fromLatin1(QByteArray::fromStdString(name).toPercentEncoding()),
            value);
    }
}

std::optional<int> numberOf(const QString& text)
{
    bool isNumber = false;
    const int value = text.toInt(&isNumber);
    return isNumber && value >= 0 ? std::optional(value) : std::nullopt;
}

} // namespace

bool QtSettingsStore::hasProperNumbers() const
{
    const QSettings file(m_file, QSettings::IniFormat);
    const auto names = {"limits/spendCents", "limits/monthCents", "limits/idleMinutes", "token/refreshThresholdSeconds",
        "token/maxRetryAttempts"};
    return std::all_of(names.begin(), names.end(), [&](const char* name) {
        return !file.contains(key(name)) || numberOf(file.value(key(name)).toString()).has_value();
    });
}

QString QtSettingsStore::defaultFile()
{
    return QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation)
        + QStringLiteral("/vivavoce/vivavoce.ini");
}

core::Settings QtSettingsStore::load() const
{
    const QSettings file(m_file, QSettings::IniFormat);
    const core::Settings defaults;
    const auto text = [&](const char* name) { return file.value(key(name)).toString(); };
    const auto flag = [&](const char* name, bool otherwise) {
        const QString value = text(name);
        return value == QLatin1String("true") || (value != QLatin1String("false") && otherwise);
    };
    const auto number = [&](const char* name, int otherwise) { return numberOf(text(name)).value_or(otherwise); };
    core::Settings settings;
    settings.profile = kProfiles.value(text("profile"), defaults.profile);
    settings.brokerUrl = text("broker/url").toStdString();
    // What could not be sent is as good as not chosen.
    const auto chosen = [&](const char* which) {
        const std::string value = text(which).toStdString();
        return core::nameFault(value) ? std::string() : value;
    };
    settings.choice = {chosen("broker/provider"), chosen("broker/model"), chosen("broker/voice")};
    for (const auto& [brokerUrl, project] : groupOf(file, "projects")) {
        const std::string name = project.toStdString();
        if (!name.empty() && !core::projectNameFault(name)) {
            settings.projects[brokerUrl] = name;
        }
    }
    settings.talkMode = kTalkModes.value(text("talk/mode"), defaults.talkMode);
    settings.colourScheme = kSchemes.value(text("look/colours"), defaults.colourScheme);
    settings.isMotionReduced = flag("look/reducedMotion", defaults.isMotionReduced);
    settings.devices.captureId = text("sound/microphone").toStdString();
    settings.devices.playbackId = text("sound/loudspeaker").toStdString();
    settings.soundBackend = kBackends.value(text("sound/backend"), defaults.soundBackend);
    settings.isEchoCancelled = flag("sound/cancelEcho", defaults.isEchoCancelled);
    settings.isNoiseSuppressed = flag("sound/suppressNoise", defaults.isNoiseSuppressed);
    settings.isGainAutomatic = flag("sound/automaticGain", defaults.isGainAutomatic);
    settings.spendLimitCents = number("limits/spendCents", defaults.spendLimitCents);
    settings.monthLimitCents = number("limits/monthCents", defaults.monthLimitCents);
    settings.idleMinutes = number("limits/idleMinutes", defaults.idleMinutes);
    settings.network.proxy = kProxies.value(text("network/proxy"), defaults.network.proxy);
    settings.network.proxyUrl = text("network/proxyUrl").toStdString();
    settings.network.caFile = text("network/caFile").toStdString();
    const auto seconds =
        number("token/refreshThresholdSeconds", static_cast<int>(defaults.token.refreshThreshold.count()));
    settings.token.refreshThreshold = std::min(std::chrono::seconds{seconds}, core::kLongestRefreshThreshold);
    settings.token.maxRetryAttempts =
        std::min(number("token/maxRetryAttempts", defaults.token.maxRetryAttempts), core::kMostRetryAttempts);
    settings.token.enableAutoRefresh = flag("token/enableAutoRefresh", defaults.token.enableAutoRefresh);
    settings.keepsConversations = flag("history/keep", defaults.keepsConversations);
    settings.recordsSound = flag("history/recordSound", defaults.recordsSound);
    settings.soundFormat = kSoundFormats.value(text("history/soundFormat"), defaults.soundFormat);
    // A word that is not known asks: it may have been "never".
    for (const auto& [name, word] : groupOf(file, "tools")) {
        settings.toolPolicies[name] = kPolicies.value(word, core::ToolPolicy::Ask);
    }
    settings.mcpFile = text("mcp/file").toStdString();
    for (const auto& [name, fingerprint] : groupOf(file, "approvedServers")) {
        settings.approvedServers[name] = fingerprint.toStdString();
    }
    return settings;
}

core::Expected<void, core::Error> QtSettingsStore::save(const core::Settings& settings)
{
    QDir().mkpath(QFileInfo(m_file).path());
    QSettings file(m_file, QSettings::IniFormat);
    file.setAtomicSyncRequired(true);
    const auto put = [&](const char* name, const QString& value) { file.setValue(key(name), value); };
    const auto flag = [](bool isOn) { return isOn ? QStringLiteral("true") : QStringLiteral("false"); };
    put("profile", kProfiles.text(settings.profile));
    put("broker/url", QString::fromStdString(settings.brokerUrl));
    put("broker/provider", QString::fromStdString(settings.choice.provider));
    put("broker/model", QString::fromStdString(settings.choice.model));
    put("broker/voice", QString::fromStdString(settings.choice.voice));
    std::map<std::string, QString> projects;
    for (const auto& [brokerUrl, project] : settings.projects) {
        projects[brokerUrl] = QString::fromStdString(project);
    }
    putGroup(file, "projects", projects);
    put("talk/mode", kTalkModes.text(settings.talkMode));
    put("look/colours", kSchemes.text(settings.colourScheme));
    put("look/reducedMotion", flag(settings.isMotionReduced));
    put("sound/microphone", QString::fromStdString(settings.devices.captureId));
    put("sound/loudspeaker", QString::fromStdString(settings.devices.playbackId));
    put("sound/backend", kBackends.text(settings.soundBackend));
    put("sound/cancelEcho", flag(settings.isEchoCancelled));
    put("sound/suppressNoise", flag(settings.isNoiseSuppressed));
    put("sound/automaticGain", flag(settings.isGainAutomatic));
    put("limits/spendCents", QString::number(settings.spendLimitCents));
    put("limits/monthCents", QString::number(settings.monthLimitCents));
    put("limits/idleMinutes", QString::number(settings.idleMinutes));
    put("network/proxy", kProxies.text(settings.network.proxy));
    put("network/proxyUrl", QString::fromStdString(settings.network.proxyUrl));
    put("network/caFile", QString::fromStdString(settings.network.caFile));
    put("token/refreshThresholdSeconds", QString::number(settings.token.refreshThreshold.count()));
    put("token/maxRetryAttempts", QString::number(settings.token.maxRetryAttempts));
    put("token/enableAutoRefresh", flag(settings.token.enableAutoRefresh));
    put("history/keep", flag(settings.keepsConversations));
    put("history/recordSound", flag(settings.recordsSound));
    put("history/soundFormat", kSoundFormats.text(settings.soundFormat));
    std::map<std::string, QString> policies;
    for (const auto& [name, policy] : settings.toolPolicies) {
        policies[name] = kPolicies.text(policy);
    }
    putGroup(file, "tools", policies);
    put("mcp/file", QString::fromStdString(settings.mcpFile));
    std::map<std::string, QString> approved;
    for (const auto& [name, fingerprint] : settings.approvedServers) {
        approved[name] = QString::fromStdString(fingerprint);
    }
    putGroup(file, "approvedServers", approved);
    file.sync();
    if (file.status() != QSettings::NoError) {
        return core::fail(core::ErrorCode::OutputUnwritable, m_file.toStdString() + " cannot be written");
    }
    return {};
}

} // namespace vivavoce::platform
