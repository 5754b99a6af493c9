#include "core/session/gemini/gemini_translator.h"

#include <utility>

namespace vivavoce::core {
namespace {

constexpr std::uint16_t kInvalidMessage = 1007;
constexpr std::uint16_t kPolicy = 1008;
constexpr std::uint16_t kServerFault = 1011;
/// Where goAway does not say.
constexpr Milliseconds kGoAwayLeft{10'000};

} // namespace

GeminiTranslator::Steps GeminiTranslator::opened()
{
    // Gemini greets nobody: it waits for the setup, which is what the session says when it is greeted.
    tell(openai::SessionCreated{});
    return std::exchange(m_steps, {});
}

GeminiTranslator::Steps GeminiTranslator::said(openai::ClientEvent event)
{
    std::visit(
        [this](auto& known) {
            using Event = std::decay_t<decltype(known)>;
            if constexpr (requires { this->on(known); }) {
                // Before it is set up, Gemini takes nothing else.
                if (m_isReady || std::is_same_v<Event, openai::SessionUpdate>) {
                    on(known);
                }
            }
        },
        event);
    return std::exchange(m_steps, {});
}

GeminiTranslator::Steps GeminiTranslator::heard(gemini::ServerMessage message)
{
    if (message.setupComplete) {
        on(*message.setupComplete);
    }
    if (message.usageMetadata) {
        on(*message.usageMetadata);
    }
    if (message.toolCallCancellation) {
        on(*message.toolCallCancellation);
    }
    if (message.voiceActivity) {
        on(*message.voiceActivity);
    }
    if (message.serverContent) {
        on(*message.serverContent);
    }
    if (message.toolCall) {
        on(*message.toolCall);
    }
    if (message.sessionResumptionUpdate) {
        on(*message.sessionResumptionUpdate);
    }
    if (message.goAway) {
        m_steps.endsIn = message.goAway->timeLeft.value_or(kGoAwayLeft);
    }
    return std::exchange(m_steps, {});
}

GeminiTranslator::Steps GeminiTranslator::closed(TransportClose& close)
{
    const bool wasRefused = close.code == kInvalidMessage || close.code == kPolicy;
    if (!m_isReady && m_setup && m_setup->sessionResumption->handle && wasRefused) {
        // Handles do not last for ever: the next attempt begins anew.
        m_memory.handle.clear();
        close = {kServerFault, "the session cannot be resumed: " + close.reason};
    }
    return std::exchange(m_steps, {});
}

} // namespace vivavoce::core
