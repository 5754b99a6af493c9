#pragma once

/// Why kept conversations cannot be read or written, where they are damaged: the `foreignCode` of an error HistoryFailed. As stable as the codes are.
namespace vivavoce::core::history_fault {

/// They cannot be read.
inline constexpr const char* kDamaged = "history.damaged";
/// They were damaged; their file lies beside a new one, to which the same can be put at once.
inline constexpr const char* kSetAside = "history.set_aside";

} // namespace vivavoce::core::history_fault
