#include "agent/skills/grammar.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string_view>

namespace vivavoce::agent::skills {

namespace {

/// One rule. Alternatives are split by '|'; `<x>` names a rule, `[x]` may be left out. Nothing else of JSGF is used,
/// so that the same table can be printed and drawn from.
struct Rule {
    std::string_view name;
    std::string_view body;
};

constexpr Rule kRules[] = {
    {"digit", "one | two | three | four | five | six | seven | eight | nine"},
    {"teen", "ten | eleven | twelve | thirteen | fourteen | fifteen | sixteen | seventeen | eighteen | nineteen"},
    {"tens", "twenty | thirty | forty | fifty | sixty | seventy | eighty | ninety"},
    {"small", "<digit> | <teen> | <tens> | <tens> <digit>"},
    {"number",
        "<small> | <small> | <digit> hundred | <digit> hundred and <small> | <digit> thousand | <small> point <digit> | zero"},
    {"time", "what time is it [now] | what is the time [now] | tell me the time | do you have the time"},
    {"date",
        "what is the date [today] | what day is it [today] | what day of the week is it | what is today's date | "
        "what year is it | what month is it | what day is tomorrow"},
    {"timespan",
        "<small> seconds | <small> minutes | <small> hours | one minute | one hour | an hour | a minute | "
        "half an hour | one hour and <small> minutes | <small> minutes and <small> seconds"},
    {"timer",
        "set a timer for <timespan> | set a timer to <timespan> | start a timer for <timespan> | "
        "remind me in <timespan> | set a <small> minute timer | start a <small> second timer | "
        "cancel the timer | cancel my timer | cancel all timers | stop the timer | how much time is left | "
        "what timers are running | list my timers"},
    {"operator", "plus | minus | times | divided by | multiplied by"},
    {"sum",
        "what is <number> <operator> <number> | how much is <number> <operator> <number> | "
        "calculate <number> <operator> <number> | <number> <operator> <number> | "
        "what is <small> percent of <number> | what is <small> squared | what is <digit> cubed | "
        "what is the square root of <number> | what is <digit> to the power of <digit>"},
    {"length", "miles | kilometers | meters | feet | inches | centimeters | yards"},
    {"mass", "pounds | kilograms | ounces | grams | kilos | tons"},
    {"volume", "liters | gallons | cups | pints | quarts"},
    {"speed", "miles per hour | kilometers per hour | knots"},
    {"period", "seconds | minutes | hours | days | weeks | years"},
    {"temperature", "celsius | fahrenheit"},
    {"conversion",
        "convert <number> <length> to <length> | convert <number> <mass> to <mass> | convert <number> <volume> to <volume> | "
        "convert <number> <speed> to <speed> | convert <number> degrees <temperature> to <temperature> | "
        "how many <length> are in <number> <length> | how many <mass> are in <number> <mass> | "
        "how many <volume> are in <number> <volume> | how many <period> are in <number> <period> | "
        "what is <number> <length> in <length> | what is <number> <mass> in <mass> | "
        "what is <number> degrees <temperature> in <temperature>"},
    {"choice",
        "flip a coin | toss a coin | roll a die | roll the dice | roll two dice | heads or tails | "
        "pick a number between <number> and <number> | give me a random number | "
        "give me a number between <number> and <number> | choose between tea and coffee | pick red or blue"},
    {"word",
        "necessary | receive | beautiful | separate | weather | believe | friend | tomorrow | science | rhythm | "
        "banana | elephant | restaurant | mountain | knowledge | language | calendar | definitely"},
    {"spelling", "spell <word> | how do you spell <word> | spell the word <word> | can you spell <word>"},
    {"repeat", "repeat that | say that again | please repeat | what did you say | repeat please | say it again"},
    {"style",
        "speak slower | speak more slowly | slower please | speak faster | faster please | speak louder | louder please | "
        "speak up | quieter please | speak more quietly | speak normally | slow down | turn it up | turn it down"},
    {"talk",
        "hello | hi there | good morning | good evening | how are you | who are you | what is your name | thank you | "
        "thanks | goodbye | good night | tell me a joke | tell me another joke"},
    {"help", "help | help me | what can you do | what can i say"},
    {"stop", "stop | be quiet | cancel | never mind | stop talking"},
    {"city",
        "london | paris | berlin | tokyo | madrid | rome | vienna | boston | chicago | seattle | new york | sydney"},
    {"room", "kitchen | bedroom | bathroom | office | hall | garage | garden | living room"},
    {"color", "red | green | blue | white | yellow | orange | purple"},
    {"things",
        "what is the weather in <city> | what is the weather like in <city> | how is the weather in <city> | "
        "what is the temperature in <city> | turn on the lights | turn off the lights | "
        "turn on the lights in the <room> | turn off the light in the <room> | turn the <room> light on | "
        "set the <room> light to <color> | set the color to <color> | set the temperature to <small> degrees | "
        "open the door | close the door | lock the door | open the window | close the window | "
        "play music | stop the music | next song | set the volume to <small> | show me the map | "
        "what time is it in <city> | go back | yes | no | yes please | no thanks"},
    {"command",
        "<time> | <date> | <timer> | <sum> | <conversion> | <choice> | <spelling> | <repeat> | <style> | <talk> | <help> | "
        "<stop> | <things>"},
};

std::string_view trimmed(std::string_view text)
{
    const auto first = text.find_first_not_of(' ');
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

using Alternatives = std::vector<std::vector<std::string>>;

std::map<std::string, Alternatives, std::less<>> readRules()
{
    std::map<std::string, Alternatives, std::less<>> rules;
    for (const Rule& rule : kRules) {
        Alternatives& alternatives = rules[std::string(rule.name)];
        std::string_view rest = rule.body;
        while (true) {
            const auto bar = rest.find('|');
            std::istringstream parts{std::string(trimmed(rest.substr(0, bar)))};
            std::vector<std::string>& symbols = alternatives.emplace_back();
            for (std::string symbol; parts >> symbol;) {
                symbols.push_back(symbol);
            }
            if (bar == std::string_view::npos) {
                break;
            }
            rest.remove_prefix(bar + 1);
        }
    }
    return rules;
}

/// Draws sentences. Uses the engine's bits alone: the standard distributions differ between libraries.
class Drawer {
public:
    explicit Drawer(std::uint32_t seed) : m_rules(readRules()), m_engine(seed) {}

    std::string draw()
    {
        std::string sentence;
        expand("command", sentence);
        return sentence;
    }

private:
    std::size_t below(std::size_t count) { return static_cast<std::size_t>(m_engine() % count); }

    void expand(std::string_view rule, std::string& out)
    {
        const Alternatives& alternatives = m_rules.find(rule)->second;
        for (const std::string& symbol : alternatives[below(alternatives.size())]) {
            if (symbol.front() == '<') {
                expand(std::string_view(symbol).substr(1, symbol.size() - 2), out);
                continue;
            }
            const bool isOptional = symbol.front() == '[';
            if (isOptional && below(2) == 0) {
                continue;
            }
            out += out.empty() ? "" : " ";
            out += isOptional ? symbol.substr(1, symbol.size() - 2) : symbol;
        }
    }

    std::map<std::string, Alternatives, std::less<>> m_rules;
    std::mt19937 m_engine;
};

} // namespace

std::string commandGrammarJsgf()
{
    std::string text = "#JSGF V1.0;\ngrammar commands;\n";
    for (const Rule& rule : kRules) {
        text += rule.name == "command" ? "public <" : "<";
        text += rule.name;
        text += "> = ";
        text += rule.body;
        text += ";\n";
    }
    return text;
}

std::vector<std::string> sampleSentences(std::size_t count, std::uint32_t seed)
{
    Drawer drawer(seed);
    std::vector<std::string> sentences;
    std::set<std::string> seen;
    // Small rules come up again and again; the bound keeps the loop finite when the grammar has fewer sentences than asked for.
    for (std::size_t tries = 0; sentences.size() < count && tries < count * 20 + 100; ++tries) {
        std::string sentence = drawer.draw();
        if (seen.insert(sentence).second) {
            sentences.push_back(std::move(sentence));
        }
    }
    return sentences;
}

} // namespace vivavoce::agent::skills
