#pragma once

#include "agent/ports.h"
#include "agent/realtime/speech_workers.h"
#include "core/base/clock.h"

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace vivavoce::agent::realtime {

/// What every utterance needs.
struct ListeningParts {
    RecogniserPool& recognisers;
    SpeechWorkers& workers;
    const core::Clock& clock;
};

/// One utterance on its way through a recogniser, decoded while the user still speaks.
/// Borrows a recogniser when there is something to decode, and gives it back at the end, when cancelled, and when no audio came
/// for kParkAfter (then it starts over with a fresh one: the samples are kept).
/// Threads: [any thread]; the callbacks run on workers, one at a time. Lifetime: work in flight keeps it alive.
class Utterance : public std::enable_shared_from_this<Utterance> {
public:
    static constexpr core::Milliseconds kParkAfter{3'000};

    struct Callbacks {
        /// The whole partial text.
        std::function<void(std::string)> onPartial;
        /// Once, unless cancelled.
        std::function<void(core::Expected<Recognition, core::Error>)> onDone;
    };

    Utterance(ListeningParts parts, Callbacks callbacks);

    /// PCM16 mono at core::kSpeechRate.
    void accept(std::span<const std::int16_t> samples);
    /// No more samples: the result follows.
    void finish();
    /// Drops it; no callback begins after this returns, but one that runs may still end.
    void cancel();
    /// Gives the recogniser back if nothing came for kParkAfter.
    void parkIfIdle();

private:
    void kick();
    void fail(core::Error error);
    void borrow();
    void step();

    const ListeningParts m_parts;
    const Callbacks m_callbacks;
    std::stop_source m_stop;

    std::mutex m_mutex;
    std::vector<std::int16_t> m_samples;
    std::size_t m_position = 0;
    std::unique_ptr<Recogniser> m_recogniser;
    core::MonotonicTime m_lastAudio;
    bool m_isEnded = false;
    bool m_isOver = false;
    bool m_isBorrowing = false;
    bool m_isStepping = false;
};

} // namespace vivavoce::agent::realtime
