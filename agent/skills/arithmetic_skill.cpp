#include "agent/skills/skill.h"
#include "agent/skills/spoken_numbers.h"

#include <array>
#include <cmath>
#include <optional>
#include <string_view>

namespace vivavoce::agent::skills {

namespace {

enum class Operator { Plus, Minus, Times, Over, Power, PercentOf };

struct OperatorWords {
    std::string_view phrase;
    Operator op;
    std::size_t length;
};

constexpr std::array<OperatorWords, 15> kOperators{{{"to the power of", Operator::Power, 4},
    {"raised to the power of", Operator::Power, 5}, {"to the power", Operator::Power, 3}, {"power", Operator::Power, 1},
    {"percent of", Operator::PercentOf, 2}, {"divided by", Operator::Over, 2}, {"multiplied by", Operator::Times, 2},
    {"plus", Operator::Plus, 1}, {"and", Operator::Plus, 1}, {"minus", Operator::Minus, 1},
    {"less", Operator::Minus, 1}, {"times", Operator::Times, 1}, {"x", Operator::Times, 1}, {"over", Operator::Over, 1},
    {"by", Operator::Over, 1}}};

struct Step {
    Operator op = Operator::Plus;
    double value = 0;
};

struct Sum {
    std::vector<Step> steps;
    /// Whether an operator or a power was said: a lone number is no sum.
    bool isSum = false;
};

int precedence(Operator op)
{
    return op == Operator::Plus || op == Operator::Minus ? 1 : op == Operator::Power ? 3 : 2;
}

/// Absent for a division by zero and for what has no real value.
std::optional<double> apply(double a, Operator op, double b)
{
    switch (op) {
    case Operator::Plus:
        return a + b;
    case Operator::Minus:
        return a - b;
    case Operator::Times:
        return a * b;
    case Operator::Over:
        return b == 0 ? std::nullopt : std::optional(a / b);
    case Operator::PercentOf:
        return a * b / 100;
    case Operator::Power:
        break;
    }
    const double result = std::pow(a, b);
    return std::isnan(result) || (a == 0 && b < 0) ? std::nullopt : std::optional(result);
}

std::optional<Step> readOperator(std::span<const std::string> words, std::size_t& at)
{
    for (const OperatorWords& entry : kOperators) {
        if (startsWithPhrase(words.subspan(at), entry.phrase)) {
            at += entry.length;
            return Step{entry.op, 0};
        }
    }
    return std::nullopt;
}

/// One operand with what belongs to it: "the square root of nine", "four squared".
std::optional<double> readOperand(std::span<const std::string> words, std::size_t& at, bool& isSum)
{
    bool isRoot = false;
    for (const std::string_view root : {"the square root of", "square root of", "the root of"}) {
        if (startsWithPhrase(words.subspan(at), root)) {
            at += root.starts_with("the square") ? 4 : 3;
            isRoot = true;
            isSum = true;
            break;
        }
    }
    const auto number = readNumber(words.subspan(at), Homophones::Yes);
    if (!number) {
        return std::nullopt;
    }
    at += number->length;
    double value = isRoot ? std::sqrt(number->value) : number->value;
    if (at < words.size() && (words[at] == "squared" || words[at] == "cubed")) {
        value = std::pow(value, words[at] == "squared" ? 2 : 3);
        isSum = true;
        ++at;
    }
    return value;
}

/// The whole of the words as a sum; absent where a word does not belong.
std::optional<Sum> readSum(std::span<const std::string> words)
{
    Sum sum;
    std::size_t at = 0;
    const auto first = readOperand(words, at, sum.isSum);
    if (!first) {
        return std::nullopt;
    }
    sum.steps.push_back({Operator::Plus, *first});
    while (at < words.size()) {
        auto step = readOperator(words, at);
        const auto value = step ? readOperand(words, at, sum.isSum) : std::nullopt;
        if (!value) {
            return std::nullopt;
        }
        step->value = *value;
        sum.steps.push_back(*step);
        sum.isSum = true;
    }
    return sum;
}

std::optional<double> evaluate(std::vector<Step> steps)
{
    for (int level = 3; level >= 1; --level) {
        for (std::size_t i = 1; i < steps.size();) {
            if (precedence(steps[i].op) != level) {
                ++i;
                continue;
            }
            const auto value = apply(steps[i - 1].value, steps[i].op, steps[i].value);
            if (!value) {
                return std::nullopt;
            }
            steps[i - 1].value = *value;
            steps.erase(steps.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    return steps.front().value;
}

Words withoutQuestion(Words words)
{
    static constexpr std::array<std::pair<std::string_view, std::size_t>, 8> kQuestions{
        {{"what is the result of", 5}, {"what is", 2}, {"how much is", 3}, {"how much are", 3}, {"what are", 2},
            {"calculate", 1}, {"compute", 1}, {"tell me what is", 4}}};
    for (const auto& [phrase, length] : kQuestions) {
        if (words.size() > length && startsWithPhrase(words, phrase)) {
            words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(length));
            break;
        }
    }
    while (!words.empty() && (words.back() == "is" || words.back() == "equals" || words.back() == "equal")) {
        words.pop_back();
    }
    return words;
}

class ArithmeticSkill final : public Skill {
public:
    [[nodiscard]] double matches(const Utterance& utterance) const override
    {
        const auto sum = readSum(withoutQuestion(utterance.words));
        return sum && sum->isSum ? kFullMatch : kNoMatch;
    }

    [[nodiscard]] std::string answer(const Utterance& utterance, SkillContext&) const override
    {
        const auto sum = readSum(withoutQuestion(utterance.words));
        if (!sum) {
            return "I did not get the numbers.";
        }
        for (const Step& step : sum->steps) {
            if (std::isnan(step.value)) {
                return "A negative number has no real square root.";
            }
            if (step.op == Operator::Over && step.value == 0) {
                return "I cannot divide by zero.";
            }
        }
        const auto value = evaluate(sum->steps);
        if (!value) {
            return "That has no answer among the real numbers.";
        }
        const double shown = std::abs(*value) < 1e12 ? std::round(*value * 1e3) / 1e3 : *value;
        const bool isRounded = std::abs(shown - *value) > std::abs(*value) * 1e-12 && std::abs(*value) >= 0.01;
        const std::string words = numberWords(*value);
        return (isRounded ? "That is about " : "That is ") + words + ".";
    }
};

} // namespace

std::unique_ptr<Skill> makeArithmeticSkill()
{
    return std::make_unique<ArithmeticSkill>();
}

} // namespace vivavoce::agent::skills
