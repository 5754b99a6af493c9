#include "broker/audit/audit_tail.h"

#include "broker/audit/internal/chain_files.h"
#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

namespace vivavoce::broker {
namespace {

namespace fs = std::filesystem;
using audit::ChainLine;
using audit::kMaxLineBytes;

constexpr std::size_t kChunkBytes = 4 * kMaxLineBytes;
/// For one page.
constexpr std::size_t kMostRead = 4 * 1024 * 1024;

/// Bytes of an open file.
class Bytes {
public:
    explicit Bytes(const fs::path& path) : m_input(path, std::ios::binary | std::ios::ate)
    {
        m_size = m_input ? static_cast<std::uint64_t>(m_input.tellg()) : 0;
    }
    [[nodiscard]] bool isReadable() const { return static_cast<bool>(m_input); }
    [[nodiscard]] std::uint64_t size() const { return m_size; }
    std::string read(std::uint64_t from, std::uint64_t to)
    {
        std::string bytes(static_cast<std::size_t>(to - from), '\0');
        m_input.clear();
        m_input.seekg(static_cast<std::streamoff>(from));
        m_input.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        bytes.resize(static_cast<std::size_t>(m_input.gcount()));
        return bytes;
    }

private:
    std::ifstream m_input;
    std::uint64_t m_size = 0;
};

/// The first whole line that begins in there behind the first line feed; nothing where none does.
std::optional<ChainLine> lineWithin(std::string_view bytes)
{
    const std::size_t begin = bytes.find('\n');
    const std::size_t end = begin == std::string_view::npos ? begin : bytes.find('\n', begin + 1);
    return end == std::string_view::npos ? std::nullopt : audit::parseLine(bytes.substr(begin + 1, end - begin - 1));
}

/// A place behind which every line is `before` or a later one, and not much farther than the last earlier one.
std::uint64_t endBefore(Bytes& file, std::uint64_t before)
{
    std::uint64_t low = 0;
    std::uint64_t high = file.size();
    while (high - low > kChunkBytes) {
        const std::uint64_t middle = low + (high - low) / 2;
        const auto line = lineWithin(file.read(middle, std::min(middle + 2 * kMaxLineBytes, file.size())));
        if (line && line->sequence < before) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return std::min(high + 2 * kMaxLineBytes, file.size());
}

/// Nothing: twenty digits that are no line's number.
std::optional<std::uint64_t> firstSequenceOf(std::string_view name)
{
    constexpr std::size_t kPrefix = std::string_view("audit-").size();
    const std::string_view digits = name.substr(kPrefix, name.find('.') - kPrefix);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return error == std::errc() ? std::optional(number) : std::nullopt;
}

class Page {
public:
    explicit Page(const AuditTailQuery& query)
        : m_query(query), m_before(query.before.value_or(std::numeric_limits<std::uint64_t>::max()))
    {
    }

    [[nodiscard]] bool isDone() const { return page.lines.size() >= m_query.most || m_read >= kMostRead; }

    /// The lines of a file, from its end backwards.
    void takeFile(Bytes& file, bool isLast)
    {
        std::uint64_t to = m_query.before ? endBefore(file, *m_query.before) : file.size();
        bool isBehindAll = to == file.size();
        std::string rest;
        while (to > 0 && !isDone()) {
            const std::uint64_t from = to > kChunkBytes ? to - kChunkBytes : 0;
            std::string chunk = file.read(from, to) + rest;
            m_read += to - from;
            to = from;
            const std::size_t end = chunk.rfind('\n');
            if (isBehindAll && end + 1 != chunk.size()) {
                // What comes behind the last line feed of all is a line that is being written.
                page.isWhole = page.isWhole && isLast;
            }
            isBehindAll = false;
            if (end == std::string::npos) {
                rest = std::move(chunk);
            } else {
                chunk.resize(end + 1);
                rest = takeLines(chunk, from == 0);
            }
            if (!isDone() && rest.size() > kMaxLineBytes) {
                page.isWhole = false;
                return;
            }
        }
    }

    AuditTailPage page;

private:
    /// What may be the end of a line that begins earlier.
    std::string takeLines(std::string_view chunk, bool beginsFile)
    {
        while (!chunk.empty() && !isDone()) {
            const std::size_t feed = chunk.size() - 1;
            const std::size_t before = feed == 0 ? std::string_view::npos : chunk.rfind('\n', feed - 1);
            if (before == std::string_view::npos && !beginsFile) {
                break;
            }
            const std::size_t begin = before == std::string_view::npos ? 0 : before + 1;
            takeLine(chunk.substr(begin, feed - begin));
            chunk = chunk.substr(0, begin);
        }
        return std::string(chunk);
    }

    void takeLine(std::string_view text)
    {
        const auto line = audit::parseLine(text);
        if (line && line->sequence >= m_before) {
            return;
        }
        page.isWhole = page.isWhole && line && line->isWhole
            && (!m_next || (line->hash == m_next->previous && line->sequence + 1 == m_next->sequence));
        if (!line) {
            return;
        }
        m_next = line;
        page.next = line->sequence > 1 ? std::optional(line->sequence) : std::nullopt;
        if (isWanted(text)) {
            page.lines.emplace_back(text);
        }
    }

    [[nodiscard]] bool isWanted(std::string_view text) const
    {
        if (m_query.events.empty()) {
            return true;
        }
        const auto json = core::parseJson(text);
        if (!json || !json->is_object()) {
            return false;
        }
        // Whoever has changed the line may have put anything there.
        const auto event = json->find("event");
        return event != json->end() && event->is_string()
            && std::find(m_query.events.begin(), m_query.events.end(), event->get_ref<const std::string&>())
            != m_query.events.end();
    }

    const AuditTailQuery& m_query;
    const std::uint64_t m_before;
    /// The line after the one that is read now.
    std::optional<ChainLine> m_next;
    std::uint64_t m_read = 0;
};

} // namespace

core::Expected<AuditTailPage, core::Error> readAuditTail(const fs::path& folder, const AuditTailQuery& query)
{
    const auto files = audit::trailFiles(folder);
    if (!files) {
        return core::fail(core::ErrorCode::OutputUnwritable, "the audit's folder cannot be read");
    }
    Page page(query);
    for (auto name = files->rbegin(); name != files->rend() && !page.isDone(); ++name) {
        const auto first = firstSequenceOf(*name);
        if (!first || (query.before && *first >= *query.before)) {
            continue;
        }
        Bytes file(folder / *name);
        if (!file.isReadable()) {
            return core::fail(core::ErrorCode::OutputUnwritable, "a file of the audit cannot be read");
        }
        page.takeFile(file, name == files->rbegin());
    }
    if (!page.isDone()) {
        // Older ones may have been taken away: there is nothing to go on to.
        page.page.next.reset();
    }
    return std::move(page.page);
}

} // namespace vivavoce::broker
