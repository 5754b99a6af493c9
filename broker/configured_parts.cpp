#include "broker/configured_parts.h"

#include "broker/certificate.h"
#include "broker/projects/webhook_projects.h"
#include "broker/token_keys.h"
#include "net/http_client.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace vivavoce::broker {
namespace {

/// Who issues tokens, where the broker has no public address.
constexpr const char* kOurselves = "vivavoce-broker";

OpenAiProvider::Settings providerSettings(const Config& config)
{
    OpenAiProvider::Settings settings;
    settings.name = config.providerName();
    settings.baseUrl = config.providerUrl;
    settings.defaultModel = config.providerModel;
    settings.apiKey = config.providerKey.clone();
    settings.timeout = config.providerTimeout;
    settings.caFile = config.providerCaFile;
    return settings;
}

std::optional<GeminiProvider> geminiOf(const Config& config, const core::Clock& clock)
{
    if (config.geminiKey.empty()) {
        return std::nullopt;
    }
    GeminiProvider::Settings settings;
    settings.baseUrl = config.geminiUrl;
    settings.version = config.geminiVersion;
    settings.defaultModel = config.geminiModel;
    settings.apiKey = config.geminiKey.clone();
    settings.timeout = config.providerTimeout;
    settings.caFile = config.geminiCaFile;
    return std::optional<GeminiProvider>(std::in_place, std::move(settings), clock);
}

std::vector<std::unique_ptr<OpenAiProvider>> compatibleOf(const Config& config)
{
    std::vector<std::unique_ptr<OpenAiProvider>> all;
    for (const CompatibleProvider& one : config.compatible) {
        OpenAiProvider::Settings settings;
        settings.name = one.name;
        if (const Profile* const profile = profileNamed(one.profile)) {
            settings.profile = *profile;
        }
        core::VoiceRates& rates = settings.profile.rates;
        rates = {one.inputRate.value_or(rates.input), one.outputRate.value_or(rates.output)};
        settings.baseUrl = one.url;
        settings.defaultModel = one.models.front();
        settings.models = one.models;
        settings.apiKey = one.key != nullptr ? one.key->clone() : core::Secret();
        settings.timeout = config.providerTimeout;
        settings.handshake = one.handshake;
        settings.caFile = one.caFile;
        all.push_back(std::make_unique<OpenAiProvider>(std::move(settings)));
    }
    return all;
}

std::vector<std::unique_ptr<WatchedProvider>> watched(
    const std::vector<std::unique_ptr<OpenAiProvider>>& compatible, LastingParts& lasting)
{
    std::vector<std::unique_ptr<WatchedProvider>> all;
    all.reserve(compatible.size());
    for (const auto& provider : compatible) {
        all.push_back(std::make_unique<WatchedProvider>(WatchedProvider::Settings{},
            WatchedProvider::Dependencies{*provider, lasting.metrics, lasting.clock, lasting.log}));
    }
    return all;
}

std::optional<WatchedProvider> watched(std::optional<GeminiProvider>& gemini, LastingParts& lasting)
{
    if (!gemini) {
        return std::nullopt;
    }
    return std::optional<WatchedProvider>(std::in_place, WatchedProvider::Settings{},
        WatchedProvider::Dependencies{*gemini, lasting.metrics, lasting.clock, lasting.log});
}

/// Those of whose models no price came with the program, whatever they are called.
std::vector<std::string> othersOf(const Config& config)
{
    constexpr std::array<std::string_view, 2> kPriced{"https://api.openai.com", "https://api.x.ai"};
    std::vector<std::string> names;
    for (const CompatibleProvider& one : config.compatible) {
        const bool isPriced = std::any_of(kPriced.begin(), kPriced.end(), [&](std::string_view home) {
            return one.url == home || (one.url.starts_with(home) && one.url[home.size()] == '/');
        });
        if (!isPriced) {
            names.push_back(one.name);
        }
    }
    return names;
}

TokenService::Settings tokenSettings(const Config& config, std::function<std::string()> baseUrl)
{
    TokenService::Settings settings;
    settings.life = config.tokenLife;
    settings.longest = config.longestSession;
    settings.maxSessionsPerUser = config.sessionsPerUser;
    settings.relayLife = config.relayTokenLife;
    settings.relayLongest = config.longestRelay;
    settings.baseUrl = std::move(baseUrl);
    return settings;
}

std::vector<std::shared_ptr<auth::Issuer>> issuersOf(
    const Config& config, const LastingParts& lasting, const ConfiguredParts* before)
{
    std::vector<std::shared_ptr<auth::Issuer>> known;
    if (before != nullptr) {
        known = before->authenticator.issuers();
    }
    std::vector<std::shared_ptr<auth::Issuer>> issuers;
    for (const auth::IssuerSettings& settings : config.issuers) {
        const auto same = std::find_if(known.begin(), known.end(),
            [&](const std::shared_ptr<auth::Issuer>& issuer) { return issuer->settings().isSame(settings); });
        issuers.push_back(same != known.end()
                ? *same
                : std::make_shared<auth::Issuer>(
                    settings, auth::Issuer::Dependencies{&net::sendRequest, lasting.clock, lasting.log}));
    }
    return issuers;
}

std::unique_ptr<ProjectDirectory> projectsOf(const ProjectSettings& settings, const LastingParts& lasting)
{
    switch (settings.check) {
    case ProjectSettings::Check::Claim:
        return std::make_unique<ClaimedProjects>();
    case ProjectSettings::Check::Table:
        return std::make_unique<TableProjects>(*lasting.database, lasting.clock);
    case ProjectSettings::Check::Webhook: {
        WebhookProjects::Settings webhook;
        webhook.url = settings.webhookUrl;
        webhook.secret = settings.webhookSecret;
        webhook.caFile = settings.webhookCaFile;
        webhook.timeout = settings.webhookTimeout;
        webhook.keptFor = settings.webhookKeptFor;
        return std::make_unique<WebhookProjects>(
            std::move(webhook), WebhookProjects::Dependencies{&net::sendRequest, lasting.clock, lasting.log});
    }
    case ProjectSettings::Check::None:
        break;
    }
    return std::make_unique<OpenProjects>();
}

} // namespace

ConfiguredParts::ConfiguredParts(std::shared_ptr<LastingParts> parts, const Config& config,
    const core::Secret& credential, auth::KeyRing keys, usage::RateCard rateCard, const ConfiguredParts* before)
    : lasting(std::move(parts)),
      openAi(providerSettings(config)),
      watchedOpenAi({}, {openAi, lasting->metrics, lasting->clock, lasting->log}),
      gemini(geminiOf(config, lasting->clock)),
      watchedGemini(watched(gemini, *lasting)),
      compatible(compatibleOf(config)),
      watchedCompatible(watched(compatible, *lasting)),
      providers(all(config), firstOf(config)),
      projects(projectsOf(config.projects, *lasting)),
      table(config.projects.check == ProjectSettings::Check::Table ? static_cast<TableProjects*>(projects.get())
                                                                   : nullptr),
      judge(PolicyBook(config.policy, config.policies), config.projects.isRequired, *projects),
      authenticator(credential.clone(), auth::ServiceAccounts(config.serviceAccounts),
          issuersOf(config, *lasting, before), [this](std::string token) { return isOurs(std::move(token)); }),
      hasher(lasting->hasher, config.previousSecret),
      baseUrl(config.publicUrl),
      sessionTokens({config.publicUrl.empty() ? kOurselves : config.publicUrl}, std::move(keys)),
      door({sessionTokens, lasting->registry, hasher, judge, lasting->clock}),
      rates(std::move(rateCard)),
      tokens(tokenSettings(config, [this] { return baseUrl; }),
          {lasting->registry, providers, judge, lasting->gatekeeper, *lasting->audit, hasher, sessionTokens,
              lasting->ledger, rates, lasting->clock, lasting->log, lasting->metrics}),
      entrance({authenticator, lasting->gatekeeper, *lasting->audit, lasting->denials, lasting->signIns,
          lasting->metrics, config.trustedProxies}),
      certificateEnd(broker::certificateEnd(config.tlsCertificate))
{
}

std::vector<WatchedProvider*> ConfiguredParts::all(const Config& config)
{
    // Those that name their models come first.
    std::vector<WatchedProvider*> all;
    for (const auto& provider : watchedCompatible) {
        all.push_back(provider.get());
    }
    if (watchedGemini) {
        all.push_back(&*watchedGemini);
    }
    // Without a key nobody is offered it, unless there is nobody else.
    if (config.isProviderThere() || all.empty()) {
        all.push_back(&watchedOpenAi);
    }
    return all;
}

WatchedProvider& ConfiguredParts::firstOf(const Config& config)
{
    if (!config.isProviderThere() && watchedGemini) {
        return *watchedGemini;
    }
    return !config.isProviderThere() && !watchedCompatible.empty() ? *watchedCompatible.front() : watchedOpenAi;
}

net::Awaitable<std::optional<bool>> ConfiguredParts::isOurs(std::string token)
{
    const auto known = co_await lasting->registry.isKnown(hasher.hashes(token));
    core::wipeString(token);
    co_return known ? std::optional(*known) : std::nullopt;
}

net::Awaitable<transcripts::TranscriptDesk::Leave> ConfiguredParts::mayKeep(
    std::shared_ptr<const transcripts::Conversation> of)
{
    using Leave = transcripts::TranscriptDesk::Leave;
    Applicant applicant{of->caller, of->issuer, of->subject, std::nullopt};
    const auto policy = co_await judge.policyFor(std::move(applicant), of->project);
    if (!policy) {
        co_return policy.error().code == FaultCode::Unavailable ? Leave::Unknown : Leave::No;
    }
    co_return policy->areTranscriptsKept() ? Leave::Yes : Leave::No;
}

Readings ConfiguredParts::readings()
{
    Readings now;
    now.sessionsLive = lasting->registry.lastCount();
    now.sessionsMost = lasting->registry.mostSessions();
    now.streams = lasting->streams.count();
    now.transcriptQueue = lasting->transcriptDesk.waiting();
    now.transcriptLinesLost = lasting->transcriptDesk.lost();
    now.ledgerQueue = lasting->ledger.waiting();
    now.alertQueue = lasting->alertDesk.waiting();
    now.isStoreWorking = lasting->registry.isWorking();
    now.limits = lasting->gatekeeper.health();
    now.isProviderFine = providers.areFine();
    now.areIssuersFine = authenticator.areIssuersFine();
    now.areProjectsFine = projects->isWorking();
    now.isAuditWorking = lasting->audit->isWorking();
    const AuditCounts counts = lasting->audit->counts();
    now.auditLines = counts.lines;
    now.auditFailures = counts.failures;
    now.auditQueue = counts.queued;
    now.certificateEnd = certificateEnd;
    return now;
}

core::Expected<std::shared_ptr<ConfiguredParts>, core::Error> makeConfiguredParts(std::shared_ptr<LastingParts> lasting,
    const Config& config, const core::Secret& credential, const ConfiguredParts* before, const std::string& baseUrl)
{
    auto keys = keyRingOf(config);
    if (!keys) {
        return core::Unexpected<core::Error>(keys.error());
    }
    const bool isFree = config.providerName() == "local" && config.pricesFile.empty();
    auto rates = usage::RateCard::load(
        {config.pricesFile, config.holdCents, isFree ? config.providerName() : std::string(), othersOf(config)});
    if (!rates) {
        return core::Unexpected<core::Error>(rates.error());
    }
    auto parts = std::make_shared<ConfiguredParts>(
        std::move(lasting), config, credential, std::move(*keys), std::move(*rates), before);
    if (parts->baseUrl.empty()) {
        parts->baseUrl = baseUrl;
    }
    return parts;
}

} // namespace vivavoce::broker
