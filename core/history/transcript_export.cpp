#include "core/history/transcript_export.h"

#include "core/base/json.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace vivavoce::core {
namespace {

constexpr std::string_view kInterrupted = " — (interrupted)";
/// Players do not show what lasts no time: typed words have no length of their own.
constexpr Milliseconds kShortestCue{1'000};

const char* nameOf(Speaker speaker)
{
    return speaker == Speaker::User ? "You" : "Agent";
}

/// Without what steers a terminal or a parser: of the control characters only line feeds are left, one for every kind of line end.
std::string plain(std::string_view text)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const std::string_view rest = text.substr(i);
        if (byte == '\r') {
            out += rest.starts_with("\r\n") ? "" : "\n";
        } else if (byte == '\t') {
            out += ' ';
        } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
            out += '\n';
            i += 2;
        } else if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
            // C1: to a terminal U+009B is what ESC [ is.
            ++i;
        } else if (byte == '\n' || (byte >= 0x20 && byte != 0x7F)) {
            out += text[i];
        }
    }
    const std::size_t first = out.find_first_not_of(" \n");
    return first == std::string::npos ? std::string() : out.substr(first, out.find_last_not_of(" \n") + 1 - first);
}

std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// Cues end at an empty line.
std::string withoutEmptyLines(std::string text)
{
    std::string out;
    bool isLineEmpty = true;
    for (const char c : text) {
        if (c == '\n' && isLineEmpty) {
            continue;
        }
        isLineEmpty = c == '\n' || (isLineEmpty && c == ' ');
        if (c != ' ' || !isLineEmpty) {
            out += c;
        }
    }
    return out;
}

struct Shown {
    const TranscriptLine* line = nullptr;
    std::string text;
};

std::vector<Shown> shownLines(const Transcript& transcript)
{
    std::vector<Shown> shown;
    for (const TranscriptLine& line : transcript.lines) {
        const ConversationEntry& entry = line.entry;
        if (std::string text = plain(entry.wasInterrupted ? entry.heardText() : entry.text); !text.empty()) {
            shown.push_back({&line, std::move(text)});
        }
    }
    return shown;
}

/// "2026-11-29 14:05 UTC".
std::string dateOf(const Transcript& transcript)
{
    const std::string time = formatRfc3339(transcript.startedAt);
    return time.substr(0, 10) + " " + time.substr(11, 5) + " UTC";
}

std::string clockText(Milliseconds time, char beforeMilliseconds)
{
    const auto all = std::max(time, Milliseconds{0}).count();
    std::array<char, 64> text{};
    const int size = beforeMilliseconds == '\0'
        ? std::snprintf(text.data(), text.size(), "%02lld:%02lld:%02lld", static_cast<long long>(all / 3'600'000),
            static_cast<long long>(all / 60'000 % 60), static_cast<long long>(all / 1'000 % 60))
        : std::snprintf(text.data(), text.size(), "%02lld:%02lld:%02lld%c%03lld",
            static_cast<long long>(all / 3'600'000), static_cast<long long>(all / 60'000 % 60),
            static_cast<long long>(all / 1'000 % 60), beforeMilliseconds, static_cast<long long>(all % 1'000));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string_view markOf(const Shown& shown)
{
    return shown.line->entry.wasInterrupted ? kInterrupted : std::string_view();
}

std::string asText(const Transcript& transcript)
{
    std::string out = "Conversation of " + dateOf(transcript) + "\n";
    if (!transcript.model.empty()) {
        out += "With " + replaced(plain(transcript.model), "\n", " ") + "\n";
    }
    out += '\n';
    const std::vector<Shown> lines = shownLines(transcript);
    for (const Shown& shown : lines) {
        out += "[" + clockText(shown.line->start, '\0') + "] " + nameOf(shown.line->entry.speaker) + ": ";
        // Indented, so that what was said never looks like somebody's next line.
        out += replaced(shown.text, "\n", "\n    ");
        out += markOf(shown);
        out += '\n';
    }
    return lines.empty() ? out + "Nothing was said.\n" : out;
}

/// CommonMark: what means something anywhere, and what does at the start of a line.
std::string escapedMarkdown(std::string_view text)
{
    constexpr std::string_view kAnywhere = "\\`*_[]<>&|~#$!";
    constexpr std::string_view kAtStart = "-+=";
    std::string out;
    int lineEnds = 0;
    bool isStart = true;
    bool isNumber = false;
    for (const char c : text) {
        if (c == '\n') {
            ++lineEnds;
            isStart = true;
            isNumber = false;
            continue;
        }
        if (isStart && c == ' ') {
            // Four of them would be code.
            continue;
        }
        if (lineEnds > 0) {
            // A line end within a paragraph is none to Markdown, unless it is said.
            out += lineEnds == 1 ? "\\\n" : "\n\n";
            lineEnds = 0;
        }
        const bool endsNumber = isNumber && (c == '.' || c == ')');
        if (kAnywhere.find(c) != std::string_view::npos || (isStart && kAtStart.find(c) != std::string_view::npos)
            || endsNumber) {
            out += '\\';
        }
        isNumber = c >= '0' && c <= '9' && (isStart || isNumber);
        isStart = false;
        out += c;
    }
    return out;
}

std::string asMarkdown(const Transcript& transcript)
{
    std::string out = "# Conversation of " + dateOf(transcript) + "\n\n";
    if (!transcript.model.empty()) {
        out += "With " + escapedMarkdown(replaced(plain(transcript.model), "\n", " ")) + "\n\n";
    }
    const std::vector<Shown> lines = shownLines(transcript);
    for (const Shown& shown : lines) {
        out += "**" + std::string(nameOf(shown.line->entry.speaker)) + "** (" + clockText(shown.line->start, '\0')
            + "): " + escapedMarkdown(shown.text);
        out += shown.line->entry.wasInterrupted ? " — *(interrupted)*\n\n" : "\n\n";
    }
    if (lines.empty()) {
        return out + "Nothing was said.\n";
    }
    out.pop_back();
    return out;
}

/// DEL and C1 escaped, as what is below a space is: JSON itself lets them stand, and whoever reads it gets them back.
std::string withoutOrders(std::string_view json)
{
    std::string out;
    out.reserve(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
        const auto byte = static_cast<unsigned char>(json[i]);
        const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0U;
        const bool isC1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
        if (isC1 || byte == 0x7F) {
            std::array<char, 8> escape{};
            const int size = std::snprintf(escape.data(), escape.size(), "\\u%04x", isC1 ? next : byte);
            out.append(escape.data(), static_cast<std::size_t>(size));
            i += isC1 ? 1 : 0;
        } else {
            out += json[i];
        }
    }
    return out;
}

std::string asJson(const Transcript& transcript)
{
    Json lines = Json::array();
    for (const TranscriptLine& line : transcript.lines) {
        const ConversationEntry& entry = line.entry;
        const std::string_view text = entry.wasInterrupted ? entry.heardText() : std::string_view(entry.text);
        if (!plain(text).empty()) {
            lines.push_back({{"speaker", entry.speaker == Speaker::User ? "user" : "agent"}, {"text", text},
                {"startMs", line.start.count()}, {"endMs", line.end.count()}, {"interrupted", entry.wasInterrupted}});
        }
    }
    return withoutOrders(writeJson(
               {{"format", "vivavoce-transcript"}, {"version", 1}, {"startedAt", formatRfc3339(transcript.startedAt)},
                   {"model", transcript.model}, {"lines", std::move(lines)}}))
        + "\n";
}

/// In the order of their times, which WebVTT asks for (§4.1) and players of SubRip rely on.
std::vector<Shown> cuesOf(const Transcript& transcript)
{
    std::vector<Shown> cues = shownLines(transcript);
    std::stable_sort(
        cues.begin(), cues.end(), [](const Shown& a, const Shown& b) { return a.line->start < b.line->start; });
    return cues;
}

std::string cueTimes(const TranscriptLine& line, char beforeMilliseconds)
{
    return clockText(line.start, beforeMilliseconds) + " --> "
        + clockText(std::max(line.end, line.start + kShortestCue), beforeMilliseconds) + "\n";
}

std::string asSrt(const Transcript& transcript)
{
    std::string out;
    int number = 0;
    for (const Shown& cue : cuesOf(transcript)) {
        // SubRip knows no escapes: what players take for tags, positions or times is written with what looks like it.
        std::string text = withoutEmptyLines(cue.text);
        text = replaced(replaced(std::move(text), "<", "‹"), ">", "›");
        text = replaced(std::move(text), "{\\", "{ \\");
        out += (number == 0 ? "" : "\n") + std::to_string(number + 1) + "\n";
        out += cueTimes(*cue.line, ',') + nameOf(cue.line->entry.speaker) + ": " + text;
        out += markOf(cue);
        out += '\n';
        ++number;
    }
    return out;
}

std::string asVtt(const Transcript& transcript)
{
    std::string out = "WEBVTT\n\nNOTE Conversation of " + dateOf(transcript) + "\n";
    for (const Shown& cue : cuesOf(transcript)) {
        std::string text = replaced(withoutEmptyLines(cue.text), "&", "&amp;");
        text = replaced(replaced(std::move(text), "<", "&lt;"), ">", "&gt;");
        out += "\n" + cueTimes(*cue.line, '.') + "<v " + nameOf(cue.line->entry.speaker) + ">" + text;
        out += markOf(cue);
        out += "</v>\n";
    }
    return out;
}

} // namespace

std::string_view fileEnding(TranscriptFormat format)
{
    switch (format) {
    case TranscriptFormat::PlainText:
        return ".txt";
    case TranscriptFormat::Markdown:
        return ".md";
    case TranscriptFormat::JsonText:
        return ".json";
    case TranscriptFormat::SubRip:
        return ".srt";
    case TranscriptFormat::WebVtt:
        return ".vtt";
    }
    return ".txt";
}

std::optional<TranscriptFormat> transcriptFormatOf(std::string_view fileName)
{
    std::string name(fileName.substr(std::min(fileName.find_last_of("/\\") + 1, fileName.size())));
    std::transform(name.begin(), name.end(), name.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    for (const TranscriptFormat format : kTranscriptFormats) {
        // A name that is nothing but its ending is a hidden file without one.
        if (name.size() > fileEnding(format).size() && name.ends_with(fileEnding(format))) {
            return format;
        }
    }
    return std::nullopt;
}

std::string exportTranscript(const Transcript& transcript, TranscriptFormat format)
{
    switch (format) {
    case TranscriptFormat::PlainText:
        return asText(transcript);
    case TranscriptFormat::Markdown:
        return asMarkdown(transcript);
    case TranscriptFormat::JsonText:
        return asJson(transcript);
    case TranscriptFormat::SubRip:
        return asSrt(transcript);
    case TranscriptFormat::WebVtt:
        return asVtt(transcript);
    }
    return {};
}

} // namespace vivavoce::core
