#pragma once

namespace vivavoce::broker {

// What Redis itself runs, each script as one indivisible step. Times are microseconds of Redis' own clock (TIME), written as
// whole numbers: Lua would shorten them. A time that lies ahead means that the clock was set back; it counts as now, so that
// nothing waits longer than it was told to, and no window admits more.

/// Keys: window, told, penalty, violations, blocks.
/// Arguments: requests, window (µs), offender or "", violations that block, first block (ms), longest block (ms), forgotten after
/// (ms), bucket, sealed name.
/// Answers {0 admitted, 1 over the limit or 2 blocked; used; µs to wait; 1 for a new block; its level; its length (ms)}.
extern const char* const kTakeScript;

/// Keys: window, penalty. Arguments: requests, window (µs), offender or "". Answers as above, and changes nothing.
extern const char* const kLookScript;

/// Keys: blocks. Arguments: at most; prefix of the penalty keys.
/// Answers, one after the other for each block: sealed name, bucket, level, length (ms), left (ms).
extern const char* const kBlocksScript;

/// Keys: penalty, violations, blocks. Arguments: offender. Answers 1 where a block was lifted.
extern const char* const kLiftScript;

} // namespace vivavoce::broker
