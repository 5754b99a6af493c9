#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vivavoce::bench {

struct Utterance {
    std::string text;
    std::vector<std::int16_t> samples;
};

/// A sentence spoken by a voice of the `flite` command ("slt", "awb", "rms", "kal16") or by festival ("festival"), at
/// core::kSpeechRate; nothing where that program is not installed.
[[nodiscard]] std::vector<std::int16_t> speakWith(const std::string& voice, const std::string& text);

/// Recordings of people that come with pocketsphinx-testdata, with what is said in them.
[[nodiscard]] std::vector<Utterance> humanClips();

/// The same with low-passed noise at a signal-to-noise ratio in dB. Deterministic.
[[nodiscard]] std::vector<std::int16_t> withNoise(std::vector<std::int16_t> samples, double snrDb);

} // namespace vivavoce::bench
