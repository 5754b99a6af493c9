#pragma once

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/units.h"

#include <cstdio>
#include <functional>
#include <string>
#include <utility>

namespace vivavoce::cli {

/// How events are written: for programs, or for people.
enum class OutputFormat { JsonLines, Text };

/// Writes what happens to standard output, one JSON object a line with `at` (ms since the start) and `type`; or, for people,
/// only what is said, done and wrong. Each line is flushed: whoever reads along is never behind. A terminal obeys nothing of what others said: in JSON that
/// is escaped, for people it is shown as U+FFFD.
/// A reader that does not take them is waited for, and once the conversation is over for two seconds more; then the rest is lost.
class EventWriter {
public:
    EventWriter(const core::Clock& clock, OutputFormat format, std::FILE* out = stdout);

    /// `fields` is an object without `at` and `type`.
    void write(std::string_view type, core::Json fields);
    /// A line for people, whatever is in it; nothing in JSON Lines.
    void say(const std::string& line);
    [[nodiscard]] core::Milliseconds elapsed() const;
    /// Whether the conversation is over, whatever is still to be said of it. Without it a reader is waited for for ever.
    void setOver(std::function<bool()> isOver) { m_isOver = std::move(isOver); }
    /// Something could not be written.
    [[nodiscard]] bool hasFailed() const { return m_hasGivenUp || std::ferror(m_out) != 0; }

private:
    void writeLine(std::string line);
    [[nodiscard]] bool waitForReader();

    const core::Clock& m_clock;
    OutputFormat m_format;
    std::FILE* m_out;
    core::MonotonicTime m_start;
    std::function<bool()> m_isOver;
    bool m_hasGivenUp = false;
};

} // namespace vivavoce::cli
