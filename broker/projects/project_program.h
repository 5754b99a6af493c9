#pragma once

#include "broker/config.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace vivavoce::broker {

/// `project …`: what is done to the projects that admins keep in the database.
struct ProjectCommand {
    enum class Verb { List, Create, Set, Remove, ListMembers, AddMember, RemoveMember };
    Overrides overrides;
    Verb verb = Verb::List;
    std::string project;
    /// auth::Caller::key.
    std::string user;
    /// Add them as one of the project's admins.
    bool isAdmin = false;
    /// Of lists: those after this one.
    std::string after;
    /// "longestSession=600"; a member's value is JSON, or text.
    std::vector<std::string> values;
    /// Members of the policy that are to go.
    std::vector<std::string> without;
    /// Of Set: what the project has to be still. Empty: whatever it is, what is set is set in that.
    std::string revision;
};

/// Does it, with the configuration's database, whether a broker runs there or not. What it changes is first told to an audit of its own, in
/// the folder `command-line` of the broker's. Prints JSON, one object a line, to `out`; what went wrong to `err`. Answers the exit code.
[[nodiscard]] int runProjectCommand(
    const ProjectCommand& command, const Environment& environment, std::ostream& out, std::ostream& err);

} // namespace vivavoce::broker
