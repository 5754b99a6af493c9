#include "broker/audit/audit_verifier.h"

#include "broker/audit/internal/chain_files.h"

#include <fstream>
#include <optional>
#include <utility>
#include <vector>

namespace vivavoce::broker {
namespace {

namespace fs = std::filesystem;
using audit::ChainHead;

/// The lines of a file, each bounded: a foreign file may have one without an end.
class LineReader {
public:
    enum class Got { Line, TooLong, Rest, End, Fault };

    explicit LineReader(const fs::path& path) : m_input(path, std::ios::binary) {}

    /// Line: `line()` is one. Rest: it is what comes behind the last line feed.
    Got next()
    {
        std::size_t feed = m_buffer.find('\n', m_next);
        while (feed == std::string::npos && m_buffer.size() - m_next <= audit::kMaxLineBytes) {
            m_buffer.erase(0, std::exchange(m_next, 0));
            const std::size_t size = m_buffer.size();
            m_buffer.resize(size + audit::kMaxLineBytes);
            m_input.read(m_buffer.data() + size, audit::kMaxLineBytes);
            const auto count = static_cast<std::size_t>(m_input.gcount());
            m_buffer.resize(size + count);
            if (!m_input.is_open() || m_input.bad()) {
                return Got::Fault;
            }
            if (count == 0) {
                m_line = m_buffer;
                return m_line.empty() ? Got::End : Got::Rest;
            }
            feed = m_buffer.find('\n', size);
        }
        if (feed == std::string::npos) {
            return Got::TooLong;
        }
        m_line = std::string_view(m_buffer).substr(m_next, feed - m_next);
        m_next = feed + 1;
        return Got::Line;
    }
    /// Valid until the next `next`.
    [[nodiscard]] std::string_view line() const { return m_line; }

private:
    std::ifstream m_input;
    std::string m_buffer;
    std::size_t m_next = 0;
    std::string_view m_line;
};

class Walk {
public:
    explicit Walk(const std::atomic<bool>* isStopped) : m_isStopped(isStopped) {}

    std::optional<AuditFlaw> take(std::string_view text)
    {
        const auto line = audit::parseLine(text);
        if (!line) {
            return AuditFlaw::Foreign;
        }
        if (!line->isWhole) {
            return AuditFlaw::Altered;
        }
        // The oldest files may have been taken away; only the very first line has nothing before it.
        const bool isFirst = summary.lines == 0 && line->sequence != 1;
        if (!isFirst && (line->previous != m_head.hash || line->sequence != m_head.sequence + 1)) {
            return AuditFlaw::Broken;
        }
        m_head = {line->sequence, line->hash};
        summary.firstSequence = summary.lines == 0 ? line->sequence : summary.firstSequence;
        summary.lastSequence = line->sequence;
        ++summary.lines;
        return std::nullopt;
    }

    AuditVerifier::Verified takeFile(const fs::path& path, bool isLast)
    {
        ++summary.files;
        LineReader reader(path);
        const std::string name = path.filename().string();
        std::uint64_t number = 0;
        const auto finding = [&](AuditFlaw flaw, std::uint64_t line) {
            return core::Unexpected<AuditFinding>(AuditFinding{flaw, name, line, told()});
        };
        while (true) {
            if (m_isStopped != nullptr && *m_isStopped) {
                return finding(AuditFlaw::Unreadable, 0);
            }
            const auto got = reader.next();
            ++number;
            if (got == LineReader::Got::End) {
                // A file is left for the next one only when it has lines.
                return number > 1 || isLast ? AuditVerifier::Verified(told()) : finding(AuditFlaw::Broken, 0);
            }
            if (got == LineReader::Got::Fault) {
                return finding(AuditFlaw::Unreadable, 0);
            }
            if (got == LineReader::Got::TooLong) {
                return finding(AuditFlaw::Foreign, number);
            }
            if (got == LineReader::Got::Rest) {
                if (!isLast) {
                    return finding(AuditFlaw::Torn, number);
                }
                summary.tornBytes = reader.line().size();
                return told();
            }
            if (const auto flaw = take(reader.line())) {
                return finding(*flaw, number);
            }
            if (number == 1 && audit::isTrailFile(name) && name != audit::fileNameOf(summary.lastSequence)) {
                return finding(AuditFlaw::Broken, number);
            }
        }
    }

    [[nodiscard]] AuditSummary told() const
    {
        AuditSummary result = summary;
        result.lastHash = hexOf(m_head.hash);
        return result;
    }

    AuditSummary summary;

private:
    const std::atomic<bool>* const m_isStopped;
    ChainHead m_head;
};

} // namespace

std::string_view auditFlawText(AuditFlaw flaw)
{
    switch (flaw) {
    case AuditFlaw::Missing:
        return "audit.missing";
    case AuditFlaw::Unreadable:
        return "audit.unreadable";
    case AuditFlaw::Foreign:
        return "audit.foreign";
    case AuditFlaw::Altered:
        return "audit.altered";
    case AuditFlaw::Broken:
        return "audit.broken";
    case AuditFlaw::Torn:
        return "audit.torn";
    }
    return "audit.unreadable";
}

AuditVerifier::Verified AuditVerifier::verify(const fs::path& path, const std::atomic<bool>* isStopped)
{
    Walk walk(isStopped);
    const auto finding = [&](AuditFlaw flaw) {
        return core::Unexpected<AuditFinding>(AuditFinding{flaw, path.filename().string(), 0, {}});
    };
    std::error_code error;
    const auto kind = fs::status(path, error).type();
    if (kind == fs::file_type::not_found) {
        return finding(AuditFlaw::Missing);
    }
    if (kind != fs::file_type::directory) {
        return walk.takeFile(path, true);
    }
    const auto names = audit::trailFiles(path);
    if (!names || names->empty()) {
        return finding(names ? AuditFlaw::Missing : AuditFlaw::Unreadable);
    }
    for (const std::string& name : *names) {
        if (auto taken = walk.takeFile(path / name, name == names->back()); !taken) {
            return taken;
        }
    }
    return walk.told();
}

} // namespace vivavoce::broker
