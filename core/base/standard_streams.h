#pragma once

namespace vivavoce::core {

/// Standard input, output and error that we were started without stand for nothing from here on: or the next file that is opened would be
/// one of them, and what is printed would go into it. Reading gives the end, writing to standard output fails, as it would have. First
/// thing in `main`, before a file is opened. Elsewhere than on a Unix nothing happens.
void occupyStandardStreams();

} // namespace vivavoce::core
