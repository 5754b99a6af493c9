#pragma once

/// What a broker has against the project of a session: the `foreignCode` of an error ChoiceNotAllowed, or of NotAuthorised where a session is
/// renewed. As stable as the codes are.
namespace vivavoce::core::project_fault {

/// A session has to name one, and this one named none.
inline constexpr const char* kNeeded = "project_needed";
/// It is not one of the caller's, or not any more. The broker's own word, which it has for both.
inline constexpr const char* kNotAllowed = "project_not_allowed";

} // namespace vivavoce::core::project_fault
