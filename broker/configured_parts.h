#pragma once

#include "broker/auth/authenticator.h"
#include "broker/http/entrance.h"
#include "broker/lasting_parts.h"
#include "broker/projects/policy_judge.h"
#include "broker/projects/table_projects.h"
#include "broker/providers/gemini_provider.h"
#include "broker/providers/openai_provider.h"
#include "broker/providers/providers.h"
#include "broker/providers/watched_provider.h"
#include "broker/relay/relay_door.h"
#include "broker/tokens/session_tokens.h"
#include "broker/tokens/token_service.h"
#include "broker/usage/rate_card.h"

#include <memory>
#include <optional>
#include <string>

namespace vivavoce::broker {

/// What a configuration makes; a changed one makes another, and this one goes when its last request is answered.
/// Lifetime: shared with its handlers.
struct ConfiguredParts {
    ConfiguredParts(std::shared_ptr<LastingParts> parts, const Config& config, const core::Secret& credential,
        auth::KeyRing keys, usage::RateCard rateCard, const ConfiguredParts* before);

    const std::shared_ptr<LastingParts> lasting;
    OpenAiProvider openAi;
    WatchedProvider watchedOpenAi;
    /// Where there is a key for it.
    std::optional<GeminiProvider> gemini;
    std::optional<WatchedProvider> watchedGemini;
    const std::vector<std::unique_ptr<OpenAiProvider>> compatible;
    const std::vector<std::unique_ptr<WatchedProvider>> watchedCompatible;
    const Providers providers;
    std::unique_ptr<ProjectDirectory> projects;
    /// The same where admins keep them here.
    TableProjects* table = nullptr;
    PolicyJudge judge;
    auth::Authenticator authenticator;
    /// As long as it says so, what was hashed with the secret before is known, too.
    const TokenHasher hasher;
    /// Known once the server listens, where nobody named another.
    std::string baseUrl;
    SessionTokens sessionTokens;
    relay::RelayDoor door;
    const usage::RateCard rates;
    TokenService tokens;
    http::Entrance entrance;
    /// Of the certificate as it is loaded, which the file may not be any more.
    const std::optional<core::WallTime> certificateEnd;

    /// Whether a token is a session's; nothing while the store is away.
    [[nodiscard]] net::Awaitable<std::optional<bool>> isOurs(std::string token);
    /// Whether the policies, as they are now, still have a conversation kept.
    [[nodiscard]] net::Awaitable<transcripts::TranscriptDesk::Leave> mayKeep(
        std::shared_ptr<const transcripts::Conversation> of);
    /// For one scrape; what the server knows is left out.
    [[nodiscard]] Readings readings();

private:
    [[nodiscard]] std::vector<WatchedProvider*> all(const Config& config);
    /// Who serves callers that ask for nothing.
    [[nodiscard]] WatchedProvider& firstOf(const Config& config);
};

/// `before` is what it is to follow, if anything: issuers that are the same keep their keys. `baseUrl` is for where the configuration
/// names none; empty while nobody knows. BadConfiguration.
[[nodiscard]] core::Expected<std::shared_ptr<ConfiguredParts>, core::Error> makeConfiguredParts(
    std::shared_ptr<LastingParts> lasting, const Config& config, const core::Secret& credential,
    const ConfiguredParts* before, const std::string& baseUrl);

} // namespace vivavoce::broker
