#pragma once

#include "agent/realtime/event_fault.h"
#include "core/protocol/openai/client_events.h"

#include <cstddef>
#include <optional>

/// What of the protocol is not served here, and how much of the rest: what the codec lets through and this agent does not.
/// Fields that mean nothing to an offline agent (tracing, prompt, truncation …) are kept, so that clients written for OpenAI
/// find them again in `session.updated`. Pure. [any thread]
namespace vivavoce::agent::realtime {

/// Most audio of one input_audio_buffer.append: 15 MiB of base64.
inline constexpr std::size_t kMaxAppendBytes = 15 * 1024 * 1024 / 4 * 3;
/// Longest instructions, message text, tool output.
inline constexpr std::size_t kMaxTextBytes = 256 * 1024;

/// What is wrong with an event, if anything is.
[[nodiscard]] std::optional<EventFault> beyondLimits(const core::openai::ClientEvent& event);
/// The same of the `session` of session.update and of a client secret.
[[nodiscard]] std::optional<EventFault> beyondLimits(const core::openai::Session& session);

} // namespace vivavoce::agent::realtime
