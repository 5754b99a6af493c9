#include "bench/agent/spoken_corpus.h"

#include "audio/dsp/wav_file.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace vivavoce::bench {
namespace {

constexpr const char* kTestData = "/usr/share/pocketsphinx/test/data";

/// Runs a program without a shell; true when it ended well.
bool run(const std::vector<std::string>& words)
{
    const pid_t child = ::fork();
    if (child == 0) {
        std::vector<char*> arguments;
        for (const std::string& word : words) {
            arguments.push_back(
                const_cast<char*>(word.c_str())); // NOLINT(cppcoreguidelines-pro-type-const-cast): execvp's shape
        }
        arguments.push_back(nullptr);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::vector<std::int16_t> readOr(const std::string& path)
{
    auto samples = dsp::readWav(path, core::kSpeechRate);
    return samples ? std::move(*samples) : std::vector<std::int16_t>();
}

std::vector<std::int16_t> readRaw(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::vector<std::int16_t> samples;
    for (char pair[2]; file.read(pair, 2);) {
        samples.push_back(static_cast<std::int16_t>(static_cast<unsigned char>(pair[0]) | (pair[1] << 8)));
    }
    return samples;
}

/// "<s> words </s> (file)" becomes the words and the file.
void readTranscription(const std::string& folder, const std::string& name, std::vector<Utterance>& clips)
{
    std::ifstream lines(folder + "/" + name);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t open = line.rfind('(');
        const std::size_t close = line.rfind(')');
        if (open == std::string::npos || close == std::string::npos || close < open) {
            continue;
        }
        std::istringstream words(line.substr(0, open));
        std::string text;
        for (std::string word; words >> word;) {
            if (word != "<s>" && word != "</s>") {
                text += (text.empty() ? "" : " ") + word;
            }
        }
        auto samples = readOr(folder + "/" + line.substr(open + 1, close - open - 1) + ".wav");
        if (!samples.empty()) {
            clips.push_back({text, std::move(samples)});
        }
    }
}

} // namespace

std::vector<std::int16_t> speakWith(const std::string& voice, const std::string& text)
{
    const auto folder = std::filesystem::temp_directory_path() / ("vivavoce-bench-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    const std::string wav = (folder / "spoken.wav").string();
    bool isSpoken = false;
    if (voice == "festival") {
        const std::string words = (folder / "words.txt").string();
        std::ofstream(words) << text << '\n';
        isSpoken = run({"text2wave", "-eval", "(voice_cmu_us_slt_arctic_hts)", words, "-o", wav});
    } else {
        isSpoken = run({"flite", "-voice", voice, "-t", text, "-o", wav});
    }
    auto samples = isSpoken ? readOr(wav) : std::vector<std::int16_t>();
    std::filesystem::remove_all(folder);
    return samples;
}

std::vector<Utterance> humanClips()
{
    std::vector<Utterance> clips;
    readTranscription(std::string(kTestData) + "/cards", "cards.transcription", clips);
    readTranscription(std::string(kTestData) + "/librivox", "transcription", clips);
    auto forward = readRaw(std::string(kTestData) + "/goforward.raw");
    if (!forward.empty()) {
        clips.push_back({"go forward ten meters", std::move(forward)});
    }
    return clips;
}

std::vector<std::int16_t> withNoise(std::vector<std::int16_t> samples, double snrDb)
{
    double energy = 0;
    for (const std::int16_t sample : samples) {
        energy += static_cast<double>(sample) * sample;
    }
    std::mt19937 random(7);
    std::vector<double> noise(samples.size());
    double previous = 0;
    double noiseEnergy = 0;
    for (double& value : noise) {
        previous = 0.7 * previous + static_cast<double>(random() % 20'001) - 10'000;
        value = previous;
        noiseEnergy += value * value;
    }
    const double scale = noiseEnergy > 0 ? std::sqrt(energy / noiseEnergy / std::pow(10, snrDb / 10)) : 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        samples[i] = static_cast<std::int16_t>(std::clamp(std::lround(samples[i] + noise[i] * scale), -32768L, 32767L));
    }
    return samples;
}

} // namespace vivavoce::bench
