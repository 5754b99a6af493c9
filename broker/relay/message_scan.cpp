#include "broker/relay/message_scan.h"

// So that no error is overlooked: with exceptions, results turn into values without a word.
#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

namespace vivavoce::broker::relay {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int kDeepest = 64;
constexpr std::string_view kInvalid = "invalid_json";
constexpr std::string_view kEscaped = "escaped_name";
constexpr std::size_t kMostEvents = 256;
/// Of a message whose reader is kept for the next one: a second of sound.
constexpr std::size_t kUsualSize = 64 * 1024;

/// What clients say, in both dialects.
constexpr std::array<std::string_view, 12> kClientTypes{"input_audio_buffer.append", "input_audio_buffer.commit",
    "input_audio_buffer.clear", "output_audio_buffer.clear", "conversation.item.create", "conversation.item.delete",
    "conversation.item.retrieve", "conversation.item.truncate", "response.create", "response.cancel", "session.update",
    "transcription_session.update"};

/// What Gemini's clients say, in both spellings.
constexpr std::array<std::string_view, 7> kGeminiKinds{
    "setup", "clientContent", "client_content", "realtimeInput", "realtime_input", "toolResponse", "tool_response"};

/// What a provider bills by.
constexpr std::array<std::string_view, 2> kBilledTypes{
    "response.done", "conversation.item.input_audio_transcription.completed"};

/// Takes one letter off a name that is not empty.
char takeLetter(std::string_view& name)
{
    constexpr std::string_view kLongS = "\xC5\xBF";
    constexpr std::string_view kKelvin = "\xE2\x84\xAA";
    constexpr std::string_view kDotted = "\xC4\xB0";
    constexpr std::string_view kDotless = "\xC4\xB1";
    for (const auto& [written, meant] :
        {std::pair(kLongS, 's'), std::pair(kKelvin, 'k'), std::pair(kDotted, 'i'), std::pair(kDotless, 'i')}) {
        if (name.starts_with(written)) {
            name.remove_prefix(written.size());
            return meant;
        }
    }
    const char letter = name.front();
    name.remove_prefix(1);
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool isBefore(std::string_view one, std::string_view other)
{
    while (!one.empty() && !other.empty()) {
        const char a = takeLetter(one);
        const char b = takeLetter(other);
        if (a != b) {
            return a < b;
        }
    }
    return one.empty() && !other.empty();
}

/// Whether some reader would take it for one of those that we know.
bool isMisspelt(std::string_view type)
{
    if (std::find(kClientTypes.begin(), kClientTypes.end(), type) != kClientTypes.end()) {
        return false;
    }
    std::string plain;
    while (!type.empty()) {
        const char letter = takeLetter(type);
        // Also spaces that are no ASCII.
        if (letter > ' ' && letter < '\x7F') {
            plain += letter;
        }
    }
    return std::find(kClientTypes.begin(), kClientTypes.end(), plain) != kClientTypes.end();
}

/// When two names are one.
enum class Names { AsWritten, InAnyCase, InAnySpelling };

/// Without what readers of either spelling, or without cases, make no difference by.
std::string plainName(std::string_view name)
{
    std::string plain;
    while (!name.empty()) {
        const char letter = takeLetter(name);
        if (letter != '_') {
            plain += letter;
        }
    }
    return plain;
}

/// Whose members have names that are nobody's but the function's: no reader of the protocol looks into them.
bool isFunctionsOwn(std::string_view name)
{
    constexpr std::array<std::string_view, 6> kOwn{
        "response", "args", "parameters", "parametersjsonschema", "responsejsonschema", "labels"};
    return std::find(kOwn.begin(), kOwn.end(), plainName(name)) != kOwn.end();
}

enum class Escapes { Sound, HalfACharacter, Wrong };

/// RFC 8259 §7. Half of a surrogate pair is no character, and two readers make two things of it.
Escapes escapesOf(std::string_view text)
{
    bool hasHalf = false;
    const auto unitAt = [&](std::size_t at) -> std::optional<unsigned> {
        unsigned unit = 0;
        const std::string_view digits = text.substr(std::min(at, text.size()), 4);
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
        const bool isWhole = error == std::errc() && digits.size() == 4 && end == digits.data() + digits.size();
        return isWhole ? std::optional(unit) : std::nullopt;
    };
    for (std::size_t at = text.find('\\'); at != std::string_view::npos; at = text.find('\\', at)) {
        const char kind = at + 1 < text.size() ? text[at + 1] : '\0';
        at += 2;
        if (kind != 'u') {
            if (kind == '\0' || std::string_view("\"\\/bfnrt").find(kind) == std::string_view::npos) {
                return Escapes::Wrong;
            }
            continue;
        }
        const auto unit = unitAt(at);
        at += 4;
        if (!unit) {
            return Escapes::Wrong;
        }
        const bool isHigh = *unit >= 0xD800 && *unit <= 0xDBFF;
        const bool isLow = *unit >= 0xDC00 && *unit <= 0xDFFF;
        const auto next = isHigh && text.substr(std::min(at, text.size()), 2) == "\\u" ? unitAt(at + 2) : std::nullopt;
        if (next && *next >= 0xDC00 && *next <= 0xDFFF) {
            at += 6;
        } else {
            // What follows is looked at for itself.
            hasHalf = hasHalf || isHigh || isLow;
        }
    }
    return hasHalf ? Escapes::HalfACharacter : Escapes::Sound;
}

class Scanner {
public:
    Scanner(MessageScan& scan, Names names) : m_scan(scan), m_names(names) {}

    bool object(ondemand::object all, int depth)
    {
        std::vector<std::string_view> names;
        for (auto next : all) {
            ondemand::field field;
            if (std::move(next).get(field) != simdjson::SUCCESS) {
                return fault(kInvalid);
            }
            const std::string_view name = nameOf(field);
            if (name.data() == nullptr) {
                return fault(kEscaped);
            }
            names.push_back(name);
            const bool isOwn =
                std::exchange(m_isOwn, m_isOwn || (m_names == Names::InAnySpelling && isFunctionsOwn(name)));
            if (!(depth == 0 ? member(name, field.value()) : value(field.value(), depth))) {
                return false;
            }
            m_isOwn = isOwn;
        }
        return hasTwins(std::move(names)) ? fault("duplicate_name") : true;
    }

private:
    bool fault(std::string_view why)
    {
        m_scan.fault = m_scan.fault.empty() ? why : m_scan.fault;
        return false;
    }

    [[nodiscard]] bool hasTwins(std::vector<std::string_view> names) const
    {
        if (m_names == Names::InAnySpelling && !m_isOwn) {
            std::vector<std::string> plain(names.size());
            std::transform(names.begin(), names.end(), plain.begin(), plainName);
            std::sort(plain.begin(), plain.end());
            return std::adjacent_find(plain.begin(), plain.end()) != plain.end();
        }
        if (m_names != Names::InAnyCase) {
            std::sort(names.begin(), names.end());
            return std::adjacent_find(names.begin(), names.end()) != names.end();
        }
        std::sort(names.begin(), names.end(), isBefore);
        return std::adjacent_find(names.begin(), names.end(), isSameName) != names.end();
    }

    /// As it is written; nothing where that is not what it means.
    static std::string_view nameOf(ondemand::field& field)
    {
        const char* const begin = field.key().raw();
        std::size_t size = 0;
        // There is an end: the first pass has paired all quotes.
        while (begin[size] != '"') {
            if (begin[size] == '\\') {
                return {};
            }
            ++size;
        }
        return {begin, size};
    }

    /// Of a string, between its quotes; nothing for anything else.
    static std::string_view stringOf(ondemand::value value)
    {
        // With what may be behind it up to the next token.
        const std::string_view token = value.raw_json_token();
        return token.empty() || token.front() != '"' ? std::string_view() : token.substr(1, token.rfind('"') - 1);
    }

    bool member(std::string_view name, ondemand::value value)
    {
        if (m_names == Names::InAnySpelling) {
            if (m_scan.type.data() != nullptr) {
                return fault("unknown_message");
            }
            m_scan.type = name;
            return this->value(value, 0);
        }
        const std::string_view text = stringOf(value);
        if (name == "type") {
            if (text.data() == nullptr) {
                return fault("no_type");
            }
            if (text.find('\\') != std::string_view::npos) {
                return fault(kEscaped);
            }
            m_scan.type = text;
        } else if (m_names == Names::InAnyCase ? isSameName(name, "audio") : name == "audio") {
            m_scan.audio = text;
        } else if (m_names == Names::InAnyCase ? isSameName(name, "event_id") : name == "event_id") {
            m_scan.eventId = text;
        } else if (name == "delta") {
            m_scan.delta = text;
        } else if (m_names == Names::InAnyCase) {
            m_scan.hasParts = m_scan.hasParts || isSameName(name, "session") || isSameName(name, "response")
                || isSameName(name, "item");
        }
        return this->value(value, 0);
    }

    bool value(ondemand::value value, int depth)
    {
        if (depth + 1 >= kDeepest) {
            return fault("too_deep");
        }
        ondemand::json_type type{};
        if (value.type().get(type) != simdjson::SUCCESS) {
            return fault(kInvalid);
        }
        switch (type) {
        case ondemand::json_type::object: {
            ondemand::object inner;
            return value.get_object().get(inner) == simdjson::SUCCESS ? object(inner, depth + 1) : fault(kInvalid);
        }
        case ondemand::json_type::array: {
            ondemand::array inner;
            return value.get_array().get(inner) == simdjson::SUCCESS ? array(inner, depth + 1) : fault(kInvalid);
        }
        case ondemand::json_type::string: {
            const Escapes escapes = escapesOf(stringOf(value));
            m_scan.hasHalfCharacter = m_scan.hasHalfCharacter || escapes == Escapes::HalfACharacter;
            return escapes != Escapes::Wrong && value.get_raw_json_string().error() == simdjson::SUCCESS
                ? true
                : fault(kInvalid);
        }
        case ondemand::json_type::number: {
            double number = 0;
            return value.get_double().get(number) == simdjson::SUCCESS ? true : fault(kInvalid);
        }
        case ondemand::json_type::boolean: {
            bool isTrue = false;
            return value.get_bool().get(isTrue) == simdjson::SUCCESS ? true : fault(kInvalid);
        }
        case ondemand::json_type::null: {
            bool isNull = false;
            return value.is_null().get(isNull) == simdjson::SUCCESS && isNull ? true : fault(kInvalid);
        }
        }
        return fault(kInvalid);
    }

    bool array(ondemand::array all, int depth)
    {
        for (auto next : all) {
            ondemand::value element;
            if (std::move(next).get(element) != simdjson::SUCCESS) {
                return fault(kInvalid);
            }
            if (!value(element, depth)) {
                return false;
            }
        }
        return true;
    }

    MessageScan& m_scan;
    const Names m_names;
    bool m_isOwn = false;
};

/// simdjson's reader of one text. It wants a dozen times the room of what it reads, and to have that given and taken for each message
/// costs more than to read it: each thread keeps one for messages of usual size. One at a time on a thread.
class Reader {
public:
    explicit Reader(std::size_t size) : m_parser(size <= kUsualSize ? kept() : m_own) {}
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    [[nodiscard]] ondemand::parser& parser() { return m_parser; }

private:
    static ondemand::parser& kept()
    {
        thread_local ondemand::parser parser;
        return parser;
    }

    ondemand::parser m_own;
    ondemand::parser& m_parser;
};

MessageScan scanned(std::string& text, Names names)
{
    MessageScan scan;
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    Reader reader(text.size());
    ondemand::document document;
    ondemand::object all;
    const simdjson::padded_string_view padded(text.data(), text.size(), text.capacity());
    if (reader.parser().iterate(padded).get(document) != simdjson::SUCCESS
        || document.get_object().get(all) != simdjson::SUCCESS) {
        scan.fault = kInvalid;
        return scan;
    }
    if (!Scanner(scan, names).object(all, 0)) {
        return scan;
    }
    // There is a place only where something is left.
    if (document.current_location().error() == simdjson::SUCCESS) {
        scan.fault = kInvalid;
    } else if (scan.type.data() == nullptr) {
        scan.fault = names == Names::InAnySpelling ? "unknown_message" : "no_type";
    }
    return scan;
}

/// What a text is billed as whose type, or the name of it, is escaped; nothing: it is not.
std::optional<std::string_view> billedType(std::string& text)
{
    Reader reader(text.size());
    ondemand::document document;
    ondemand::object all;
    const simdjson::padded_string_view padded(text.data(), text.size(), text.capacity());
    if (reader.parser().iterate(padded).get(document) != simdjson::SUCCESS
        || document.get_object().get(all) != simdjson::SUCCESS) {
        return std::nullopt;
    }
    for (auto next : all) {
        ondemand::field field;
        std::string_view name;
        if (std::move(next).get(field) != simdjson::SUCCESS || field.unescaped_key().get(name) != simdjson::SUCCESS) {
            return std::nullopt;
        }
        std::string_view type;
        if (name != "type" || field.value().get_string().get(type) != simdjson::SUCCESS) {
            continue;
        }
        const auto* const found = std::find(kBilledTypes.begin(), kBilledTypes.end(), type);
        return found == kBilledTypes.end() ? std::nullopt : std::optional(*found);
    }
    return std::nullopt;
}

/// Takes a post apart whose text is known to be sound.
class PostReader {
public:
    explicit PostReader(PostScan& scan) : m_scan(scan) {}

    bool read(ondemand::object all)
    {
        for (auto next : all) {
            ondemand::field field;
            std::string_view name;
            if (std::move(next).get(field) != simdjson::SUCCESS
                || field.unescaped_key().get(name) != simdjson::SUCCESS) {
                return fault(kInvalid);
            }
            const bool isRead = name == "audio" ? audio(field.value())
                : name == "events"              ? events(field.value())
                                                : fault("there are audio and events, and no other fields");
            if (!isRead) {
                return false;
            }
        }
        return true;
    }

private:
    bool fault(std::string_view why)
    {
        m_scan.fault = why;
        return false;
    }

    bool audio(ondemand::value value)
    {
        std::string_view text;
        if (value.get_string().get(text) != simdjson::SUCCESS) {
            return fault("audio has to be base64");
        }
        m_scan.audio = std::string(text);
        return true;
    }

    bool events(ondemand::value value)
    {
        constexpr std::string_view kWhat = "events has to be an array of at most 256 objects";
        ondemand::array all;
        if (value.get_array().get(all) != simdjson::SUCCESS) {
            return fault(kWhat);
        }
        for (auto next : all) {
            ondemand::object event;
            std::string_view text;
            if (m_scan.events.size() == kMostEvents || next.get_object().get(event) != simdjson::SUCCESS
                || event.raw_json().get(text) != simdjson::SUCCESS) {
                return fault(kWhat);
            }
            // With what is behind it up to the next token.
            m_scan.events.emplace_back(text.substr(0, text.rfind('}') + 1));
        }
        return true;
    }

    PostScan& m_scan;
};

} // namespace

bool hasTooManyMarks(std::string_view text)
{
    // A short one cannot have them.
    return text.size() > kMostMarks && std::count_if(text.begin(), text.end(), [](char c) {
        return c == '"' || c == ',' || c == ':' || c == '[' || c == '{';
    }) > static_cast<std::ptrdiff_t>(kMostMarks);
}

PostScan scanPost(std::string text)
{
    if (hasTooManyMarks(text)) {
        return {"there is too much in it"};
    }
    PostScan post;
    MessageScan whole;
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    const simdjson::padded_string_view padded(text.data(), text.size(), text.capacity());
    ondemand::parser parser;
    ondemand::document document;
    ondemand::object all;
    const auto begin = [&] {
        return parser.iterate(padded).get(document) == simdjson::SUCCESS
            && document.get_object().get(all) == simdjson::SUCCESS;
    };
    if (!begin()) {
        return {"a JSON object was expected"};
    }
    // Not at the top of an event: there is no type.
    if (!Scanner(whole, Names::AsWritten).object(all, 1)) {
        return {whole.fault};
    }
    if (document.current_location().error() == simdjson::SUCCESS || !begin()) {
        return {kInvalid};
    }
    PostReader(post).read(all);
    return post;
}

bool isSameName(std::string_view one, std::string_view other)
{
    return !isBefore(one, other) && !isBefore(other, one);
}

bool isSameSpelling(std::string_view one, std::string_view other)
{
    return plainName(one) == plainName(other);
}

MessageScan scanGeminiMessage(std::string& text)
{
    MessageScan message = scanned(text, Names::InAnySpelling);
    const bool isKnown = std::find(kGeminiKinds.begin(), kGeminiKinds.end(), message.type) != kGeminiKinds.end();
    if (message.fault.empty() && !isKnown) {
        message.fault = "unknown_message";
    }
    return message;
}

MessageScan scanMessage(std::string& text)
{
    MessageScan message = scanned(text, Names::AsWritten);
    if (message.fault == kEscaped) {
        if (const auto type = billedType(text)) {
            message.type = *type;
            message.fault = {};
        }
    }
    return message;
}

MessageScan scanClientMessage(std::string& text)
{
    MessageScan message = scanned(text, Names::InAnyCase);
    if (message.fault.empty() && isMisspelt(message.type)) {
        message.fault = "misspelt_type";
    }
    return message;
}

} // namespace vivavoce::broker::relay
