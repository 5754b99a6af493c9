#pragma once

#include "core/base/error.h"
#include "core/base/expected.h"
#include "core/ports/tool_source.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vivavoce::core {

/// A function as a person may see and decide on it.
struct OfferedTool {
    std::string name;
    std::string source;
    std::string description;
    ToolPolicy policy = ToolPolicy::Ask;
    bool alwaysAsks = false;

    bool operator==(const OfferedTool&) const = default;
};

/// A program that brings functions, as a person may see and decide on it.
struct ToolServer {
    /// NotApproved: nobody has said that this command may be started.
    enum class Stage { NotApproved, Off, Starting, Ready, Failed };

    std::string name;
    /// Program and arguments, for people.
    std::string commandLine;
    /// Names of variables that it is given, for people; their values may be secret.
    std::vector<std::string> environment;
    Stage stage = Stage::NotApproved;
    /// Why it failed.
    std::optional<Error> error;
    /// Another one for each other program, arguments and environment.
    std::string fingerprint = {};

    bool operator==(const ToolServer&) const = default;
};

/// Port: what functions there are, where they come from, and what a person decides of them. Decisions are kept.
/// Threads: the executor's own thread. Followers live as long as it is changed.
class ToolCatalog {
public:
    using Follower = std::function<void()>;

    virtual ~ToolCatalog() = default;
    virtual void follow(Follower follower) = 0;
    [[nodiscard]] virtual std::vector<OfferedTool> tools() const = 0;
    /// A line each, for people: functions that are left out or not checked in full.
    [[nodiscard]] virtual std::vector<std::string> remarks() const = 0;
    virtual void decide(const std::string& tool, ToolPolicy policy) = 0;

    /// Where the servers stand; empty: nowhere.
    [[nodiscard]] virtual std::string file() const = 0;
    /// Why that file, which was fine once, is not now, or why the last decision holds until the end of this run only.
    [[nodiscard]] virtual std::optional<Error> fileFault() const = 0;
    /// A file that cannot be used is an error, and changes nothing. The one that is used already is read again.
    virtual Expected<void, Error> useFile(const std::string& file) = 0;
    [[nodiscard]] virtual std::vector<ToolServer> servers() const = 0;
    /// `fingerprint` is that of what the person saw: nothing else is approved. It is started.
    virtual void approve(const std::string& server, const std::string& fingerprint) = 0;
    /// It is stopped, and asks again.
    virtual void withdraw(const std::string& server) = 0;
    /// One that is approved and has failed.
    virtual void startAgain(const std::string& server) = 0;
};

} // namespace vivavoce::core
