#pragma once

#include "agent/ports.h"
#include "agent/speech/pocketsphinx_recogniser.h"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace vivavoce::agent::speech {

/// One pocketsphinx decoder with its two searches: free speech, and the command grammar. [worker, one utterance at a time]
class SphinxDecoder {
public:
    static core::Expected<std::unique_ptr<SphinxDecoder>, core::Error> create(const RecogniserSettings& settings);
    virtual ~SphinxDecoder() = default;

    virtual core::Expected<void, core::Error> begin() = 0;
    virtual std::optional<std::string> accept(std::span<const std::int16_t> samples) = 0;
    virtual Recognition finish() = 0;
    virtual void cancel() = 0;
};

} // namespace vivavoce::agent::speech
