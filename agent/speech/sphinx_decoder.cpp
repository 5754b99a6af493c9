#include "agent/speech/sphinx_decoder.h"

#include "agent/speech/domain_language_model.h"
#include "agent/speech/recognition_gate.h"

#include <pocketsphinx.h>
#include <sphinxbase/err.h>
#include <sphinxbase/fsg_model.h>
#include <sphinxbase/jsgf.h>
#include <sphinxbase/ngram_model.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

namespace vivavoce::agent::speech {
namespace {

using core::ErrorCode;
using core::fail;

constexpr const char* kFree = "free";
constexpr const char* kCommands = "commands";
/// Our own sentences weigh four times the general model.
constexpr float kGeneralWeight = 0.2F;
constexpr float kOwnWeight = 0.8F;

struct DecoderDeleter {
    void operator()(ps_decoder_t* decoder) const { ps_free(decoder); }
};
struct ConfigDeleter {
    void operator()(cmd_ln_t* config) const { cmd_ln_free_r(config); }
};
struct ModelDeleter {
    void operator()(ngram_model_t* model) const { ngram_model_free(model); }
};
using DecoderPtr = std::unique_ptr<ps_decoder_t, DecoderDeleter>;
using ConfigPtr = std::unique_ptr<cmd_ln_t, ConfigDeleter>;
using ModelPtr = std::unique_ptr<ngram_model_t, ModelDeleter>;
struct GrammarDeleter {
    void operator()(jsgf_t* grammar) const { jsgf_grammar_free(grammar); }
};
struct GraphDeleter {
    void operator()(fsg_model_t* graph) const { fsg_model_free(graph); }
};
using GrammarPtr = std::unique_ptr<jsgf_t, GrammarDeleter>;
using GraphPtr = std::unique_ptr<fsg_model_t, GraphDeleter>;

/// A file that only we can read, and that is gone when this is.
class PrivateFile {
public:
    explicit PrivateFile(const std::string& text)
    {
        const char* folder = std::getenv("TMPDIR");
        m_path = std::string(folder != nullptr ? folder : "/tmp") + "/vivavoce-lm-XXXXXX";
        const int fd = ::mkstemp(m_path.data());
        if (fd < 0) {
            return;
        }
        m_isThere = true;
        std::size_t written = 0;
        while (written < text.size()) {
            const ssize_t count = ::write(fd, text.data() + written, text.size() - written);
            if (count <= 0) {
                break;
            }
            written += static_cast<std::size_t>(count);
        }
        m_isWhole = written == text.size();
        ::close(fd);
    }
    ~PrivateFile()
    {
        if (m_isThere) {
            ::unlink(m_path.c_str());
        }
    }
    PrivateFile(const PrivateFile&) = delete;
    PrivateFile& operator=(const PrivateFile&) = delete;

    [[nodiscard]] const char* path() const { return m_isWhole ? m_path.c_str() : nullptr; }

private:
    std::string m_path;
    bool m_isThere = false;
    bool m_isWhole = false;
};

bool exists(const std::string& path)
{
    struct stat info {};
    return ::stat(path.c_str(), &info) == 0;
}

class Decoder final : public SphinxDecoder {
public:
    Decoder(ConfigPtr config, DecoderPtr decoder, bool hasCommands)
        : m_config(std::move(config)), m_decoder(std::move(decoder)), m_hasCommands(hasCommands)
    {
    }

    core::Expected<void, core::Error> begin() override
    {
        cancel();
        m_samples.clear();
        m_partial.clear();
        if (ps_set_search(m_decoder.get(), kFree) != 0 || ps_start_utt(m_decoder.get()) != 0) {
            return fail(ErrorCode::SoundFailed, "the recogniser does not start");
        }
        m_isOpen = true;
        return {};
    }

    std::optional<std::string> accept(std::span<const std::int16_t> samples) override
    {
        if (!m_isOpen || samples.empty()) {
            return std::nullopt;
        }
        m_samples.insert(m_samples.end(), samples.begin(), samples.end());
        ps_process_raw(m_decoder.get(), samples.data(), samples.size(), FALSE, FALSE);
        std::string partial = hypothesis().text;
        if (partial == m_partial) {
            return std::nullopt;
        }
        m_partial = partial;
        return partial;
    }

    Recognition finish() override
    {
        if (!m_isOpen) {
            return {};
        }
        ps_end_utt(m_decoder.get());
        m_isOpen = false;
        const Hypothesis free = hypothesis();
        if (!m_hasCommands || free.text.empty()) {
            return {free.text, false};
        }
        const Hypothesis command = decodeCommand();
        if (isCommandCredible(command.text, command.score, free.text, free.score)) {
            return {command.text, true};
        }
        return {free.text, false};
    }

    void cancel() override
    {
        if (std::exchange(m_isOpen, false)) {
            ps_end_utt(m_decoder.get());
        }
    }

private:
    struct Hypothesis {
        std::string text;
        int score = 0;
    };

    [[nodiscard]] Hypothesis hypothesis() const
    {
        int32 score = 0;
        const char* text = ps_get_hyp(m_decoder.get(), &score);
        return {text != nullptr ? text : "", score};
    }

    /// The whole utterance at once, so that its own mean is taken out.
    Hypothesis decodeCommand()
    {
        if (ps_set_search(m_decoder.get(), kCommands) != 0 || ps_start_utt(m_decoder.get()) != 0) {
            return {};
        }
        ps_process_raw(m_decoder.get(), m_samples.data(), m_samples.size(), FALSE, TRUE);
        ps_end_utt(m_decoder.get());
        return hypothesis();
    }

    // The decoder refers to the configuration: it goes first.
    ConfigPtr m_config;
    DecoderPtr m_decoder;
    bool m_hasCommands;
    bool m_isOpen = false;
    std::vector<std::int16_t> m_samples;
    std::string m_partial;
};

/// The general model, mixed with one of our own sentences.
core::Expected<void, core::Error> addFreeSearch(
    cmd_ln_t* config, ps_decoder_t* decoder, const std::string& generalPath, const std::vector<std::string>& sentences)
{
    logmath_t* logmath = ps_get_logmath(decoder);
    const ModelPtr general(ngram_model_read(config, generalPath.c_str(), NGRAM_AUTO, logmath));
    if (general == nullptr) {
        return fail(ErrorCode::BadConfiguration, generalPath + " cannot be read");
    }
    ModelPtr mixed;
    if (!sentences.empty()) {
        const PrivateFile file(makeArpa(sentences));
        const ModelPtr own(
            file.path() != nullptr ? ngram_model_read(config, file.path(), NGRAM_ARPA, logmath) : nullptr);
        if (own == nullptr) {
            return fail(ErrorCode::SoundFailed, "the language model of our own sentences could not be made");
        }
        ngram_model_t* models[] = {general.get(), own.get()};
        char generalName[] = "general";
        char ownName[] = "own";
        char* names[] = {generalName, ownName};
        float32 weights[] = {kGeneralWeight, kOwnWeight};
        mixed.reset(ngram_model_set_init(config, models, names, weights, 2));
        const char* constNames[] = {generalName, ownName};
        if (mixed == nullptr || ngram_model_set_interp(mixed.get(), constNames, weights) == nullptr) {
            return fail(ErrorCode::SoundFailed, "the language models could not be mixed");
        }
    }
    if (ps_set_lm(decoder, kFree, mixed != nullptr ? mixed.get() : general.get()) != 0) {
        return fail(ErrorCode::SoundFailed, "the recogniser refused the language model");
    }
    return {};
}

/// Whether the grammar is right and all its words are known. ps_set_jsgf_string does the same, but never frees what it parsed.
bool addCommandSearch(cmd_ln_t* config, ps_decoder_t* decoder, const std::string& jsgf)
{
    const GrammarPtr grammar(jsgf_parse_string(jsgf.c_str(), nullptr));
    // The rule belongs to the grammar.
    jsgf_rule_t* rule = grammar != nullptr ? jsgf_get_public_rule(grammar.get()) : nullptr;
    if (rule == nullptr) {
        return false;
    }
    const auto weight = static_cast<float32>(cmd_ln_float_r(config, "-lw"));
    const GraphPtr graph(jsgf_build_fsg(grammar.get(), rule, ps_get_logmath(decoder), weight));
    return graph != nullptr && ps_set_fsg(decoder, kCommands, graph.get()) == 0;
}

} // namespace

core::Expected<std::unique_ptr<SphinxDecoder>, core::Error> SphinxDecoder::create(const RecogniserSettings& settings)
{
    const std::string folder = settings.modelFolder + "/en-us";
    const std::string acoustic = folder + "/en-us";
    const std::string dictionary = folder + "/cmudict-en-us.dict";
    const std::string general = folder + "/en-us.lm.bin";
    if (!exists(acoustic) || !exists(dictionary) || !exists(general)) {
        return fail(ErrorCode::BadConfiguration,
            "the speech model (package pocketsphinx-en-us) is not at " + settings.modelFolder);
    }
    err_set_logfp(nullptr);
    // The two limits bound the work in noise, at no cost in accuracy (measured).
    ConfigPtr config(cmd_ln_init(nullptr, ps_args(), TRUE, "-hmm", acoustic.c_str(), "-dict", dictionary.c_str(),
        "-logfn", "/dev/null", "-maxhmmpf", "3000", "-maxwpf", "10", nullptr));
    if (config == nullptr) {
        return fail(ErrorCode::BadConfiguration, "the recogniser refused its settings");
    }
    DecoderPtr decoder(ps_init(config.get()));
    if (decoder == nullptr) {
        return fail(ErrorCode::BadConfiguration, "the speech model at " + settings.modelFolder + " cannot be loaded");
    }
    if (auto added = addFreeSearch(config.get(), decoder.get(), general, settings.sentences); !added) {
        return core::Unexpected<core::Error>(added.error());
    }
    const bool hasCommands = !settings.grammarJsgf.empty();
    if (hasCommands && !addCommandSearch(config.get(), decoder.get(), settings.grammarJsgf)) {
        return fail(ErrorCode::BadConfiguration,
            "the grammar of commands is wrong or has a word that is not in the dictionary");
    }
    return std::make_unique<Decoder>(std::move(config), std::move(decoder), hasCommands);
}

} // namespace vivavoce::agent::speech
