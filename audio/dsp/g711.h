#pragma once

#include "core/base/g711.h"

namespace vivavoce::dsp {

/// One sample of ITU-T G.711; sessions, which know no codecs of ours, speak it too.
using core::decodeALaw;
using core::decodeMuLaw;
using core::encodeALaw;
using core::encodeMuLaw;

} // namespace vivavoce::dsp
