#include "broker/audit/internal/chain_line.h"

#include "broker/tokens/token_hasher.h"
#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>
#include <openssl/evp.h>

#include <chrono>
#include <cstdlib>

namespace vivavoce::broker::audit {
namespace {

constexpr std::size_t kMaxTextBytes = 512;
/// Whom or what it is about: a project and a user, whole.
constexpr std::size_t kMaxTargetBytes = 4'096;
constexpr std::string_view kPrev = ",\"prev\":\"";
constexpr std::string_view kHash = "\",\"hash\":\"";
constexpr std::string_view kEnd = "\"}";
constexpr std::size_t kHexBytes = 64;
/// What every line ends with, from `prev` on.
constexpr std::size_t kSealBytes = kPrev.size() + kHexBytes + kHash.size() + kHexBytes + kEnd.size();

ChainHash sha256(std::string_view bytes)
{
    ChainHash result{};
    unsigned int size = 0;
    if (EVP_Digest(bytes.data(), bytes.size(), result.data(), &size, EVP_sha256(), nullptr) != 1
        || size != result.size()) {
        std::abort();
    }
    return result;
}

std::optional<ChainHash> hashOfHex(std::string_view text)
{
    const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
    ChainHash hash{};
    for (std::size_t i = 0; i < hash.size(); ++i) {
        const int high = digit(text[2 * i]);
        const int low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        hash[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    return hash;
}

std::string formatTime(core::WallTime time)
{
    using namespace std::chrono;
    const auto whole = floor<milliseconds>(time);
    const auto fraction = (whole - floor<seconds>(whole)).count();
    std::string text = core::formatRfc3339(whole);
    text.pop_back();
    const std::string digits = std::to_string(1000 + fraction);
    return text + '.' + digits.substr(1) + 'Z';
}

void put(core::Json& line, const char* key, const std::string& text)
{
    if (!text.empty()) {
        line[key] = text;
    }
}

} // namespace

void limitTexts(AuditRecord& record)
{
    for (std::string* const text : {&record.why, &record.issuer, &record.subject, &record.peer, &record.session,
             &record.project, &record.request, &record.target}) {
        const std::size_t most = text == &record.target ? kMaxTargetBytes : kMaxTextBytes;
        if (text->size() > most) {
            // A new one: a cut one would keep its memory.
            *text = text->substr(0, most);
        }
    }
}

std::string makeLine(const AuditRecord& record, core::WallTime time, ChainHead& head)
{
    core::Json fields = {{"seq", head.sequence + 1}, {"time", formatTime(time)},
        {"event", auditEventText(record.event)}, {"outcome", auditOutcomeText(record.outcome)}};
    put(fields, "why", record.why);
    put(fields, "issuer", record.issuer);
    put(fields, "subject", record.subject);
    put(fields, "peer", record.peer);
    put(fields, "session", record.session);
    put(fields, "project", record.project);
    put(fields, "request", record.request);
    put(fields, "target", record.target);
    if (record.count > 0) {
        fields["count"] = record.count;
    }
    if (record.token) {
        fields["token"] = "hmac-sha256:" + core::encodeBase64Url(*record.token);
    }
    // Escapes everything beyond visible ASCII, which writeJson leaves as it is: DEL and C1 controls move a terminal's cursor.
    std::string line = fields.dump(-1, ' ', true, core::Json::error_handler_t::replace);
    line.pop_back();
    line += kPrev;
    line += hexOf(head.hash);
    const ChainHash hash = sha256(line);
    line += kHash;
    line += hexOf(hash);
    line += kEnd;
    line += '\n';
    head = {head.sequence + 1, hash};
    return line;
}

std::optional<ChainLine> parseLine(std::string_view line)
{
    if (line.size() <= kSealBytes || line.size() > kMaxLineBytes) {
        return std::nullopt;
    }
    const std::size_t prev = line.size() - kSealBytes + kPrev.size();
    const std::size_t body = prev + kHexBytes;
    const std::size_t hash = body + kHash.size();
    const auto previous = hashOfHex(line.substr(prev, kHexBytes));
    const auto own = hashOfHex(line.substr(hash, kHexBytes));
    if (!previous || !own || line.substr(prev - kPrev.size(), kPrev.size()) != kPrev
        || line.substr(body, kHash.size()) != kHash || !line.ends_with(kEnd)) {
        return std::nullopt;
    }
    const auto fields = core::parseJson(line);
    if (!fields || !fields->is_object()) {
        return std::nullopt;
    }
    const auto sequence = fields->find("seq");
    if (sequence == fields->end() || !sequence->is_number_unsigned() || !fields->contains("event")
        || !fields->contains("time")) {
        return std::nullopt;
    }
    return ChainLine{sequence->get<std::uint64_t>(), *previous, *own, sha256(line.substr(0, body)) == *own};
}

} // namespace vivavoce::broker::audit
