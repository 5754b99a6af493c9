#pragma once

#include "agent/skills/spoken_numbers.h"
#include "agent/skills/tool_arguments.h"

#include <optional>
#include <string_view>

namespace vivavoce::agent::skills {

/// Fills the arguments of one function from one utterance: the inside of fillArguments.
/// Invariant: each word is used for one argument at most.
/// Lifetime: the utterance and the function outlive it.
class ArgumentFiller {
public:
    ArgumentFiller(const Utterance& utterance, const ToolSpec& tool);

    FilledArguments fill();

private:
    /// The narrow types first: what they do not take is left for the strings.
    enum class Pass { Choices, Numbers, Booleans, Strings };

    void use(std::size_t at, std::size_t count);

    /// Words that named the function say nothing about its arguments; articles around them neither.
    void useNameWords();
    void fillLevel(const std::vector<ToolParameter>& parameters, core::Json& object, Pass pass);
    std::optional<core::Json> read(
        const ToolParameter& parameter, const std::vector<ToolParameter>& siblings, Pass pass);
    std::optional<core::Json> readChoice(const ToolParameter& parameter);

    bool namesParameter(const ToolParameter& parameter, std::string_view word) const;

    /// The unit of time that an argument is in, in seconds; 0 for none.
    static double unitOf(const ToolParameter& parameter);

    std::optional<core::Json> readNumeric(const ToolParameter& parameter, const std::vector<ToolParameter>& siblings);

    /// "to to" and "for for": the second one is the number.
    Homophones homophonesAt(std::size_t at) const;
    std::optional<core::Json> accept(const ToolParameter& parameter, double value);

    std::optional<core::Json> readBoolean(const ToolParameter& parameter);

    /// The words that introduce a value for this argument, by its name.
    static std::vector<std::string_view> leadsOf(const ToolParameter& parameter);

    bool isOpenText(const ToolParameter& parameter) const;

    /// The value from `start` on: until the next preposition or used word, for open text until the end.
    std::optional<core::Json> take(std::size_t start, bool isOpen);

    /// "tomorrow" and the like end a place or a name.
    bool isTimeWord(std::size_t at, std::size_t start) const;

    /// The spelling of the utterance itself: "Berlin", not "berlin".
    std::string asSaid(const std::string& value) const;
    std::optional<core::Json> readString(const ToolParameter& parameter, const std::vector<ToolParameter>& siblings);

    std::optional<core::Json> readDay();

    /// The last run of words that nothing else explains.
    std::optional<core::Json> readRest();
    static bool isCommandVerb(std::string_view word);

    std::optional<core::Json> readList(const ToolParameter& parameter);

    /// Adds declared defaults to required arguments and lists what is missing.
    void finish(const std::vector<ToolParameter>& parameters, core::Json& object, const ParameterPath& path,
        FilledArguments& result, bool isNeeded);

    const std::string& m_text;
    const Words& m_words;
    const ToolSpec& m_tool;
    std::vector<bool> m_used;
    std::vector<bool> m_nameWord;
    std::string m_complaint;
};

[[nodiscard]] bool isNumeric(ToolParameter::Type type);
/// Seconds of a word for time, 0 for any other.
[[nodiscard]] double timeUnit(std::string_view word);

} // namespace vivavoce::agent::skills
