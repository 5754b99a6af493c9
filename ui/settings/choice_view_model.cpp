#include "ui/settings/choice_view_model.h"

#include "core/models/model_list.h"
#include "core/models/voice_list.h"
#include "core/usage/price_list.h"
#include "ui/style/error_text.h"
#include "ui/style/model_words.h"

#include <algorithm>
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

/// Who speaks then, as far as that is known. `serving`: whom a broker has chosen.
std::string providerOf(const core::ProviderChoice& choice, const std::string& serving)
{
    const core::ModelRow* const model = core::ModelList::builtIn().find(choice.model);
    return !choice.provider.empty() ? choice.provider
        : !choice.model.empty()     ? (model != nullptr ? model->provider : std::string())
                                    : serving;
}

/// As whoever speaks spells it, where that is known.
std::string spelt(const std::string& voice, const std::string& provider)
{
    const core::VoiceRow* const known = core::VoiceList::builtIn().find(provider);
    if (known != nullptr) {
        for (const std::string& name : known->voices) {
            if (core::isSameVoice(name, voice)) {
                return name;
            }
        }
    }
    return voice;
}

/// Behind the row of none; 0: it is none of them.
int rowOf(const std::vector<std::string>& names, const std::string& voice)
{
    const auto found = std::find_if(
        names.begin(), names.end(), [&](const std::string& name) { return core::isSameVoice(name, voice); });
    return voice.empty() || found == names.end() ? 0 : static_cast<int>(found - names.begin()) + 1;
}

} // namespace

ChoiceViewModel::ChoiceViewModel(core::LiveSettings& settings, const core::Clock* clock, Save save, QObject* parent)
    : QObject(parent),
      m_settings(settings),
      m_clock(clock),
      m_save(std::move(save)),
      m_told(now()),
      m_agent(settings.current().profile, settings.current().brokerUrl)
{
    m_settings.follow([this](const core::Settings&) { told(); });
}

bool ChoiceViewModel::use(const QString& provider, const QString& model)
{
    core::ProviderChoice wanted{provider.trimmed().toStdString(), model.trimmed().toStdString(), now().voice};
    const std::string before = providerInUse();
    const std::string after = providerOf(wanted, m_serving);
    if (before != after && core::VoiceList::builtIn().isUnknown(wanted.voice, profileOf(after))) {
        // One provider's voice is a mistake at another one.
        wanted.voice.clear();
    }
    wanted.voice = spelt(wanted.voice, profileOf(after));
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

bool ChoiceViewModel::useVoice(const QString& voice)
{
    core::ProviderChoice wanted = now();
    wanted.voice = spelt(voice.trimmed().toStdString(), profileOf(providerInUse()));
    const auto fault = core::nameFault(wanted.voice);
    m_voiceFault = fault ? nameFaultText(*fault) : QString();
    if (!fault) {
        m_save(wanted);
    }
    Q_EMIT changed();
    return !fault;
}

void ChoiceViewModel::chooseVoice(int row)
{
    const auto names = namedVoices();
    if (row >= 0 && static_cast<std::size_t>(row) <= names.size()) {
        (void)useVoice(row == 0 ? QString() : QString::fromStdString(names[static_cast<std::size_t>(row) - 1]));
    }
}

void ChoiceViewModel::setServing(const QString& provider, const QString& profile)
{
    const std::string before = profileOf(providerInUse());
    m_serving = provider.toStdString();
    m_servingProfile = profile.toStdString();
    if (before != profileOf(providerInUse())) {
        Q_EMIT voicesChanged();
    }
}

std::string ChoiceViewModel::providerInUse() const
{
    return providerOf(now(), m_serving);
}

std::string ChoiceViewModel::profileOf(const std::string& provider) const
{
    return provider == m_serving && !m_servingProfile.empty() ? m_servingProfile : provider;
}

std::vector<std::string> ChoiceViewModel::namedVoices() const
{
    const core::VoiceRow* const known = core::VoiceList::builtIn().find(profileOf(providerInUse()));
    std::vector<std::string> names = known == nullptr ? std::vector<std::string>() : known->voices;
    if (!names.empty() && !now().voice.empty()) {
        const int row = rowOf(names, now().voice);
        if (row == 0) {
            names.push_back(now().voice);
        } else {
            // As it is sent: it may have been chosen before anybody knew who answers.
            names[static_cast<std::size_t>(row) - 1] = now().voice;
        }
    }
    return names;
}

QStringList ChoiceViewModel::voices() const
{
    const auto names = namedVoices();
    return names.empty() ? QStringList()
                         : QStringList{tr("As the server chooses")} + listOf(names) + QStringList{tr("Another one…")};
}

int ChoiceViewModel::voiceRow() const
{
    return rowOf(namedVoices(), now().voice);
}

void ChoiceViewModel::forgetFault()
{
    m_fault.clear();
    m_voiceFault.clear();
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
    const std::string profileBefore = profileOf(providerOf(m_told, m_serving));
    const core::Settings& settings = m_settings.current();
    const std::pair agent(settings.profile, settings.brokerUrl);
    if (std::exchange(m_agent, agent) != agent) {
        // Whom another broker has answer is not known yet.
        m_serving.clear();
        m_servingProfile.clear();
    }
    const core::ProviderChoice before = std::exchange(m_told, now());
    if (before != m_told) {
        Q_EMIT changed();
    }
    if (before.provider != m_told.provider) {
        Q_EMIT providerChanged();
    }
    if (before.model != m_told.model) {
        Q_EMIT modelChanged();
    }
    if (before.voice != m_told.voice) {
        Q_EMIT voiceChanged();
    }
    if (before.voice != m_told.voice || profileBefore != profileOf(providerInUse())) {
        Q_EMIT voicesChanged();
    }
}

} // namespace vivavoce::ui
