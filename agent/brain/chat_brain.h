#pragma once

#include "agent/ports.h"
#include "core/base/secret.h"
#include "core/base/units.h"

#include <memory>
#include <string>

namespace vivavoce::agent::brain {

/// The variable that holds the chat server's key; a key never comes in by argument.
inline constexpr const char* kChatKeyVariable = "VIVAVOCE_CHAT_API_KEY";

struct ChatSettings {
    /// Base of the server ("http://127.0.0.1:8080", ".../v1") or the whole ".../chat/completions".
    std::string url;
    /// Empty: "default", which single-model servers take.
    std::string model;
    /// Null or empty: no Authorization header.
    std::shared_ptr<const core::Secret> key;
    /// For one whole reply.
    core::Milliseconds timeout{60'000};
    /// PEM file with authorities beyond the system's; may be empty.
    std::string extraCaFile;
};

/// The URL that replies are asked from: appends "/v1/chat/completions" or what is missing of it.
[[nodiscard]] std::string chatCompletionsUrl(const std::string& url);

/// Thinks with any OpenAI-compatible chat server (POST /v1/chat/completions, `stream: true`, server-sent events).
/// Errors of reply(): ProviderUnreachable, Timeout, NotAuthorised (401, 403), RateLimited (429, with retryAfter),
/// ProviderFailed (5xx), ProviderRefused (other statuses), ProviderMalformed (not the protocol, or an empty reply), Cancelled.
/// Threads: [worker], one caller at a time; each reply runs its request on an io_context of its own inside the call.
class ChatBrain final : public Brain {
public:
    explicit ChatBrain(ChatSettings settings);

    core::Expected<std::optional<BrainUsage>, core::Error> reply(
        const BrainRequest& request, BrainSink& sink, std::stop_token stop) override;
    /// A chat server has none.
    ReminderChanges takeReminders() override { return {}; }

private:
    ChatSettings m_settings;
};

class ChatBrainFactory final : public BrainFactory {
public:
    explicit ChatBrainFactory(ChatSettings settings);

    [[nodiscard]] std::unique_ptr<Brain> create() override;

private:
    ChatSettings m_settings;
};

} // namespace vivavoce::agent::brain
