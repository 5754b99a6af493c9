#pragma once

#include "agent/realtime/shape.h"

/// What each thing that a client of OpenAI Realtime GA sends may hold (OpenAI's openapi.yaml, realtime client events).
/// Fields that mean nothing to an offline agent (tracing, prompt, truncation …) are checked and kept, so that clients written
/// for OpenAI find them again in `session.updated`.
namespace vivavoce::agent::realtime {

/// Longest base64 text of one input_audio_buffer.append: 15 MiB.
inline constexpr std::size_t kMaxAppendBytes = 15 * 1024 * 1024;
/// Longest instructions, message text, tool output.
inline constexpr std::size_t kMaxTextBytes = 256 * 1024;

/// A whole client event, told apart by its `type`.
[[nodiscard]] const Rule& clientEventRule();
/// The `session` of session.update, and of a client secret.
[[nodiscard]] const Rule& sessionRule();
/// The body of POST /v1/realtime/client_secrets.
[[nodiscard]] const Rule& clientSecretRule();

} // namespace vivavoce::agent::realtime
