#include "app/cli/json_lines.h"

#include "core/tools/readable_text.h"

#include <nlohmann/json.hpp>

namespace vivavoce::cli {

EventWriter::EventWriter(const core::Clock& clock, OutputFormat format, std::FILE* out)
    : m_clock(clock), m_format(format), m_out(out), m_start(clock.now())
{
}

void EventWriter::write(std::string_view type, core::Json fields)
{
    if (m_format == OutputFormat::JsonLines) {
        fields["at"] = elapsed().count();
        fields["type"] = type;
        writeLine(core::terminalJson(core::writeJson(fields)));
    }
}

void EventWriter::say(const std::string& line)
{
    if (m_format == OutputFormat::Text) {
        writeLine(core::terminalText(line));
    }
}

core::Milliseconds EventWriter::elapsed() const
{
    return std::chrono::duration_cast<core::Milliseconds>(m_clock.now() - m_start);
}

void EventWriter::writeLine(const std::string& line)
{
    // A reader that has gone away is no reason to stop a conversation that also goes to a file.
    std::fwrite(line.data(), 1, line.size(), m_out);
    std::fputc('\n', m_out);
    std::fflush(m_out);
}

} // namespace vivavoce::cli
