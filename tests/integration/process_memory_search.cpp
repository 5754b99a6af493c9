#include "tests/integration/process_memory_search.h"

#include "tests/broker/marker_search.h"

#include <QTest>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <sstream>

#include <sys/ptrace.h>
#include <sys/wait.h>

namespace vivavoce::tests {
namespace {

constexpr std::size_t kPage = 4096;
/// A shorter text is no secret.
constexpr std::size_t kShortest = 16;
constexpr std::size_t kContext = 24;

std::string procFile(qint64 pid, const char* name)
{
    return "/proc/" + std::to_string(pid) + "/" + name;
}

std::string inUtf16(const std::string& ascii)
{
    std::string wide;
    for (const char c : ascii) {
        wide.append(1, c).append(1, '\0');
    }
    return wide;
}

/// What cannot be written to is of files; what the kernel lends has no secrets.
bool isWorthReading(const MemoryPiece& piece, const std::string& rights)
{
    const bool isFile = piece.name.starts_with("/");
    return rights[0] == 'r' && (rights[1] == 'w' || !isFile) && !piece.name.starts_with("[v");
}

} // namespace

std::vector<MemoryPiece> memoryOf(qint64 pid)
{
    std::vector<MemoryPiece> all;
    std::ifstream maps(procFile(pid, "smaps"));
    std::FILE* const memory = std::fopen(procFile(pid, "mem").c_str(), "rb");
    if (memory == nullptr) {
        return all;
    }
    MemoryPiece piece;
    std::uint64_t end = 0;
    std::string rights;
    for (std::string line; std::getline(maps, line);) {
        std::istringstream words(line);
        if (line.starts_with("VmFlags:")) {
            piece.isOfSecrets = line.find(" dd") != std::string::npos;
            piece.bytes.resize(end - piece.begin);
            if (isWorthReading(piece, rights) && fseeko(memory, static_cast<off_t>(piece.begin), SEEK_SET) == 0
                && std::fread(piece.bytes.data(), 1, piece.bytes.size(), memory) == piece.bytes.size()) {
                all.push_back(std::move(piece));
            }
            piece = {};
        } else if (line.find("kB") == std::string::npos && line.find('-') != std::string::npos) {
            std::string offset;
            std::string device;
            std::string inode;
            char dash = 0;
            words >> std::hex >> piece.begin >> dash >> end >> rights >> offset >> device >> inode;
            words >> piece.name;
        }
    }
    std::fclose(memory);
    return all;
}

std::vector<std::string> secretsIn(const std::vector<MemoryPiece>& memory)
{
    std::vector<std::string> secrets;
    for (const MemoryPiece& piece : memory) {
        for (std::size_t at = 0; piece.isOfSecrets && at < piece.bytes.size(); at += kPage) {
            // Each has pages of its own.
            std::string text(piece.bytes.c_str() + at);
            if (text.size() >= kShortest) {
                secrets.push_back(std::move(text));
            }
        }
    }
    return secrets;
}

void ProcessMemorySearch::add(const QString& name, const std::string& secret)
{
    for (const auto& [form, text] : MarkerSearch::formsOf(secret)) {
        for (const bool isWide : {false, true}) {
            const std::string bytes = isWide ? inUtf16(text) : text;
            const bool isKnown = std::any_of(
                m_needles.begin(), m_needles.end(), [&](const Needle& needle) { return needle.bytes == bytes; });
            if (!isKnown) {
                m_needles.push_back(
                    {name + QStringLiteral(" as ") + form + (isWide ? QStringLiteral(" in UTF-16") : QString()),
                        bytes});
            }
        }
    }
}

std::vector<ProcessMemorySearch::Hit> ProcessMemorySearch::findIn(const std::vector<MemoryPiece>& memory) const
{
    std::vector<Hit> hits;
    for (const MemoryPiece& piece : memory) {
        for (const Needle& needle : m_needles) {
            const char* from = piece.bytes.data();
            const char* const end = from + piece.bytes.size();
            // std::search is many times slower without an optimiser.
            while (const void* found =
                       memmem(from, static_cast<std::size_t>(end - from), needle.bytes.data(), needle.bytes.size())) {
                const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - piece.bytes.data());
                const std::size_t before = std::min(at, kContext);
                hits.push_back({needle.what, piece.isOfSecrets, piece.bytes.substr(at - before, before),
                    QStringLiteral("%1 at %2").arg(QString::fromStdString(piece.name)).arg(piece.begin + at, 0, 16)});
                from = static_cast<const char*>(found) + needle.bytes.size();
            }
        }
    }
    return hits;
}

QStringList ProcessMemorySearch::told(const std::vector<Hit>& hits)
{
    QStringList lines;
    for (const Hit& hit : hits) {
        lines.append(QStringLiteral("%1 in %2, behind '%3'")
                         .arg(hit.what, hit.where,
                             QString::fromLatin1(hit.before.data(), qsizetype(hit.before.size()))
                                 .replace(QChar::Null, QLatin1Char('.'))));
    }
    return lines;
}

std::vector<ProcessMemorySearch::Hit> ProcessMemorySearch::outsideSecrets(std::vector<Hit> hits)
{
    std::erase_if(hits, [](const Hit& hit) { return hit.isInSecret; });
    return hits;
}

LastBreath::LastBreath(qint64 pid)
    : m_pid(static_cast<int>(pid)), m_isAttached(ptrace(PTRACE_SEIZE, m_pid, nullptr, PTRACE_O_TRACEEXIT) == 0)
{
}

LastBreath::~LastBreath()
{
    if (!m_isAttached) {
        return;
    }
    // Who goes on has to be stopped to be let go.
    if (!m_isThere && ptrace(PTRACE_INTERRUPT, m_pid, nullptr, nullptr) == 0) {
        int status = 0;
        waitpid(m_pid, &status, __WALL);
    }
    ptrace(PTRACE_DETACH, m_pid, nullptr, nullptr);
}

bool LastBreath::hasCome()
{
    int status = 0;
    while (!m_isThere && waitpid(m_pid, &status, WNOHANG | __WALL) == m_pid && WIFSTOPPED(status)) {
        m_isThere = status >> 8 == (SIGTRAP | (PTRACE_EVENT_EXIT << 8));
        if (!m_isThere) {
            // A signal on its way.
            ptrace(PTRACE_CONT, m_pid, nullptr, WSTOPSIG(status));
        }
    }
    return m_isThere;
}

bool LastBreath::waitFor(int milliseconds)
{
    return m_isAttached && QTest::qWaitFor([this] { return hasCome(); }, milliseconds);
}

} // namespace vivavoce::tests
