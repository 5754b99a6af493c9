#include "broker/setup/secret_strength.h"

#include "core/base/base64.h"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bitset>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

namespace vivavoce::broker {
namespace {

constexpr std::size_t kShortest = 32;
/// By the rough estimate below; 32 random bytes have 150 and more by it, however they are written.
constexpr double kFewestBits = 48;
/// More is not looked at; nobody's secret gets weaker by its end.
constexpr std::size_t kLongestLooked = 1024;

/// What each key of the list begins with when it is hashed with SHA-256; hexadecimal digits are hashed in lower case.
constexpr std::array<std::uint64_t, 22> kPublished{
    // RFC 7515 appendix A.1 to A.4, RFC 7520 §3.5.
    0x8B1B17A9740C068AU,
    0xECAA6793A6374193U,
    0x5CCF2EDB4F070F0BU,
    0xF8123081A22E5C00U,
    0x0330B11998CBC9ABU,
    // Tutorials of web frameworks.
    0x2B1FA627178E3424U,
    0x5DF73E1AA59D8F33U,
    0x4C0BF08221F3D71EU,
    // Those of 32 bytes and more of the common secrets that jwt_tool lists (jwt-common.txt, 95 entries).
    0x03E44E5BAE5F9881U,
    0x093C97A5D7798222U,
    0x2492212A9253330AU,
    0x3B8C641B71396A65U,
    0x57F25C44324D8F95U,
    0x582CC79CD52A540FU,
    0x6F1AE40570ACC392U,
    0x72B4C2EC107DB463U,
    0x7CAE8926CF91CF27U,
    0xA4BC5B678FA77939U,
    0xA5FF35AF1EA5D53DU,
    0xBB5AE91CD8A214DDU,
    0xE1B85B27D6BCB058U,
    0xEAA9E24E93DD43C2U,
};

/// Six letters at least: in random Base64 a shorter one would be found now and then.
constexpr std::array<std::string_view, 24> kWords{"secret", "password", "passwort", "passphrase", "change", "example",
    "default", "please", "replace", "insert", "production", "development", "placeholder", "private", "signing",
    "security", "qwerty", "letmein", "testing", "sample", "minimum", "characters", "generate", "vivavoce"};
constexpr std::string_view kKeyboard = "qwertyuiop asdfghjkl zxcvbnm 1234567890";

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
bool isDigit(char c)
{
    return c >= '0' && c <= '9';
}
bool isHexDigit(char c)
{
    return isDigit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

/// Whether whoever saw the first would guess the second: the same, its neighbour in the alphabet or on the keyboard.
bool isStep(char from, char to)
{
    const char a = lower(from);
    const char b = lower(to);
    if (std::abs(int{a} - int{b}) <= 1) {
        return true;
    }
    const std::size_t at = kKeyboard.find(a);
    return at != std::string_view::npos && a != ' ' && b != ' '
        && ((at > 0 && kKeyboard[at - 1] == b) || (at + 1 < kKeyboard.size() && kKeyboard[at + 1] == b));
}

/// A rough estimate from above: characters that nobody could guess from those before, each worth what the alphabet gives.
double bitsOf(std::string_view text)
{
    std::bitset<256> seen;
    std::size_t unforeseen = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        seen.set(static_cast<unsigned char>(text[i]));
        // 1a2b3c: two orders, one in the gaps of the other.
        const bool isWoven = i > 2 && isStep(text[i - 3], text[i - 1]) && isStep(text[i - 2], text[i]);
        const bool isForeseen = isWoven || (i > 0 && isStep(text[i - 1], text[i]));
        const bool isRepeated = i >= 3 && text.substr(0, i).find(text.substr(i - 2, 3)) < i - 2;
        unforeseen += isForeseen || isRepeated ? 0 : 1;
    }
    return static_cast<double>(unforeseen) * std::log2(static_cast<double>(std::max<std::size_t>(seen.count(), 1)));
}

/// In lower case, in upper case, or as a name begins: a random text has it in any mixture.
bool hasWord(std::string_view text, std::string_view word)
{
    const auto isSame = [](char a, char b) { return lower(a) == b; };
    auto found = text.begin();
    while (true) {
        found = std::search(found, text.end(), word.begin(), word.end(), isSame);
        if (found == text.end()) {
            return false;
        }
        const auto isUpper = [](char c) { return c >= 'A' && c <= 'Z'; };
        const auto uppers = std::count_if(found, found + static_cast<std::ptrdiff_t>(word.size()), isUpper);
        if (uppers == 0 || uppers == static_cast<std::ptrdiff_t>(word.size()) || (uppers == 1 && isUpper(*found))) {
            return true;
        }
        ++found;
    }
}

/// Letters of one case and what stands between words, without a digit: a phrase, or typed at random.
bool isPhrase(std::string_view text)
{
    const auto has = [&](auto what) { return std::any_of(text.begin(), text.end(), what); };
    const bool hasLower = has([](char c) { return c >= 'a' && c <= 'z'; });
    const bool hasUpper = has([](char c) { return c >= 'A' && c <= 'Z'; });
    const bool hasOther = has([](char c) { return isDigit(c) || c < 0x20 || c > 0x7E; });
    return !hasOther && !(hasLower && hasUpper);
}

/// Nearly all of it is words that begin with a capital, each of four letters at least. Of random Base64 that is one in millions.
bool isCapitalised(std::string_view text)
{
    constexpr std::size_t kShortestWord = 4;
    const auto isUpper = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto isLower = [](char c) { return c >= 'a' && c <= 'z'; };
    std::size_t inWords = 0;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t begin = i++;
        while (isUpper(text[begin]) && i < text.size() && isLower(text[i])) {
            ++i;
        }
        inWords += i - begin >= kShortestWord ? i - begin : 0;
    }
    return inWords * 5 >= text.size() * 4;
}

bool isWords(std::string_view text)
{
    return isPhrase(text) || isCapitalised(text)
        || std::any_of(kWords.begin(), kWords.end(), [&](std::string_view word) { return hasWord(text, word); });
}

std::uint64_t fingerprintOf(std::string_view text)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    std::uint64_t beginning = 0;
    for (std::size_t i = 0; i < sizeof beginning; ++i) {
        beginning = (beginning << 8) | hash.at(i);
    }
    return beginning;
}

bool isPublished(std::string_view text)
{
    return std::find(kPublished.begin(), kPublished.end(), fingerprintOf(text)) != kPublished.end();
}

/// A copy that is wiped when it goes.
struct Copy {
    Copy() = default;
    explicit Copy(std::string bytes) : text(std::move(bytes)) {}
    ~Copy() { core::wipeString(text); }
    Copy(const Copy&) = delete;
    Copy& operator=(const Copy&) = delete;

    std::string text;
};

/// The bytes where the text is hexadecimal digits, or standard or URL-safe Base64 with or without padding.
void decode(std::string_view text, std::string& into)
{
    if (text.size() % 2 == 0 && std::all_of(text.begin(), text.end(), isHexDigit)) {
        const auto valueOf = [](char c) { return isDigit(c) ? c - '0' : lower(c) - 'a' + 10; };
        for (std::size_t i = 0; i < text.size(); i += 2) {
            into += static_cast<char>(valueOf(text[i]) * 16 + valueOf(text[i + 1]));
        }
        return;
    }
    Copy plain{std::string(text.substr(0, text.find('=')))};
    std::replace(plain.text.begin(), plain.text.end(), '+', '-');
    std::replace(plain.text.begin(), plain.text.end(), '/', '_');
    if (auto bytes = core::decodeBase64Url(plain.text)) {
        into.assign(bytes->begin(), bytes->end());
        core::Secret::wipe(bytes->data(), bytes->size());
    }
}

bool isPlainText(std::string_view text)
{
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

bool isPublishedInAnyForm(std::string_view text)
{
    Copy other{std::string(text)};
    if (std::all_of(text.begin(), text.end(), isHexDigit)) {
        std::transform(text.begin(), text.end(), other.text.begin(), lower);
    }
    if (isPublished(other.text)) {
        return true;
    }
    // The published one may be the Base64 of these bytes.
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    const Copy encoded{core::encodeBase64Url({bytes, text.size()})};
    return isPublished(encoded.text);
}

} // namespace

std::string_view weaknessOf(const core::Secret& secret)
{
    const std::string_view text = secret.reveal().substr(0, kLongestLooked);
    if (text.size() < kShortest) {
        return "has to have 32 bytes or more";
    }
    if (isPublishedInAnyForm(text)) {
        return "was published as an example and is known to everybody; make one with: openssl rand -base64 48";
    }
    constexpr std::string_view guessable =
        "can be guessed: it repeats itself or follows an order; make one with: openssl rand -base64 48";
    if (bitsOf(text) < kFewestBits) {
        return guessable;
    }
    constexpr std::string_view words = "is made of words, which can be guessed; make one with: openssl rand -base64 48";
    if (isWords(text)) {
        return words;
    }
    Copy decoded;
    decode(text, decoded.text);
    // Thirty random bytes are never plain text.
    if (isPlainText(decoded.text)) {
        return isWords(decoded.text) ? words : bitsOf(decoded.text) < kFewestBits ? guessable : std::string_view();
    }
    return {};
}

} // namespace vivavoce::broker
