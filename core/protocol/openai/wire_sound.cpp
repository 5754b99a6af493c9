#include "core/protocol/openai/wire_sound.h"

#include "core/base/g711.h"
#include "core/base/pcm.h"

#include <algorithm>
#include <vector>

namespace vivavoce::core::openai {

Bytes wireSound(std::span<const std::uint8_t> pcm, AudioEncoding encoding)
{
    if (encoding == AudioEncoding::Pcm) {
        return {pcm.begin(), pcm.end()};
    }
    const std::vector<std::int16_t> samples = pcmSamples(pcm);
    Bytes sound(samples.size());
    std::transform(samples.begin(), samples.end(), sound.begin(),
        [isMuLaw = encoding == AudioEncoding::Pcmu](
            std::int16_t sample) { return isMuLaw ? encodeMuLaw(sample) : encodeALaw(sample); });
    return sound;
}

Bytes pcmOfWire(Bytes sound, AudioEncoding encoding)
{
    if (encoding == AudioEncoding::Pcm) {
        return sound;
    }
    std::vector<std::int16_t> samples(sound.size());
    std::transform(
        sound.begin(), sound.end(), samples.begin(), [isMuLaw = encoding == AudioEncoding::Pcmu](std::uint8_t code) {
            return isMuLaw ? decodeMuLaw(code) : decodeALaw(code);
        });
    return pcmBytes(samples);
}

} // namespace vivavoce::core::openai
