#include "tests/conformance/websocket_rows.h"

#include <utility>

namespace vivavoce::net::test {
namespace {

constexpr unsigned kFinal = 0x80;
constexpr unsigned kMore = 0x00;
constexpr unsigned kContinuation = 0x0;
constexpr unsigned kText = 0x1;
constexpr unsigned kBinary = 0x2;
constexpr unsigned kClose = 0x8;
constexpr unsigned kPing = 0x9;
constexpr unsigned kPong = 0xA;

std::string codeBytes(unsigned code)
{
    return {static_cast<char>(code >> 8U), static_cast<char>(code & 0xFFU)};
}

std::string hex(std::string_view bytes)
{
    std::string text;
    for (const char byte : bytes) {
        text += "0123456789abcdef"[static_cast<unsigned char>(byte) >> 4U];
        text += "0123456789abcdef"[static_cast<unsigned char>(byte) & 15U];
    }
    return text;
}

struct Utf8 {
    const char* what;
    std::string bytes;
};

std::vector<Utf8> validTexts()
{
    return {{"of two, three and four bytes", "\xCE\xBA\xE1\xBD\xB9\xF0\x90\x8D\x88"}, {"the last of one byte", "\x7F"},
        {"the first of two bytes", "\xC2\x80"}, {"the last of two bytes", "\xDF\xBF"},
        {"the first of three bytes", "\xE0\xA0\x80"}, {"the last before the surrogates", "\xED\x9F\xBF"},
        {"the first behind the surrogates", "\xEE\x80\x80"}, {"no character, but valid", "\xEF\xBF\xBE"},
        {"the last of three bytes", "\xEF\xBF\xBF"}, {"the first of four bytes", "\xF0\x90\x80\x80"},
        {"the last of all", "\xF4\x8F\xBF\xBF"}, {"NUL", std::string(1, '\0')}};
}

/// Not one of them is the beginning of something valid.
std::vector<Utf8> invalidTexts()
{
    return {{"a continuation alone", "\x80"}, {"two continuations", "a\x80\xBF"}, {"an impossible byte", "\xFE"},
        {"another impossible byte", "b\xFF"}, {"overlong slash of two bytes", "\xC0\xAF"},
        {"overlong slash of three bytes", "\xE0\x80\xAF"}, {"overlong slash of four bytes", "\xF0\x80\x80\xAF"},
        {"overlong NUL", "\xC0\x80"}, {"the longest overlong of two bytes", "\xC1\xBF"},
        {"the longest overlong of three bytes", "\xE0\x9F\xBF"},
        {"the longest overlong of four bytes", "\xF0\x8F\xBF\xBF"}, {"the first surrogate", "\xED\xA0\x80"},
        {"the last surrogate", "\xED\xBF\xBF"}, {"a pair of surrogates", "\xED\xA0\x80\xED\xB0\x80"},
        {"beyond the last of all", "\xF4\x90\x80\x80"}, {"far beyond", "\xF5\x80\x80\x80"},
        {"five bytes", "\xF8\x88\x80\x80\x80"}, {"six bytes", "\xFC\x84\x80\x80\x80\x80"},
        {"a character cut by a letter", "\xC3("}, {"one of three bytes cut by a letter", "\xE2\x82("},
        {"one of four bytes cut by a letter", "\xF0\x9F\x98("}, {"a character cut by the next", "\xE2\xCE\xBA"}};
}

/// Each of them the beginning of something valid.
std::vector<Utf8> unfinishedTexts()
{
    return {{"one byte of two", "caf\xC3"}, {"one byte of three", "\xE2"}, {"two bytes of three", "\xE2\x82"},
        {"one byte of four", "\xF0"}, {"two bytes of four", "\xF0\x9F"}, {"three bytes of four", "\xF0\x9F\x98"}};
}

/// Puts the table together.
class Rows {
public:
    explicit Rows(Masked masked) : m_masked(masked) {}

    void lengths();
    void headers();
    void fragments();
    void controls();
    void texts();
    void closings();

    [[nodiscard]] std::vector<Row> take() { return std::move(m_rows); }

private:
    [[nodiscard]] std::string frame(unsigned bits, std::string_view payload) const
    {
        return frameBytes(bits, payload, m_masked);
    }
    /// A header by hand, with a mask of zeros where there is to be one.
    [[nodiscard]] std::string raw(unsigned firstByte, unsigned length, const std::string& more) const
    {
        const bool isMasked = m_masked == Masked::Yes;
        std::string bytes{static_cast<char>(firstByte), static_cast<char>(length | (isMasked ? 0x80U : 0U))};
        return bytes + more + std::string(isMasked ? 4 : 0, '\0');
    }
    void comesBack(std::string name, std::string sent, std::string echo, unsigned opcode = kText,
        std::vector<std::string> pongs = {})
    {
        m_rows.push_back(
            {std::move(name), std::move(sent), {Frame{true, opcode, std::move(echo)}}, std::move(pongs), 0});
    }
    void ends(std::string name, std::string sent, unsigned code)
    {
        m_rows.push_back({std::move(name), std::move(sent), {}, {}, code});
    }

    const Masked m_masked;
    std::vector<Row> m_rows;
};

void Rows::lengths()
{
    for (const std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 65'535U, 65'536U, 1'000'000U}) {
        const std::string length = std::to_string(size) + " bytes";
        comesBack("5.2 text of " + length, frame(kFinal | kText, std::string(size, '*')), std::string(size, '*'));
        comesBack("5.2 binary of " + length, frame(kFinal | kBinary, std::string(size, '\xFE')),
            std::string(size, '\xFE'), kBinary);
    }
    ends("5.2 short length in two bytes", raw(kFinal | kText, 126, std::string("\0\x05", 2)) + "hello", 1002);
    ends("5.2 short length in eight bytes", raw(kFinal | kText, 127, std::string("\0\0\0\0\0\0\0\x05", 8)) + "hello",
        1002);
}

void Rows::headers()
{
    for (unsigned bits = 1; bits < 8; ++bits) {
        for (const unsigned opcode : {kText, kBinary, kPing, kPong, kClose}) {
            ends("5.2 reserved bits " + std::to_string(bits) + " of opcode " + std::to_string(opcode),
                frame(kFinal | bits << 4U | opcode, ""), 1002);
        }
    }
    for (const unsigned opcode : {0x3U, 0x4U, 0x5U, 0x6U, 0x7U, 0xBU, 0xCU, 0xDU, 0xEU, 0xFU}) {
        const std::string name = "5.2 reserved opcode " + std::to_string(opcode);
        ends(name, frame(kFinal | opcode, ""), 1002);
        ends(name + " with a payload", frame(kFinal | opcode, "payload"), 1002);
        Row behind{name + " behind a message", frame(kFinal | kText, "first") + frame(kFinal | opcode, ""),
            {Frame{true, kText, "first"}}, {}, 1002};
        m_rows.push_back(std::move(behind));
    }
    const Masked other = m_masked == Masked::Yes ? Masked::No : Masked::Yes;
    for (const unsigned opcode : {kText, kBinary, kPing, kClose}) {
        ends("5.1 wrong masking of opcode " + std::to_string(opcode), frameBytes(kFinal | opcode, "", other), 1002);
    }
}

void Rows::fragments()
{
    comesBack("5.4 two fragments", frame(kMore | kText, "frag") + frame(kFinal | kContinuation, "ment"), "fragment");
    comesBack("5.4 two fragments of binary", frame(kMore | kBinary, "\x01\x02") + frame(kFinal | kContinuation, "\x03"),
        "\x01\x02\x03", kBinary);
    comesBack("5.4 empty fragments",
        frame(kMore | kText, "") + frame(kMore | kContinuation, "") + frame(kFinal | kContinuation, ""), "");
    comesBack("5.4 empty fragments around a full one",
        frame(kMore | kText, "") + frame(kMore | kContinuation, "middle") + frame(kFinal | kContinuation, ""),
        "middle");
    std::string each = frame(kMore | kText, "");
    for (int i = 0; i < 300; ++i) {
        each += frame(kMore | kContinuation, "x");
    }
    comesBack("5.4 a fragment for each byte", each + frame(kFinal | kContinuation, ""), std::string(300, 'x'));
    std::string large = frame(kMore | kBinary, "");
    for (int i = 0; i < 500; ++i) {
        large += frame(kMore | kContinuation, std::string(2'000, '\x80'));
    }
    comesBack("5.4 a large message in fragments", large + frame(kFinal | kContinuation, ""),
        std::string(1'000'000, '\x80'), kBinary);

    const std::string interrupted = frame(kMore | kText, "frag") + frame(kFinal | kPing, "now")
        + frame(kMore | kContinuation, "m") + frame(kFinal | kPong, "unasked") + frame(kFinal | kPing, "")
        + frame(kFinal | kContinuation, "ent");
    comesBack("5.4 pings between fragments", interrupted, "fragment", kText, {"now", ""});
    Row two{"5.4 two messages in fragments",
        frame(kMore | kText, "a") + frame(kFinal | kContinuation, "b") + frame(kMore | kBinary, "c")
            + frame(kFinal | kContinuation, "d"),
        {Frame{true, kText, "ab"}, Frame{true, kBinary, "cd"}}, {}, 0};
    m_rows.push_back(std::move(two));

    ends("5.4 continuation of nothing", frame(kFinal | kContinuation, "x"), 1002);
    ends("5.4 continuation of nothing, with more to come", frame(kMore | kContinuation, "x"), 1002);
    ends("5.4 a message within a message", frame(kMore | kText, "a") + frame(kFinal | kText, "b"), 1002);
    ends("5.4 fragments within a message", frame(kMore | kText, "a") + frame(kMore | kBinary, "b"), 1002);
    ends("5.4 a fragmented ping", frame(kMore | kPing, "a"), 1002);
    ends("5.4 a fragmented pong", frame(kMore | kPong, "a"), 1002);
    ends("5.4 a fragmented close", frame(kMore | kClose, codeBytes(1000)), 1002);
    ends("5.4 close between fragments", frame(kMore | kText, "a") + frame(kFinal | kClose, codeBytes(1000)), 1000);
}

void Rows::controls()
{
    for (std::size_t size = 0; size <= 125; ++size) {
        const std::string payload(size, static_cast<char>(size));
        m_rows.push_back(
            {"5.5.2 ping of " + std::to_string(size) + " bytes", frame(kFinal | kPing, payload), {}, {payload}, 0});
    }
    ends("5.5 ping of 126 bytes", frame(kFinal | kPing, std::string(126, 'p')), 1002);
    ends("5.5 pong of 126 bytes", frame(kFinal | kPong, std::string(126, 'p')), 1002);
    ends("5.5 close of 126 bytes", frame(kFinal | kClose, codeBytes(1000) + std::string(124, 'r')), 1002);
    m_rows.push_back({"5.5.2 a ping need not be text", frame(kFinal | kPing, "\xC3\x28\xFF"), {}, {"\xC3\x28\xFF"}, 0});
    Row ten{"5.5.2 ten pings at once", {}, {}, {}, 0};
    for (int i = 0; i < 10; ++i) {
        ten.sent += frame(kFinal | kPing, std::to_string(i));
        ten.pongs.push_back(std::to_string(i));
    }
    m_rows.push_back(std::move(ten));
    comesBack(
        "5.5.3 a pong that nobody asked for", frame(kFinal | kPong, "unasked") + frame(kFinal | kText, "on"), "on");
}

void Rows::texts()
{
    for (const Utf8& text : validTexts()) {
        const std::string name = std::string("8.1 valid: ") + text.what + " " + hex(text.bytes);
        comesBack(name, frame(kFinal | kText, text.bytes), text.bytes);
        for (std::size_t at = 1; at < text.bytes.size(); ++at) {
            comesBack(name + " cut at " + std::to_string(at),
                frame(kMore | kText, text.bytes.substr(0, at)) + frame(kFinal | kContinuation, text.bytes.substr(at)),
                text.bytes);
        }
    }
    for (const Utf8& text : invalidTexts()) {
        const std::string name = std::string("8.1 invalid: ") + text.what + " " + hex(text.bytes);
        ends(name, frame(kFinal | kText, text.bytes), 1007);
        comesBack(name + " as binary", frame(kFinal | kBinary, text.bytes), text.bytes, kBinary);
        for (std::size_t at = 1; at < text.bytes.size(); ++at) {
            ends(name + " cut at " + std::to_string(at),
                frame(kMore | kText, text.bytes.substr(0, at)) + frame(kFinal | kContinuation, text.bytes.substr(at)),
                1007);
        }
        // Told at once: neither the end of the message nor that of its frame ever comes.
        ends(name + " with more to come", frame(kMore | kText, text.bytes), 1007);
        const std::string whole = frame(kFinal | kText, text.bytes + std::string(60'000, 'x'));
        ends(name + " in half a frame", whole.substr(0, whole.size() - 50'000), 1007);
    }
    for (const Utf8& text : unfinishedTexts()) {
        const std::string name = std::string("8.1 unfinished: ") + text.what + " " + hex(text.bytes);
        ends(name, frame(kFinal | kText, text.bytes), 1007);
        ends(name + " and an empty fragment", frame(kMore | kText, text.bytes) + frame(kFinal | kContinuation, ""),
            1007);
    }
}

void Rows::closings()
{
    ends("5.5.1 close without a code", frame(kFinal | kClose, ""), 1000);
    ends("5.5.1 close with half a code", frame(kFinal | kClose, "\x03"), 1002);
    ends("5.5.1 close with a reason", frame(kFinal | kClose, codeBytes(1000) + "good night"), 1000);
    ends("5.5.1 close with the longest reason", frame(kFinal | kClose, codeBytes(1000) + std::string(123, 'r')), 1000);
    for (const Utf8& text : invalidTexts()) {
        // 1007 is for messages (§7.4.1); §8.1 names no code.
        ends(std::string("8.1 reason that is not UTF-8: ") + text.what,
            frame(kFinal | kClose, codeBytes(1000) + text.bytes), 1002);
    }
    for (const unsigned code :
        {1000U, 1001U, 1002U, 1003U, 1007U, 1008U, 1009U, 1010U, 1011U, 1012U, 1013U, 3000U, 3999U, 4000U, 4999U}) {
        ends("7.4 code " + std::to_string(code), frame(kFinal | kClose, codeBytes(code)), code);
    }
    // Of 5000 and up §7.4.2 says nothing.
    for (const unsigned code : {0U, 999U, 1004U, 1005U, 1006U, 1015U, 1016U, 1100U, 2000U, 2999U}) {
        ends("7.4 code that may not be sent " + std::to_string(code), frame(kFinal | kClose, codeBytes(code)), 1002);
    }
    const std::string goodbye = frame(kFinal | kClose, codeBytes(1000));
    ends("5.5.1 nothing is heard after close: a message", goodbye + frame(kFinal | kText, "late"), 1000);
    ends("5.5.1 nothing is heard after close: a ping", goodbye + frame(kFinal | kPing, "late"), 1000);
    ends("5.5.1 nothing is heard after close: another close", goodbye + frame(kFinal | kClose, codeBytes(1001)), 1000);
    ends("5.5.1 nothing is heard after close: a fault", goodbye + frame(0xF3, "late"), 1000);
}

std::string told(const Frame& frame)
{
    return "opcode " + std::to_string(frame.opcode) + (frame.isFinal ? "" : " in parts") + " of "
        + std::to_string(frame.payload.size()) + " bytes " + hex(frame.payload.substr(0, 20));
}

bool isSame(const Frame& one, const Frame& other)
{
    return one.opcode == other.opcode && one.isFinal == other.isFinal && one.payload == other.payload;
}

/// What comes, up to the close frame.
struct Heard {
    std::vector<Frame> echoes;
    std::vector<std::string> pongs;
    std::string fault;
    /// 0: none yet.
    unsigned closes = 0;

    /// False: it was the last one.
    bool take(const Frame& frame, bool hasToBeMasked)
    {
        if (frame.opcode == kContinuation) {
            fault = "the connection was lost without a close frame";
        } else if (frame.isMasked != hasToBeMasked) {
            fault = "masked wrongly: " + told(frame);
        } else if (frame.opcode == kPong) {
            pongs.push_back(frame.payload);
        } else if (frame.opcode == kClose) {
            closes = frame.payload.empty() ? kNoCode : frame.closeCode();
        } else {
            echoes.push_back(frame);
        }
        return fault.empty() && closes == 0;
    }
};

} // namespace

std::vector<Row> conformanceRows(Masked masked)
{
    Rows rows(masked);
    rows.lengths();
    rows.headers();
    rows.fragments();
    rows.controls();
    rows.texts();
    rows.closings();
    return rows.take();
}

std::string differenceOf(const Row& row, RawSocket& socket, Masked masked, bool isChopped)
{
    const std::size_t piece = isChopped ? 1 : row.sent.size();
    for (std::size_t at = 0; at < row.sent.size(); at += piece) {
        socket.send(std::string_view(row.sent).substr(at, piece));
    }
    Heard heard;
    const bool hasToBeMasked = masked == Masked::No;
    const auto isAllThere = [&] {
        return row.closes == 0 && heard.echoes.size() == row.echoes.size() && heard.pongs.size() == row.pongs.size();
    };
    bool goesOn = true;
    while (goesOn && !isAllThere()) {
        goesOn = heard.take(socket.readFrame(), hasToBeMasked);
    }
    if (isAllThere()) {
        socket.send(frameBytes(kFinal | kClose, codeBytes(1000), masked));
    }
    while (goesOn) {
        goesOn = heard.take(socket.readFrame(), hasToBeMasked);
    }
    if (!heard.fault.empty()) {
        return heard.fault;
    }
    const unsigned farewell = row.closes == 0 ? 1000 : row.closes;
    if (heard.closes != farewell) {
        return "closed with " + std::to_string(heard.closes) + " in place of " + std::to_string(farewell);
    }
    // What was right before a fault may come back, or not any more.
    const bool isWhole = heard.echoes.size() == row.echoes.size() && heard.pongs.size() == row.pongs.size();
    if (heard.echoes.size() > row.echoes.size() || (row.closes == 0 && !isWhole)) {
        return std::to_string(heard.echoes.size()) + " messages and " + std::to_string(heard.pongs.size()) + " pongs";
    }
    for (std::size_t i = 0; i < heard.echoes.size(); ++i) {
        if (!isSame(heard.echoes[i], row.echoes[i])) {
            return told(heard.echoes[i]) + " in place of " + told(row.echoes[i]);
        }
    }
    if (row.closes == 0 ? heard.pongs != row.pongs : !heard.pongs.empty()) {
        return "other pongs";
    }
    if (masked == Masked::No) {
        // A client waits for us to hang up (§7.1.1).
        return {};
    }
    const std::string rest = socket.readToEnd();
    return rest.empty() ? std::string() : "behind the close frame: " + hex(rest.substr(0, 20));
}

} // namespace vivavoce::net::test
