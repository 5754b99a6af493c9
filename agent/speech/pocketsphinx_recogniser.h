#pragma once

#include "agent/ports.h"

#include <memory>
#include <string>
#include <vector>

namespace vivavoce::agent::speech {

/// What the recognisers are made from.
struct RecogniserSettings {
    /// The folder that holds "en-us/en-us.lm.bin", "en-us/cmudict-en-us.dict" and "en-us/en-us".
    std::string modelFolder = "/usr/share/pocketsphinx/model";
    /// Commands that are recognised as a whole (JSGF 1.0); empty: free speech only.
    std::string grammarJsgf;
    /// Sentences like those that are expected: they make their words likelier. May be empty.
    std::vector<std::string> sentences;
    /// Decoders at a time, about 100 MB each; made when first needed, kept for the next utterance.
    std::size_t maxDecoders = 2;
};

/// US English by pocketsphinx. While the user speaks, the general language model mixed with one of our own sentences decodes (and
/// gives partials); at the end the command grammar decodes the whole utterance again, and takes over where both agree well enough
/// that it is no accident: a grammar alone always hears some command.
class PocketsphinxPool final : public RecogniserPool {
public:
    /// Makes the first decoder. BadConfiguration where the model is not there or the grammar is wrong.
    static core::Expected<std::unique_ptr<PocketsphinxPool>, core::Error> create(RecogniserSettings settings);
    ~PocketsphinxPool() override;

    core::Expected<std::unique_ptr<Recogniser>, core::Error> borrow(std::stop_token stop) override;

private:
    struct State;
    explicit PocketsphinxPool(std::shared_ptr<State> state);

    std::shared_ptr<State> m_state;
};

} // namespace vivavoce::agent::speech
