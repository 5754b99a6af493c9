// The verifier reads files that somebody may have tampered with; the writer is told texts that come from outside.
#include "broker/audit/audit_verifier.h"
#include "broker/audit/internal/chain_line.h"
#include "tests/fuzz/property.h"

#include <filesystem>
#include <fstream>

#include <unistd.h>

using namespace vivavoce;
using namespace vivavoce::broker;

namespace {

/// The folder with one file that is written anew for each input.
class Trail {
public:
    Trail() : m_folder(std::filesystem::temp_directory_path() / ("vivavoce-fuzz-" + std::to_string(::getpid())))
    {
        std::filesystem::create_directory(m_folder);
    }
    ~Trail()
    {
        std::error_code ignored;
        std::filesystem::remove_all(m_folder, ignored);
    }
    AuditVerifier::Verified verify(std::string_view text) const
    {
        std::ofstream(m_folder / "audit-00000000000000000001.jsonl", std::ios::binary | std::ios::trunc)
            .write(text.data(), static_cast<std::streamsize>(text.size()));
        return AuditVerifier::verify(m_folder);
    }

private:
    std::filesystem::path m_folder;
};

const Trail& trail()
{
    static const Trail made;
    return made;
}

/// Lines that begin with "!" are texts to be told of; the chain of them verifies, and stops to when one byte is another.
void writeAndVerify(std::string_view text)
{
    audit::ChainHead head;
    std::string lines;
    std::uint64_t count = 0;
    while (!text.empty() && count < 8) {
        const std::size_t end = std::min(text.find('\0'), text.size());
        AuditRecord record;
        record.subject = std::string(text.substr(0, end));
        record.why = "ok";
        record.request = record.subject;
        audit::limitTexts(record);
        const std::string line = audit::makeLine(record, core::WallTime(std::chrono::seconds(1'800'000'000)), head);
        fuzz::require(line.size() <= audit::kMaxLineBytes && line.back() == '\n', "a line has its length and its end");
        fuzz::require(fuzz::isTame(std::string_view(line).substr(0, line.size() - 1)), "no text ends a line");
        const auto parsed = audit::parseLine(std::string_view(line).substr(0, line.size() - 1));
        fuzz::require(parsed && parsed->isWhole && parsed->sequence == ++count, "a line that was made is ours");
        lines += line;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (count == 0) {
        return;
    }
    const auto verified = trail().verify(lines);
    fuzz::require(verified && verified->lines == count, "a chain that was made verifies");
    std::string other = lines;
    const std::size_t at = std::hash<std::string>()(lines) % lines.size();
    other[at] = static_cast<char>(other[at] ^ 1);
    const auto altered = trail().verify(other);
    fuzz::require(!altered || altered->lines < count || altered->tornBytes > 0, "a chain with another byte does not");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text = fuzz::textOf(data, size);
    if (!text.empty() && text.front() == '!') {
        writeAndVerify(text.substr(1));
        return 0;
    }
    const auto verified = trail().verify(text);
    if (verified) {
        fuzz::require(verified->lines <= size && verified->tornBytes <= size, "no more was verified than is there");
    } else {
        fuzz::require(verified.error().before.lines <= size, "no more was right than is there");
    }
    (void)audit::parseLine(text);
    return 0;
}
