#include "app/cli/options.h"

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/history/transcript_export.h"
#include "core/settings/broker_address.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace vivavoce::cli {
namespace {

constexpr const char* kAbout =
    "Talks to realtime voice agents from a terminal: a recording (or typed words) in, a recording out, and what happens as "
    "JSON Lines on standard output.";

constexpr const char* kExitCodes =
    "Exit codes: 0 done, 2 bad usage, configuration or input file, 3 not authorised, 4 network or provider, 5 sound, "
    "6 timeout, 7 rate limited, 8 already running, 9 no display.";

/// The offline agent answers at most 64 KiB, and repeats what it does not understand.
constexpr std::size_t kLongestText = 32 * 1024;

/// A choice among words; what is typed besides is refused in words, not with the library's own notation.
template <typename Value>
void addChoice(
    CLI::App& command, const char* name, Value& value, std::map<std::string, Value> choices, const char* help)
{
    std::vector<std::string> words;
    std::string shown;
    for (const auto& choice : choices) {
        words.push_back(choice.first);
        shown += (shown.empty() ? "" : "|") + choice.first;
    }
    command
        .add_option_function<std::string>(
            name,
            [&value, choices](std::string word) {
                std::transform(word.begin(), word.end(), word.begin(),
                    [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
                value = choices.at(word);
            },
            help)
        ->check(CLI::IsMember(words, CLI::ignore_case))
        ->option_text(shown);
}

void addFormat(CLI::App& command, OutputFormat& format)
{
    addChoice<OutputFormat>(command, "--format", format,
        {{"json", OutputFormat::JsonLines}, {"text", OutputFormat::Text}}, "json: one object a line; text: for people");
}

void addBackend(CLI::App& command, core::SoundBackend& backend)
{
    addChoice<core::SoundBackend>(command, "--sound-backend", backend,
        {{"portaudio", core::SoundBackend::PortAudio}, {"qt", core::SoundBackend::QtMultimedia}},
        "The sound library (portaudio)");
}

/// For programs that read along: bad words are an event too, unless people read.
EndNow badUsage(const std::string& message, OutputFormat format)
{
    const core::SystemClock clock;
    EventWriter events(clock, format);
    events.write("error", {{"code", core::codeText(core::ErrorCode::BadUsage)}, {"message", message}, {"fatal", true}});
    events.write("summary", {{"exitCode", core::exitCode(core::ErrorCode::BadUsage)}});
    return EndNow{core::exitCode(core::ErrorCode::BadUsage)};
}

/// Of a command line that could not be read to its end.
OutputFormat wishedFormat(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) {
        const std::string_view word = argv[i];
        if (word == "--format=text"
            || (word == "--format" && i + 1 < argc && std::string_view(argv[i + 1]) == "text")) {
            return OutputFormat::Text;
        }
    }
    return OutputFormat::JsonLines;
}

/// What is no number is neither less nor more than anything: a range lets it through.
std::string whyNoNumber(const std::string& word)
{
    return std::isnan(std::strtod(word.c_str(), nullptr)) ? word + " is no number" : std::string();
}

/// Where a link leads, also to what is not there yet.
std::filesystem::path placeOf(const std::string& name)
{
    constexpr int kMostLinks = 40;
    std::error_code none;
    std::filesystem::path place = std::filesystem::absolute(name, none);
    for (int i = 0; i < kMostLinks && std::filesystem::is_symlink(place, none); ++i) {
        place = place.parent_path() / std::filesystem::read_symlink(place, none);
    }
    return std::filesystem::weakly_canonical(place, none);
}

/// However they are spelled, and through links.
bool isSameFile(const std::string& one, const std::string& other)
{
    std::error_code none;
    return !one.empty() && !other.empty()
        && (std::filesystem::equivalent(one, other, none) || placeOf(one) == placeOf(other));
}

/// What is written, in place of something else that is named.
std::optional<std::string> overwriting(const TalkOptions& options)
{
    const std::string in = options.isLive() ? std::string() : options.inFile;
    const std::string out = options.isAloud() ? std::string() : options.outFile;
    if (isSameFile(in, out)) {
        return "--out is the recording that --in names";
    }
    for (const auto& [name, file] : {std::pair("--in", &in), {"--out", &out}, {"--tools", &options.toolsFile},
             {"--mcp", &options.mcpFile}, {"--ca-file", &options.caFile}}) {
        if (isSameFile(options.transcriptFile, *file)) {
            return std::string("--transcript is the file that ") + name + " names";
        }
    }
    return std::nullopt;
}

/// The address as it is used from here on, or what is wrong with it. What is only insecure is told by whoever would connect.
std::optional<std::string> brokerFault(std::string& address)
{
    const auto checked = core::brokerAddress(address);
    if (checked) {
        address = *checked;
        return std::nullopt;
    }
    switch (checked.error()) {
    case core::AddressFault::TooMuch:
        return "--broker holds more than an address: a user name, a password, a query or a fragment";
    case core::AddressFault::Insecure:
        return std::nullopt;
    case core::AddressFault::Empty:
    case core::AddressFault::NotAnAddress:
        break;
    }
    return "--broker is not an http or https address";
}

bool isHttpUrl(const std::string& url)
{
    const std::size_t begin = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : url.size();
    return begin < url.size() && url[begin] != '/';
}

std::string whatIsWrong(core::NameFault fault)
{
    switch (fault) {
    case core::NameFault::TooLong:
        return " is longer than " + std::to_string(core::kLongestChosenName) + " characters";
    case core::NameFault::Secret:
        return " is a token or a key, and no name";
    case core::NameFault::Odd:
        break;
    }
    return " is no name: it holds a blank, or what is no visible ASCII";
}

/// What each option takes for itself and no conversation can be held with.
std::optional<std::string> contradiction(const CLI::App& talk, TalkOptions& options)
{
    for (const auto& [name, value] : {std::pair("--in", &options.inFile), {"--out", &options.outFile},
             {"--tools", &options.toolsFile}, {"--mcp", &options.mcpFile}, {"--transcript", &options.transcriptFile},
             {"--broker", &options.brokerUrl}, {"--chat-url", &options.chatUrl}, {"--provider", &options.provider},
             {"--model", &options.model}, {"--voice", &options.voice}, {"--project", &options.project}}) {
        if (talk.count(name) > 0 && value->empty()) {
            return std::string(name) + " is empty";
        }
    }
    if (auto what = overwriting(options)) {
        return what;
    }
    if (options.isLive() && !options.texts.empty()) {
        return "--text is typed after a recording, and --in mic goes on until Ctrl-C";
    }
    if (std::any_of(options.texts.begin(), options.texts.end(),
            [](const std::string& text) { return text.size() > kLongestText; })) {
        return "a --text is longer than 32 KiB";
    }
    if (!options.brokerUrl.empty()) {
        if (auto what = brokerFault(options.brokerUrl)) {
            return what;
        }
    }
    for (const auto& [name, value] :
        {std::pair("--provider", &options.provider), {"--model", &options.model}, {"--voice", &options.voice}}) {
        if (const auto fault = core::nameFault(*value)) {
            return std::string(name) + whatIsWrong(*fault);
        }
    }
    if (const auto fault = core::projectNameFault(options.project)) {
        return "--project" + whatIsWrong(*fault);
    }
    if (!options.chatUrl.empty() && !isHttpUrl(options.chatUrl)) {
        return "--chat-url is not an http or https address";
    }
    if (!options.transcriptFile.empty() && !core::transcriptFormatOf(options.transcriptFile)) {
        return "--transcript names no format: \"" + options.transcriptFile
            + "\" ends with none of .txt, .md, .json, .srt and .vtt";
    }
    // Nothing runs beside it yet.
    const char* const credential = std::getenv(options.credentialVariable.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (talk.count("--credential-env") > 0 && (credential == nullptr || *credential == '\0')) {
        return "--credential-env names \"" + options.credentialVariable + "\", which is not set";
    }
    return std::nullopt;
}

void addTalk(CLI::App& talk, TalkOptions& options, double& timeoutSeconds, bool& isFast)
{
    auto* broker = talk.add_option("--broker", options.brokerUrl,
                           "Base address of a broker; without it both servers run on this computer")
                       ->option_text("URL");
    talk.add_option(
            "--credential-env", options.credentialVariable, "Environment variable with the credential for --broker")
        ->option_text("NAME");
    auto* signIn = talk.add_flag("--sign-in", options.isSigningIn,
                           "Sign in for --broker in the browser, or where none opens with a code on another device")
                       ->needs(broker);
    talk.add_flag("--no-browser", options.isWithoutBrowser, "Sign in with a code on another device")->needs(signIn);
    talk.add_option("--refresh-threshold-seconds", options.token.refreshThreshold,
            "How long before its end a token is renewed, at the latest (30); the broker may want it earlier")
        ->needs(broker)
        ->check(CLI::Range(0, static_cast<int>(core::kLongestRefreshThreshold.count())))
        ->option_text("N");
    talk.add_option("--max-retry-attempts", options.token.maxRetryAttempts,
            "How often the first connection is tried again (3); one that is lost, for longer")
        ->check(CLI::Range(0, core::kMostRetryAttempts))
        ->option_text("N");
    talk.add_flag("!--no-auto-refresh", options.token.enableAutoRefresh,
            "A token serves until its end, and is not renewed before")
        ->needs(broker);
    talk.add_option(
            "--in", options.inFile, "Recording that is spoken to the agent, or mic: the microphone, until Ctrl-C")
        ->option_text("FILE.wav|mic");
    talk.add_option("--out", options.outFile,
            "Where what was heard of the replies is written, or speaker: the loudspeaker (with --in mic that is the default)")
        ->option_text("FILE.wav|speaker");
    talk.add_option("--transcript", options.transcriptFile,
            "Where what was said is written at the end, as far as it was heard; the ending says how: txt, md, json, srt or vtt")
        ->option_text("FILE");
    talk.add_option(
            "--input-device", options.devices.captureId, "A microphone of vivavoce-cli devices, instead of the default")
        ->option_text("ID");
    talk.add_option("--output-device", options.devices.playbackId, "A loudspeaker, likewise")->option_text("ID");
    addBackend(talk, options.soundBackend);
    talk.add_option("--text", options.texts, "Typed message; may be given several times")->option_text("\"...\"");
    talk.add_option(
            "--tools", options.toolsFile, "Functions that the agent may call, each with the command that answers it")
        ->option_text("FILE.json");
    talk.add_option("--mcp", options.mcpFile,
            "MCP servers ({\"mcpServers\": {…}}) that are started, and whose functions the agent may call if you allow it")
        ->option_text("FILE.json");
    talk.add_flag("--built-in-tools", options.hasBuiltInTools,
        "The agent may ask for the time, set timers, and open links, each of which asks you");
    addChoice<std::optional<ApproveMode>>(talk, "--approve", options.approve,
        {{"always", ApproveMode::Always}, {"ask", ApproveMode::Ask}, {"never", ApproveMode::Never}},
        "What becomes of a function that asks before it runs (ask; never where standard input is no terminal)");
    talk.add_option("--turns", options.turns, "End after so many replies")
        ->check(CLI::Range(1, 10'000))
        ->option_text("N");
    talk.add_option("--timeout", timeoutSeconds, "Longest time for the whole conversation (120; with --in mic a day)")
        ->check(CLI::Range(1.0, 86'400.0))
        ->check(&whyNoNumber)
        ->option_text("S");
    talk.add_option("--spend-limit", options.spendLimit,
            "End with the reply that makes the conversation cost so much, by the prices that came with the program")
        ->check(CLI::Range(0.01, 1'000'000.0))
        ->check(&whyNoNumber)
        ->option_text("DOLLARS");
    talk.add_option("--idle-minutes", options.idleMinutes,
            "End when nobody has said anything for so long; 0: never (with --in mic 10, otherwise 0)")
        ->check(CLI::Range(0, 1'440))
        ->option_text("N");
    talk.add_flag("--count-usage", options.isCounted,
            "Count the conversation in this computer's book of usage and keep to its limit of a month, as the window does")
        ->needs(broker);
    talk.add_option("--ca-file", options.caFile, "Certificates (PEM) of authorities to trust besides the system's")
        ->needs(broker)
        ->option_text("FILE");
    auto* real =
        talk.add_flag("--real-time")->description("The recording is spoken and the reply heard as people do (default)");
    talk.add_flag("--fast", isFast,
            "The recording is sent eight times as fast and the reply taken as it comes; one question a recording")
        ->excludes(real);
    talk.add_option("--instructions", options.instructions, "How the agent is to behave")->option_text("TEXT");
    talk.add_option("--voice", options.voice, "The agent's voice")->option_text("NAME");
    talk.add_option("--provider", options.provider, "The provider, where the broker leaves the choice")
        ->needs(broker)
        ->option_text("NAME");
    talk.add_option("--model", options.model, "The model, likewise")->option_text("NAME");
    talk.add_option(
            "--project", options.project, "What the conversation is for, where your operator gave you a project")
        ->needs(broker)
        ->option_text("NAME");
    talk.add_option(
            "--transcription-model", options.transcriptionModel, "What writes down your words (gpt-live-transcribe)")
        ->option_text("NAME");
    auto* chat = talk.add_option("--chat-url", options.chatUrl,
                         "The offline agent thinks with this OpenAI-compatible chat server")
                     ->option_text("URL");
    talk.add_option("--chat-model", options.chatModel, "The chat server's model")->needs(chat)->option_text("NAME");
    addFormat(talk, options.format);
    talk.footer(kExitCodes);
}

} // namespace

Command parseCommandLine(int argc, char** argv)
{
    CLI::App app(kAbout, "vivavoce-cli");
    app.set_version_flag("--version", std::string("vivavoce-cli ") + VV_VERSION);
    app.require_subcommand(1);
    app.footer(kExitCodes);

    TalkOptions talk;
    talk.transcriptionModel = "gpt-live-transcribe";
    double timeoutSeconds = 0;
    bool isFast = false;
    CLI::App* talkCommand = app.add_subcommand("talk", "Hold a conversation");
    addTalk(*talkCommand, talk, timeoutSeconds, isFast);

    DevicesOptions devices;
    CLI::App* devicesCommand = app.add_subcommand("devices", "List microphones and loudspeakers");
    addFormat(*devicesCommand, devices.format);
    addBackend(*devicesCommand, devices.backend);

    DoctorOptions doctor;
    CLI::App* doctorCommand =
        app.add_subcommand("doctor", "Check that everything a conversation needs is here and works");
    addFormat(*doctorCommand, doctor.format);

    UsageOptions usage;
    CLI::App* usageCommand = app.add_subcommand("usage", "Tell what was used on this computer, and what it may cost");
    addFormat(*usageCommand, usage.format);
    addChoice<bool>(*usageCommand, "--by", usage.isByMonth, {{"day", false}, {"month", true}},
        "What is told apart (day); days and months are UTC's");

    try {
        app.parse(argc, argv);
    } catch (const CLI::RequiredError&) {
        const bool isNamed = argc > 1 && argv[1][0] != '-';
        const std::string what =
            isNamed ? std::string("there is no command \"") + argv[1] + "\"" : "a command is required";
        std::fprintf(
            stderr, "vivavoce-cli: %s: talk, devices, doctor or usage (see vivavoce-cli --help)\n", what.c_str());
        return badUsage(what, OutputFormat::Text);
    } catch (const CLI::ParseError& end) {
        if (app.exit(end) == 0) {
            return EndNow{0};
        }
        return badUsage(end.what(), talkCommand->parsed() ? wishedFormat(argc, argv) : OutputFormat::Text);
    }
    if (devicesCommand->parsed()) {
        return devices;
    }
    if (doctorCommand->parsed()) {
        return doctor;
    }
    if (usageCommand->parsed()) {
        return usage;
    }
    if (talk.inFile.empty() && talk.texts.empty()) {
        std::fputs(
            "vivavoce-cli: nothing to say: give --in FILE.wav, --in mic or --text \"...\" (see vivavoce-cli talk --help)\n",
            stderr);
        return badUsage("nothing to say", talk.format);
    }
    if (const auto what = contradiction(*talkCommand, talk)) {
        std::fprintf(stderr, "vivavoce-cli: %s\n", what->c_str());
        return badUsage(*what, talk.format);
    }
    const auto isBlank = [](const std::string& text) { return text.find_first_not_of(" \t\r\n") == std::string::npos; };
    if (std::any_of(talk.texts.begin(), talk.texts.end(), isBlank)) {
        std::fputs("vivavoce-cli: a --text holds no words\n", stderr);
        return badUsage("a --text holds no words", talk.format);
    }
    if (talk.isLive() && talkCommand->count("--idle-minutes") == 0) {
        talk.idleMinutes = core::Settings().idleMinutes;
    }
    if (timeoutSeconds == 0) {
        timeoutSeconds = talk.isLive() ? 86'400 : 120;
    }
    if (talk.isLive() && talk.outFile.empty()) {
        talk.outFile = kSpeaker;
    }
    talk.pace = isFast ? Pace::Fast : Pace::RealTime;
    talk.timeout = core::Milliseconds{static_cast<core::Milliseconds::rep>(timeoutSeconds * 1000)};
    return talk;
}

} // namespace vivavoce::cli
