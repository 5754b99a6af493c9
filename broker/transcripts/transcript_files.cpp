#include "broker/transcripts/transcript_files.h"

#include "broker/usage/usage_report.h"
#include "core/base/rfc3339.h"

#include <nlohmann/json.hpp>

#include <array>

namespace vivavoce::broker::transcripts {
namespace {

using core::Json;

std::string timeOf(core::WallTime time)
{
    return core::formatRfc3339(time);
}

/// A line of text has no line ends in it: whoever speaks cannot make another one say something.
std::string inOneLine(const std::string& text)
{
    std::string line;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            line += "\n    ";
        } else if (byte >= 0x20 && byte != 0x7F) {
            line += c;
        }
    }
    return line;
}

} // namespace

Json headJson(const TranscriptHead& head)
{
    return {{"sessionId", head.of.session}, {"projectId", head.of.project}, {"user", head.of.caller},
        {"issuer", head.of.issuer}, {"subject", head.of.subject}, {"model", head.of.model},
        {"startedAt", timeOf(head.of.startedAt)}, {"lastAt", timeOf(head.lastAt)},
        {"keptUntil", timeOf(head.keptUntil)}, {"lineCount", head.lines}, {"isWhole", head.isWhole}};
}

Json lineJson(const Line& line)
{
    return {{"number", line.position + 1}, {"at", timeOf(line.at)}, {"speaker", textOf(line.speaker)},
        {"extent", textOf(line.extent)}, {"text", line.text}};
}

Json writeJson(const Transcript& transcript)
{
    Json json = headJson(transcript.head);
    Json lines = Json::array();
    for (const Line& line : transcript.lines) {
        lines.push_back(lineJson(line));
    }
    json["lines"] = std::move(lines);
    return json;
}

std::string writeCsv(const std::vector<Transcript>& transcripts)
{
    std::string csv = "session,project,user,issuer,subject,model,started_at,number,at,speaker,extent,text\r\n";
    for (const Transcript& one : transcripts) {
        const Conversation& of = one.head.of;
        std::string whose;
        for (const std::string& field :
            {of.session, of.project, of.caller, of.issuer, of.subject, of.model, timeOf(of.startedAt)}) {
            whose += usage::csvField(field) + ',';
        }
        for (const Line& line : one.lines) {
            csv += whose;
            csv += std::to_string(line.position + 1) + ',' + timeOf(line.at) + ',';
            csv.append(textOf(line.speaker)).append(",").append(textOf(line.extent)).append(",");
            csv += usage::csvField(line.text) + "\r\n";
        }
    }
    return csv;
}

std::string writeText(const std::vector<Transcript>& transcripts)
{
    std::string text;
    for (const Transcript& one : transcripts) {
        const Conversation& of = one.head.of;
        text += text.empty() ? "" : "\n";
        text += "Session " + of.session + ", project " + of.project + ", user " + inOneLine(of.subject) + " of "
            + inOneLine(of.issuer.empty() ? "this broker" : of.issuer) + ", model " + inOneLine(of.model) + ", since "
            + timeOf(of.startedAt) + (one.head.isWhole ? "\n" : ", not whole\n");
        for (const Line& line : one.lines) {
            text += timeOf(line.at) + ' ';
            text += textOf(line.speaker);
            if (line.extent != Extent::Whole) {
                text += " (";
                text += textOf(line.extent);
                text += ')';
            }
            text += ": " + inOneLine(line.text) + '\n';
        }
    }
    return text;
}

} // namespace vivavoce::broker::transcripts
