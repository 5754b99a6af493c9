#pragma once

#include "core/base/error.h"

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// A program to start.
struct ProcessCommand {
    std::string program;
    std::vector<std::string> arguments;
    /// Added to the little that a program needs to run at all: where programs and the user's home are, language, time zone. Nothing else of
    /// our own environment is passed on.
    std::map<std::string, std::string> environment;

    bool operator==(const ProcessCommand&) const = default;
};

/// Is told what a program says. Neither is called from within a call to it.
class LineProcessListener {
public:
    virtual ~LineProcessListener() = default;
    /// Without its end.
    virtual void lineReceived(std::string_view line) = 0;
    /// It did not start, has ended, said a line that was too long, or does not read what it is told. It is the last thing that is told.
    virtual void processEnded(const Error& why) = 0;
};

/// Port: a program that is talked to in lines, on its standard input and output. Destroying it kills the program with
/// what it started, as far as the system lets them be found together.
/// Threads: the executor's own thread.
class LineProcess {
public:
    virtual ~LineProcess() = default;
    /// Once. The listener outlives it.
    virtual void start(const ProcessCommand& command, LineProcessListener& listener) = 0;
    /// `line` holds no line end.
    virtual void write(std::string_view line) = 0;
};

using MakeLineProcess = std::function<std::unique_ptr<LineProcess>()>;

} // namespace vivavoce::core
