#include "net/internal/header_block.h"

#include <algorithm>
#include <utility>

namespace vivavoce::net {
namespace {

using core::equalsIgnoreCase;

bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}

bool isAlphaNumeric(char c)
{
    return isDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool isControl(char c)
{
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7F;
}

bool isFieldText(std::string_view text)
{
    return std::none_of(text.begin(), text.end(), [](char c) { return c != '\t' && isControl(c); });
}

std::string_view trimmed(std::string_view text)
{
    constexpr std::string_view kBlank = " \t";
    const std::size_t first = text.find_first_not_of(kBlank);
    return first == std::string_view::npos ? std::string_view()
                                           : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// uri-host [ ":" port ] of RFC 9110 §7.2, by its characters.
bool isHost(std::string_view text)
{
    constexpr std::string_view kMarks = "-._~!$&'()*+;=%:[]";
    // A port alone is nobody's (RFC 9110 §4.2.1).
    return !text.empty() && text.front() != ':' && std::all_of(text.begin(), text.end(), [&](char c) {
        return isAlphaNumeric(c) || kMarks.find(c) != std::string_view::npos;
    });
}

bool isLength(std::string_view text)
{
    constexpr std::size_t kMostDigits = 18;
    return !text.empty() && text.size() <= kMostDigits && std::all_of(text.begin(), text.end(), isDigit);
}

/// A target in absolute form takes the place of the Host, so its authority has to be as good as one: a host and no user.
bool hasGoodAuthority(std::string_view target)
{
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (equalsIgnoreCase(target.substr(0, scheme.size()), scheme)) {
            target.remove_prefix(scheme.size());
            return isHost(target.substr(0, target.find_first_of("/?")));
        }
    }
    return true;
}

struct RequestLine {
    bool isGood = false;
    bool isOld = false;
};

/// method SP target SP HTTP/1.x, single spaces.
RequestLine readRequestLine(std::string_view line)
{
    const std::size_t first = line.find(' ');
    const std::size_t second = first == std::string_view::npos ? first : line.find(' ', first + 1);
    if (second == std::string_view::npos) {
        return {};
    }
    const std::string_view target = line.substr(first + 1, second - first - 1);
    const std::string_view version = line.substr(second + 1);
    // A fragment stays with the client (RFC 9112 §3.2).
    const bool isTarget = !target.empty() && hasGoodAuthority(target)
        && std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '#'; });
    const bool isOld = version == "HTTP/1.0";
    return {isToken(line.substr(0, first)) && isTarget && (isOld || version == "HTTP/1.1"), isOld};
}

/// The fields that decide where a request ends and whom it is for.
struct Framing {
    int hosts = 0;
    int lengths = 0;
    int encodings = 0;

    /// False: this field alone condemns the request.
    bool take(std::string_view name, std::string_view value)
    {
        if (equalsIgnoreCase(name, "Host")) {
            ++hosts;
            return isHost(value);
        }
        if (equalsIgnoreCase(name, "Content-Length")) {
            ++lengths;
            return isLength(value);
        }
        if (equalsIgnoreCase(name, "Transfer-Encoding")) {
            ++encodings;
            return equalsIgnoreCase(value, "chunked");
        }
        return true;
    }
};

} // namespace

bool isToken(std::string_view text)
{
    constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
        return isAlphaNumeric(c) || kMarks.find(c) != std::string_view::npos;
    });
}

bool areSendable(const core::HttpHeaders& headers)
{
    const auto& fields = headers.fields();
    return std::all_of(fields.begin(), fields.end(),
        [](const auto& field) { return isToken(field.name) && isFieldText(field.value); });
}

HeaderScanner::State HeaderScanner::scan(std::string_view received)
{
    for (; m_scanned < received.size(); ++m_scanned) {
        const char c = received[m_scanned];
        const char before = m_scanned == 0 ? '\0' : received[m_scanned - 1];
        if ((before == '\r') != (c == '\n')) {
            return State::Broken;
        }
        if (c != '\t' && c != '\r' && c != '\n' && isControl(c)) {
            return State::Broken;
        }
        if (c == '\n' && m_scanned >= 3 && received[m_scanned - 2] == '\n') {
            ++m_scanned;
            return State::Complete;
        }
    }
    return State::Incomplete;
}

bool isCleanHeaderBlock(std::string_view block)
{
    Framing framing;
    RequestLine requestLine;
    for (bool isFirst = true;; isFirst = false) {
        const std::size_t end = block.find("\r\n");
        if (end == std::string_view::npos) {
            return false;
        }
        const std::string_view line = block.substr(0, end);
        block.remove_prefix(end + 2);
        if (!isFieldText(line)) {
            return false;
        }
        if (isFirst) {
            requestLine = readRequestLine(line);
            if (!requestLine.isGood) {
                return false;
            }
            continue;
        }
        if (line.empty()) {
            break;
        }
        const std::size_t colon = line.find(':');
        // A folded line begins with white space, so its "name" is no token either.
        if (colon == std::string_view::npos || !isToken(line.substr(0, colon))) {
            return false;
        }
        if (!framing.take(line.substr(0, colon), trimmed(line.substr(colon + 1)))) {
            return false;
        }
    }
    const bool isFramedOnce = framing.lengths + framing.encodings <= 1;
    // HTTP/1.0 knows no Transfer-Encoding: whoever forwarded this read it differently (RFC 9112 §6.1).
    return framing.hosts == 1 && isFramedOnce && !(requestLine.isOld && framing.encodings > 0) && block.empty();
}

} // namespace vivavoce::net
