#include "broker/providers/credential_mask.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace vivavoce::broker {
namespace {

constexpr char kAsterisk = '*';
/// So much of a credential at a reason's end is no word.
constexpr std::size_t kLeastPart = 8;

/// A character of a JSON string, and how many bytes it takes there.
struct Letter {
    /// 0: none that a credential has.
    char value = '\0';
    std::size_t length = 1;
};

Letter letterAt(std::string_view text, std::size_t at)
{
    constexpr std::size_t kShortEscape = 2;
    constexpr std::size_t kLongEscape = 6;
    constexpr unsigned kNoAscii = 0x80;
    if (text[at] != '\\' || at + 1 >= text.size()) {
        return {text[at], 1};
    }
    const char kind = text[at + 1];
    if (kind != 'u') {
        const bool isItself = kind == '"' || kind == '\\' || kind == '/';
        return {isItself ? kind : '\0', kShortEscape};
    }
    if (text.size() - at < kLongEscape) {
        return {'\0', kShortEscape};
    }
    unsigned value = 0;
    const char* const last = text.data() + at + kLongEscape;
    const auto [end, fault] = std::from_chars(text.data() + at + kShortEscape, last, value, 16);
    if (fault != std::errc() || end != last) {
        return {'\0', kShortEscape};
    }
    return {value < kNoAscii ? static_cast<char>(value) : '\0', kLongEscape};
}

/// Behind the credential, where it begins at `at` with whatever escapes; npos: it does not.
std::size_t endOf(std::string_view credential, std::string_view text, std::size_t at)
{
    for (const char wanted : credential) {
        if (at >= text.size()) {
            return std::string_view::npos;
        }
        const Letter letter = letterAt(text, at);
        if (letter.value != wanted) {
            return std::string_view::npos;
        }
        at += letter.length;
    }
    return at;
}

bool hideEscaped(std::string_view credential, std::string& text)
{
    bool isThere = false;
    for (std::size_t at = 0; at < text.size();) {
        const Letter letter = letterAt(text, at);
        const std::size_t end =
            letter.value == credential.front() ? endOf(credential, text, at) : std::string_view::npos;
        if (end == std::string_view::npos) {
            at += letter.length;
            continue;
        }
        std::fill_n(text.data() + at, end - at, kAsterisk);
        isThere = true;
        at = end;
    }
    return isThere;
}

/// Whether the byte is the second one of an escape, which would be none without it.
bool isEscaped(std::string_view text, std::size_t at)
{
    const std::size_t before = text.substr(0, at).find_last_not_of('\\');
    const std::size_t backslashes = before == std::string_view::npos ? at : at - before - 1;
    return backslashes % 2 == 1;
}

} // namespace

std::shared_ptr<const CredentialMask> CredentialMask::of(std::string_view credential)
{
    return std::make_shared<const CredentialMask>(core::Secret(credential));
}

CredentialMask::CredentialMask(core::Secret credential) : m_credential(std::move(credential))
{
    const std::string_view text = m_credential.reveal();
    if (text.size() >= kShortest) {
        m_searcher.emplace(text.data(), text.data() + text.size());
    }
}

bool CredentialMask::hide(std::string& text) const
{
    if (!m_searcher) {
        return false;
    }
    bool isThere = false;
    char* const end = text.data() + text.size();
    char* found = std::search(text.data(), end, *m_searcher);
    while (found != end) {
        char* const behind = found + m_credential.size();
        const auto at = static_cast<std::size_t>(found - text.data());
        std::fill(found + (isEscaped(text, at) ? 1 : 0), behind, kAsterisk);
        isThere = true;
        found = std::search(behind, end, *m_searcher);
    }
    // Sound has none.
    if (text.find('\\') != std::string::npos) {
        isThere = hideEscaped(m_credential.reveal(), text) || isThere;
    }
    return isThere;
}

bool CredentialMask::hideInReason(std::string& reason) const
{
    const bool isThere = hide(reason);
    const std::string_view text = m_credential.reveal();
    if (!m_searcher || reason.size() < kLeastPart) {
        return isThere;
    }
    std::size_t length = std::min(text.size() - 1, reason.size());
    while (length >= kLeastPart && !reason.ends_with(text.substr(0, length))) {
        --length;
    }
    if (length < kLeastPart) {
        return isThere;
    }
    std::fill(reason.end() - static_cast<std::ptrdiff_t>(length), reason.end(), kAsterisk);
    return true;
}

} // namespace vivavoce::broker
