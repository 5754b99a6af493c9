#include "agent/skills/grammar.h"
#include "agent/speech/flite_voice.h"
#include "agent/speech/pocketsphinx_recogniser.h"
#include "audio/dsp/voice_processor.h"
#include "bench/agent/over_the_wire.h"
#include "bench/agent/spoken_corpus.h"
#include "bench/agent/word_accuracy.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>

using namespace vivavoce;
using namespace vivavoce::bench;

namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start)
{
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// As the agent does it: noise out, then 20 ms at a time; what is timed is the wait after the last sample.
struct Heard {
    agent::Recognition recognition;
    double tailMs = 0;
    double busyMs = 0;
};

Heard hear(agent::RecogniserPool& pool, std::vector<std::int16_t> samples)
{
    Heard heard;
    auto processor = dsp::VoiceProcessor::create();
    auto recogniser = pool.borrow({});
    if (!processor || !recogniser || !(*recogniser)->begin()) {
        return heard;
    }
    constexpr std::size_t kFrame = dsp::VoiceProcessor::kFrameSamples;
    const auto start = Clock::now();
    for (std::size_t i = 0; i + kFrame <= samples.size(); i += kFrame) {
        const std::span<std::int16_t, kFrame> frame(samples.data() + i, kFrame);
        (void)processor->process(frame);
        (void)(*recogniser)->accept(frame);
    }
    const auto end = Clock::now();
    heard.recognition = (*recogniser)->finish();
    heard.tailMs = millisecondsSince(end);
    heard.busyMs = millisecondsSince(start);
    return heard;
}

class Tally {
public:
    explicit Tally(std::string name, bool isCommands) : m_name(std::move(name)), m_isCommands(isCommands) {}

    void add(const Utterance& said, const Heard& heard)
    {
        const WordScore score = scoreWords(said.text, heard.recognition.text);
        m_words.said += score.said;
        m_words.right += score.right;
        ++m_utterances;
        m_exact += heard.recognition.text == said.text ? 1 : 0;
        m_wrongCommands +=
            heard.recognition.isCommand && (heard.recognition.text != said.text || !m_isCommands) ? 1 : 0;
        m_tails.push_back(heard.tailMs);
        m_busyMs += heard.busyMs;
        m_soundMs += static_cast<double>(said.samples.size()) / 16;
    }

    void print()
    {
        if (m_utterances == 0) {
            std::printf("%-34s not installed\n", m_name.c_str());
            return;
        }
        std::sort(m_tails.begin(), m_tails.end());
        std::printf(
            "%-34s %5.1f %% words  %3zu/%-3zu exact  %2zu wrong commands  tail %4.0f ms median, %4.0f p95  %.2f of real time\n",
            m_name.c_str(), 100.0 * static_cast<double>(m_words.right) / static_cast<double>(m_words.said), m_exact,
            m_utterances, m_wrongCommands, m_tails[m_tails.size() / 2], m_tails[m_tails.size() * 95 / 100],
            m_busyMs / m_soundMs);
    }

private:
    std::string m_name;
    bool m_isCommands;
    WordScore m_words;
    std::size_t m_utterances = 0;
    std::size_t m_exact = 0;
    std::size_t m_wrongCommands = 0;
    std::vector<double> m_tails;
    double m_busyMs = 0;
    double m_soundMs = 0;
};

void measure(
    agent::RecogniserPool& pool, const std::string& name, const std::vector<Utterance>& corpus, bool isCommands)
{
    for (const bool isNoisy : {false, true}) {
        Tally tally(name + (isNoisy ? ", 20 dB" : ", clean"), isCommands);
        for (const Utterance& said : corpus) {
            tally.add(said, hear(pool, isNoisy ? withNoise(said.samples, 20) : said.samples));
        }
        tally.print();
    }
}

std::vector<Utterance> spokenBy(const std::string& voice, const std::vector<std::string>& sentences)
{
    std::vector<Utterance> corpus;
    for (const std::string& sentence : sentences) {
        auto samples = speakWith(voice, sentence);
        if (!samples.empty()) {
            samples.insert(samples.end(), 8000, 0);
            corpus.push_back({sentence, std::move(samples)});
        }
    }
    return corpus;
}

/// Commands that the language model was not made from.
std::vector<std::string> heldOutCommands(const std::vector<std::string>& known, std::size_t count)
{
    const std::set<std::string> seen(known.begin(), known.end());
    std::vector<std::string> result;
    for (const std::string& sentence : agent::skills::sampleSentences(4000, 4711)) {
        if (!seen.contains(sentence) && result.size() < count) {
            result.push_back(sentence);
        }
    }
    return result;
}

void printMemory(const char* when)
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmRSS:")) {
            std::printf("memory %s: %s\n", when, line.substr(6).c_str());
        }
    }
}

/// With a running agent, at the pace of speech.
void measureTheWire(const std::string& program, const std::vector<Utterance>& questions)
{
    auto figures = askOverTheWire(program, questions);
    if (!figures) {
        std::printf("over the wire: %s does not answer, or there is no voice to ask with\n", program.c_str());
        return;
    }
    std::sort(figures->replyMs.begin(), figures->replyMs.end());
    const std::vector<double>& replies = figures->replyMs;
    std::printf(
        "over the wire: end of speech to first sound of the reply %.0f ms median, %.0f p95, of %zu questions (agreed: 700, "
        "800); memory of the agent with one session: %s\n",
        replies[replies.size() / 2], replies[replies.size() * 95 / 100], replies.size(), figures->memory.c_str());
}

void measureVoice()
{
    const auto voice = agent::speech::FliteVoice::create();
    std::vector<double> firsts;
    for (const char* sentence :
        {"That is eighty four.", "It is four fifteen in the afternoon.", "I set a timer for five minutes."}) {
        const auto start = Clock::now();
        double first = 0;
        (void)(*voice)->speak(sentence, {}, [&](auto) {
            first = first == 0 ? millisecondsSince(start) : first;
            return true;
        });
        firsts.push_back(first);
    }
    std::sort(firsts.begin(), firsts.end());
    std::printf("voice: first sound after %.0f ms median, %.0f ms at most\n", firsts[1], firsts.back());
}

} // namespace

int main(int /*argc*/, char** argv)
{
    agent::speech::RecogniserSettings settings;
    settings.grammarJsgf = agent::skills::commandGrammarJsgf();
    settings.sentences = agent::skills::sampleSentences(20'000, 1);
    const auto start = Clock::now();
    const auto pool = agent::speech::PocketsphinxPool::create(settings);
    if (!pool) {
        std::fprintf(stderr, "%s\n", pool.error().detail.c_str());
        return 2;
    }
    std::printf("models loaded in %.0f ms\n", millisecondsSince(start));
    printMemory("with one decoder");
    const std::vector<std::string> commands = heldOutCommands(settings.sentences, 20);
    const std::vector<std::string> open{"the train was late again this morning", "my sister bought a small red car",
        "we walked along the river for an hour", "nobody knows where the key has gone",
        "please read the second letter first"};
    for (const char* voice : {"slt", "awb", "rms", "kal16", "festival"}) {
        measure(**pool, std::string("commands, ") + voice, spokenBy(voice, commands), true);
        measure(**pool, std::string("open speech, ") + voice, spokenBy(voice, open), false);
    }
    measure(**pool, "people", humanClips(), false);
    measureVoice();
    printMemory("at the end");
    const auto beside = std::filesystem::path(argv[0]).replace_filename("vivavoce-agent");
    measureTheWire(beside.string(), spokenBy("slt", commands));
    return 0;
}
