#include "app/cli/json_lines.h"

#include "app/platform/standard_output.h"
#include "core/tools/readable_text.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <string_view>

namespace vivavoce::cli {
namespace {

constexpr core::Milliseconds kLook{100};
constexpr core::Milliseconds kPatience{2'000};

} // namespace

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

void EventWriter::writeLine(std::string line)
{
    // A reader that has gone away is no reason to stop a conversation that also goes to a file.
    line += '\n';
    for (std::string_view rest = line; !rest.empty() && waitForReader();) {
        const std::string_view piece = rest.substr(0, platform::kTakenAtOnce);
        std::fwrite(piece.data(), 1, piece.size(), m_out);
        std::fflush(m_out);
        rest.remove_prefix(piece.size());
    }
}

bool EventWriter::waitForReader()
{
    std::optional<core::MonotonicTime> end;
    while (!m_hasGivenUp && !platform::waitUntilTaken(m_out, kLook)) {
        if (m_isOver && m_isOver()) {
            end = end.value_or(m_clock.now() + kPatience);
            m_hasGivenUp = m_clock.now() >= *end;
        }
    }
    return !m_hasGivenUp;
}

} // namespace vivavoce::cli
