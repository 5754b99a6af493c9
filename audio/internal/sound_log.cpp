#include "audio/internal/sound_log.h"

#include <QLoggingCategory>

namespace vivavoce::audio {
namespace {

/// Less is what every interruption costs, and nobody hears.
constexpr core::Milliseconds kAudible{50};

const QLoggingCategory& soundLog()
{
    static const QLoggingCategory category("vivavoce.sound");
    return category;
}

} // namespace

void logFaults(const SoundFaults& faults)
{
    if (faults.overruns == 0 && faults.underruns == 0 && faults.starved < kAudible && faults.replyLate < kAudible) {
        return;
    }
    qCInfo(soundLog,
        "the microphone overran %llu times, the loudspeaker ran dry %llu times and was silent for %lld ms; replies came %lld ms late",
        static_cast<unsigned long long>(faults.overruns), static_cast<unsigned long long>(faults.underruns),
        static_cast<long long>(faults.starved.count()), static_cast<long long>(faults.replyLate.count()));
}

} // namespace vivavoce::audio
