#pragma once

#include "agent/options.h"
#include "agent/ports.h"
#include "agent/realtime/turn_detector.h"
#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/base/secret.h"

#include <functional>
#include <memory>
#include <string>

namespace vivavoce::agent {

/// Who listens, thinks and speaks, for all sessions of one agent.
struct Speech {
    std::unique_ptr<const core::Clock> clock;
    std::unique_ptr<RecogniserPool> recognisers;
    std::unique_ptr<Voice> voice;
    std::unique_ptr<BrainFactory> brains;
    realtime::DetectorFactory makeDetector;
};

/// The parts that need no network (or a chat server, where the options name one; `chatKey` is for that, and may be empty). Loading models
/// may take seconds with a cold disk.
[[nodiscard]] core::Expected<Speech, core::Error> makeOfflineSpeech(const Options& options, core::Secret chatKey);

/// Reads the credential, one line, from the inherited pipe; waits 10 s at most. BadConfiguration, Timeout.
[[nodiscard]] core::Expected<core::Secret, core::Error> readCredential(int fd);

/// The offline agent: server, sessions, workers, speech, put together.
/// Threads: run() blocks its caller; it starts the network threads and the workers and has joined them all when it returns.
class Agent {
public:
    /// Binds and listens, but answers nobody before run(). Errors: those of net::Server::create.
    static core::Expected<std::unique_ptr<Agent>, core::Error> create(
        const Options& options, core::Secret credential, Speech speech);
    virtual ~Agent() = default;

    /// "http://127.0.0.1:40123".
    [[nodiscard]] virtual std::string url() const = 0;
    /// Serves until SIGINT, SIGTERM, the end of the credential's pipe, or stop(); then says 1001 to all and leaves within seconds.
    virtual void run() = 0;
    /// [any thread]
    virtual void stop() = 0;
};

} // namespace vivavoce::agent
