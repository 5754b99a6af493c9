#pragma once

#include "tests/support/conversing_client.h"
#include "tests/support/gemini_model.h"
#include "tests/support/manual_executor.h"
#include "tests/support/scripted_broker.h"
#include "tests/support/scripted_transports.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <variant>

namespace vivavoce::tests {

/// A client, its broker, and what stands in for a provider, in a time that the test moves.
class ScenarioWorld {
public:
    /// How a server has its sound.
    struct Sound {
        core::VoiceRates rates{};
        /// The broker knows that; else its greeting says so.
        bool isKnown = true;
    };

    /// Nothing: Gemini's.
    explicit ScenarioWorld(std::optional<ServerKind> kind, Sound sound)
        : m_isGemini(!kind),
          m_sound(sound),
          m_broker(m_clock, brokerOptions()),
          m_http(m_broker, executor),
          transports(m_isGemini ? ScriptedTransports(executor, geminiProvider(), admission())
                                : ScriptedTransports(executor, providerOptions(kind), provider, admission())),
          client({m_http, transports, m_clock, executor, "http://127.0.0.1:9",
              std::make_shared<const core::Secret>("credential"), clientOptions()})
    {
        m_gemini.model = "models/scripted";
        client.listener = [this](const core::SessionNotice& notice) { listen(notice); };
    }

    template <typename Condition>
    [[nodiscard]] bool comesTo(Condition condition)
    {
        constexpr core::Milliseconds kPatience{60'000};
        const core::MonotonicTime end = m_clock.now() + kPatience;
        for (; m_clock.now() < end; executor.advance(core::Milliseconds{50})) {
            if (condition()) {
                return true;
            }
        }
        return false;
    }

private:
    ManualClock m_clock;
    bool m_isGemini;
    Sound m_sound;
    GeminiStandIn m_gemini;
    std::set<std::string, std::less<>> m_spent;

public:
    ManualExecutor executor{m_clock};
    ScriptedProviderLog provider;

private:
    ScriptedBroker m_broker;
    ScriptedBrokerClient m_http;

public:
    ScriptedTransports transports;
    ConversingClient client;
    /// What replies cost was told so often.
    int costs = 0;
    /// The next reply is stopped by hand as soon as there are sound and words of it.
    bool stopsNext = false;
    /// When the connection is lost the next time: "function called", "function done"; empty: it is not.
    std::string losesWhen{};

private:
    bool m_isHeard = false;
    bool m_isRead = false;

    [[nodiscard]] ScriptedBroker::Options brokerOptions() const
    {
        ScriptedBroker::Options options{
            "ws://127.0.0.1:9/v1/realtime", std::chrono::seconds(60), std::chrono::seconds(48), false};
        options.rates = m_sound.isKnown ? m_sound.rates : core::VoiceRates();
        if (m_isGemini) {
            options.provider = "gemini";
            options.auth = "token";
            options.dialect = "gemini";
        }
        return options;
    }

    [[nodiscard]] ScriptedProviderOptions providerOptions(std::optional<ServerKind> kind) const
    {
        ScriptedProviderOptions options{std::chrono::hours(1), &m_clock};
        options.kind = kind;
        options.rates = m_sound.rates;
        options.greetsWithRates = !m_sound.isKnown;
        return options;
    }

    [[nodiscard]] ScriptedTransports::Provider geminiProvider()
    {
        return [this](ScriptedTransports::Mouth mouth) -> ScriptedTransports::Ear {
            const auto model = std::make_shared<GeminiModel>(executor, m_gemini, provider, std::move(mouth));
            return [model](std::string_view message) { model->hear(message); };
        };
    }

    [[nodiscard]] ScriptedTransports::Admits admission()
    {
        // Each of Gemini's tokens opens one connection.
        return [this](std::string_view token) {
            return m_broker.isGood(token) && (!m_isGemini || m_spent.insert(std::string(token)).second);
        };
    }

    [[nodiscard]] static core::SessionOptions clientOptions()
    {
        core::SessionOptions options;
        options.instructions = "Be brief.";
        options.transcriptionModel = "scribe";
        core::openai::FunctionTool tool;
        tool.name = "look_up";
        tool.parameters = core::openai::RawJson{R"({"type":"object"})"};
        options.tools = {tool};
        return options;
    }

    void listen(const core::SessionNotice& notice)
    {
        costs += std::holds_alternative<core::session_notice::ReplyUsage>(notice) ? 1 : 0;
        const bool isLost =
            (losesWhen == "function called" && std::holds_alternative<core::session_notice::ToolCalled>(notice))
            || (losesWhen == "function done" && std::holds_alternative<core::session_notice::ToolDone>(notice));
        if (isLost) {
            losesWhen.clear();
            // Behind what the client does now, and ahead of what it has sent.
            executor.post([this] { transports.drop(); });
        }
        if (!stopsNext) {
            return;
        }
        m_isHeard = m_isHeard || std::holds_alternative<core::session_notice::ReplyStarted>(notice);
        const auto* changed = std::get_if<core::session_notice::TranscriptChanged>(&notice);
        m_isRead = m_isRead
            || (changed != nullptr && changed->entry.speaker == core::Speaker::Assistant
                && !changed->entry.text.empty());
        if (m_isHeard && m_isRead) {
            stopsNext = m_isHeard = m_isRead = false;
            client.interrupt();
        }
    }
};

} // namespace vivavoce::tests
