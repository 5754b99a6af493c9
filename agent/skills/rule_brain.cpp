#include "agent/skills/rule_brain.h"

#include "agent/skills/grammar.h"
#include "agent/skills/skill.h"
#include "agent/skills/speakable.h"
#include "agent/skills/tool_arguments.h"
#include "agent/skills/tool_matcher.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace vivavoce::agent::skills {

namespace {

using Kind = DialogueItem::Kind;
/// Questions asked for one argument before it is given up.
constexpr int kMostQuestions = 2;
constexpr std::size_t kHeardLength = 200;

struct ToolFit {
    const ToolSpec* tool = nullptr;
    double score = 0;
};

struct SkillFit {
    const Skill* skill = nullptr;
    double score = 0;
};

ToolFit bestTool(const Utterance& utterance, const std::vector<ToolSpec>& tools)
{
    ToolFit best;
    for (const ToolSpec& tool : tools) {
        const double score = toolScore(utterance, tool);
        // Of two that fit alike, the one whose arguments are all there is meant.
        if (score > best.score + 1e-9
            || (best.tool != nullptr && std::abs(score - best.score) < 1e-9
                && fillArguments(utterance, tool).missing.size()
                    < fillArguments(utterance, *best.tool).missing.size())) {
            best = {&tool, score};
        }
    }
    return best;
}

SkillFit bestSkill(const Utterance& utterance, const std::vector<std::unique_ptr<Skill>>& skills)
{
    SkillFit best;
    for (const auto& skill : skills) {
        if (const double score = skill->matches(utterance); score > best.score) {
            best = {skill.get(), score};
        }
    }
    return best;
}

/// A tool wins over a skill when it fits better or beyond doubt.
bool prefersTool(const ToolFit& tool, const SkillFit& skill)
{
    return tool.tool != nullptr && tool.score >= kToolMatch
        && (tool.score >= kSureToolMatch + 0.05 || tool.score > skill.score);
}

/// "… and …" in two, where both halves could stand alone.
std::vector<Utterance> halves(const Utterance& utterance)
{
    std::vector<Utterance> parts;
    if (containsAny(utterance.words, {"saying", "says", "that"})) {
        return parts;
    }
    for (const std::string_view glue : {" and then ", " and also ", " then ", " and "}) {
        const std::size_t at = utterance.text.find(glue);
        if (at != std::string::npos) {
            parts.emplace_back(utterance.text.substr(0, at), utterance.isCertain);
            parts.emplace_back(utterance.text.substr(at + glue.size()), utterance.isCertain);
            break;
        }
    }
    return parts;
}

/// What was said while functions ran, oldest first: it came behind their calls, and no reply has gone by it.
std::vector<const DialogueItem*> saidMeanwhile(std::span<const DialogueItem> items)
{
    std::vector<const DialogueItem*> said;
    std::vector<std::string_view> answered;
    auto item = items.rbegin();
    for (; item != items.rend() && item->kind != Kind::AssistantMessage && item->kind != Kind::FunctionCall; ++item) {
        if (item->kind == Kind::UserMessage) {
            said.insert(said.begin(), &*item);
        } else if (item->kind == Kind::FunctionOutput) {
            answered.push_back(item->callId);
        }
    }
    const bool isBehindACall = std::any_of(item, items.rend(), [&](const DialogueItem& call) {
        return call.kind == Kind::FunctionCall
            && std::find(answered.begin(), answered.end(), call.callId) != answered.end();
    });
    return isBehindACall ? said : std::vector<const DialogueItem*>();
}

std::string quoted(std::string_view heard)
{
    return std::string(
        heard.substr(0, heard.size() > kHeardLength ? heard.substr(0, kHeardLength).rfind(' ') : heard.size()));
}

} // namespace

struct RuleBrain::State {
    State(const core::Clock& clock, std::uint32_t seed)
        : random(seed), context{clock, random, {}, {}, {}, 0, {}}, skills(makeSkills())
    {
    }

    /// A function that waits for an argument.
    struct Pending {
        ToolSpec tool;
        FilledArguments arguments;
        int questions = 0;
    };

    void think(const BrainRequest& request, BrainSink& sink, const std::stop_token& stop);
    void answerUser(const Utterance& utterance, const BrainRequest& request, BrainSink& sink);
    bool continuePending(const Utterance& utterance, const std::vector<ToolSpec>& tools, BrainSink& sink);
    bool doBoth(const Utterance& utterance, const std::vector<ToolSpec>& tools, BrainSink& sink);
    void callOrAsk(Pending wanted, BrainSink& sink);
    void useSkill(const SkillFit& fit, const Utterance& utterance, BrainSink& sink);
    void say(const std::string& text, BrainSink& sink);
    void sayNotUnderstood(const Utterance& utterance, const std::vector<ToolSpec>& tools, BrainSink& sink);
    void speakOutputs(std::span<const DialogueItem> items, std::size_t said, BrainSink& sink);

    std::mt19937 random;
    SkillContext context;
    std::vector<std::unique_ptr<Skill>> skills;
    std::optional<Pending> pending;
};

void RuleBrain::State::say(const std::string& text, BrainSink& sink)
{
    context.lastReply = text;
    sink.onText(text);
}

void RuleBrain::State::think(const BrainRequest& request, BrainSink& sink, const std::stop_token& stop)
{
    const auto& items = request.items;
    const auto lastSaid = std::find_if(
        items.rbegin(), items.rend(), [](const DialogueItem& item) { return item.kind == Kind::AssistantMessage; });
    if (lastSaid != items.rend() && !lastSaid->text.empty()) {
        context.lastReply = lastSaid->text;
    }
    if (stop.stop_requested()) {
        return;
    }
    const auto last = std::find_if(
        items.rbegin(), items.rend(), [](const DialogueItem& item) { return item.kind != Kind::SystemMessage; });
    if (last == items.rend() || last->kind == Kind::AssistantMessage || last->kind == Kind::FunctionCall) {
        say(last == items.rend() ? "Hello! What can I do for you?" : "What else can I do for you?", sink);
        return;
    }
    if (last->kind == Kind::FunctionOutput) {
        const std::vector<const DialogueItem*> said = saidMeanwhile(items);
        speakOutputs(items, said.size(), sink);
        for (const DialogueItem* message : said) {
            sink.onText(" ");
            answerUser(Utterance(message->text, message->isCertain), request, sink);
        }
        return;
    }
    answerUser(Utterance(last->text, last->isCertain), request, sink);
}

/// Of the last turn, and of so many messages that came into it.
void RuleBrain::State::speakOutputs(std::span<const DialogueItem> items, std::size_t said, BrainSink& sink)
{
    std::vector<std::string> sentences;
    for (auto item = items.rbegin(); item != items.rend() && item->kind != Kind::AssistantMessage; ++item) {
        if (item->kind == Kind::UserMessage && said-- == 0) {
            break;
        }
        if (item->kind == Kind::FunctionOutput) {
            sentences.insert(sentences.begin(), speakableOutput(item->text));
        }
    }
    // "Done." once is enough.
    sentences.erase(std::unique(sentences.begin(), sentences.end()), sentences.end());
    say(joinWords(sentences), sink);
}

void RuleBrain::State::answerUser(const Utterance& utterance, const BrainRequest& request, BrainSink& sink)
{
    std::vector<ToolSpec> tools;
    for (const Tool& tool : request.tools) {
        const bool isAllowed = request.toolChoice != ToolChoice::Required || request.requiredTool.empty()
            || tool.name == request.requiredTool;
        if (request.toolChoice != ToolChoice::None && isAllowed) {
            tools.push_back(readTool(tool));
        }
    }
    if (continuePending(utterance, tools, sink)) {
        return;
    }
    if (utterance.words.empty() && request.toolChoice != ToolChoice::Required) {
        say("I did not hear any words. Please say that again.", sink);
        return;
    }
    const ToolFit tool = bestTool(utterance, tools);
    if (request.toolChoice == ToolChoice::Required && !tools.empty()) {
        const ToolSpec& chosen = tool.tool != nullptr ? *tool.tool : tools.front();
        callOrAsk({chosen, fillArguments(utterance, chosen)}, sink);
        return;
    }
    if (doBoth(utterance, tools, sink)) {
        return;
    }
    const SkillFit skill = bestSkill(utterance, skills);
    if (prefersTool(tool, skill) && (utterance.isCertain || tool.score >= kSureToolMatch)) {
        callOrAsk({*tool.tool, fillArguments(utterance, *tool.tool)}, sink);
        return;
    }
    const double needed =
        !utterance.isCertain && skill.skill != nullptr && skill.skill->hasSideEffects() ? kFullMatch : kWeakMatch;
    if (skill.skill != nullptr && skill.score >= needed) {
        useSkill(skill, utterance, sink);
        return;
    }
    sayNotUnderstood(utterance, tools, sink);
}

bool RuleBrain::State::continuePending(const Utterance& utterance, const std::vector<ToolSpec>& tools, BrainSink& sink)
{
    if (!pending) {
        return false;
    }
    Pending wanted = std::move(*pending);
    pending.reset();
    const bool isDeclared =
        std::any_of(tools.begin(), tools.end(), [&](const ToolSpec& tool) { return tool.name == wanted.tool.name; });
    if (!isDeclared || utterance.words.empty()) {
        return false;
    }
    const SkillFit skill = bestSkill(utterance, skills);
    const ToolFit tool = bestTool(utterance, tools);
    // Something else that is clearly meant ends the question; "stop" is a skill too.
    if (skill.score >= kFullMatch || (tool.score >= kSureToolMatch && utterance.words.size() > 2)) {
        return false;
    }
    wanted.arguments = completeArguments(utterance, wanted.tool, wanted.arguments, wanted.arguments.missing.front());
    callOrAsk(std::move(wanted), sink);
    return true;
}

bool RuleBrain::State::doBoth(const Utterance& utterance, const std::vector<ToolSpec>& tools, BrainSink& sink)
{
    const std::vector<Utterance> parts = halves(utterance);
    if (parts.size() != 2) {
        return false;
    }
    std::vector<std::pair<ToolFit, SkillFit>> fits;
    for (const Utterance& part : parts) {
        const ToolFit tool = bestTool(part, tools);
        const SkillFit skill = bestSkill(part, skills);
        const bool isTool =
            prefersTool(tool, skill) && tool.score >= kSureToolMatch && fillArguments(part, *tool.tool).missing.empty();
        if (!isTool && skill.score < kFullMatch) {
            return false;
        }
        fits.emplace_back(isTool ? tool : ToolFit{}, skill);
    }
    std::string firstText;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (fits[i].first.tool != nullptr) {
            sink.onFunctionCall(fits[i].first.tool->name, fillArguments(parts[i], *fits[i].first.tool).json);
        } else {
            if (i == 1 && fits[0].first.tool == nullptr) {
                firstText = context.lastReply + " ";
                sink.onText(" ");
            }
            useSkill(fits[i].second, parts[i], sink);
        }
    }
    context.lastReply = firstText + context.lastReply;
    return true;
}

void RuleBrain::State::callOrAsk(Pending wanted, BrainSink& sink)
{
    if (wanted.arguments.missing.empty() && wanted.arguments.complaint.empty()) {
        sink.onFunctionCall(wanted.tool.name, wanted.arguments.json);
        return;
    }
    if (wanted.arguments.missing.empty()) {
        say(wanted.arguments.complaint + " Please say it again.", sink);
        return;
    }
    if (wanted.questions >= kMostQuestions + static_cast<int>(wanted.tool.parameters.size())) {
        say("I did not understand that. Let us start again.", sink);
        return;
    }
    const std::string question = questionFor(wanted.tool, wanted.arguments.missing.front());
    say(wanted.arguments.complaint.empty() ? question : wanted.arguments.complaint + " " + question, sink);
    ++wanted.questions;
    wanted.arguments.complaint.clear();
    pending = std::move(wanted);
}

void RuleBrain::State::useSkill(const SkillFit& fit, const Utterance& utterance, BrainSink& sink)
{
    const SpeakingStyle before = context.style;
    const std::string text = fit.skill->answer(utterance, context);
    if (before.rate != context.style.rate || before.gain != context.style.gain) {
        sink.onStyle(context.style);
    }
    say(text, sink);
}

void RuleBrain::State::sayNotUnderstood(const Utterance& utterance, const std::vector<ToolSpec>& tools, BrainSink& sink)
{
    std::string text = "I heard: " + quoted(utterance.text) + ". I do not know what to do with that. ";
    if (!tools.empty()) {
        text += "I can for example " + joinWords(tools.front().nameWords) + ", or ";
        say(text + "answer: what time is it, or what is twelve times seven.", sink);
        return;
    }
    say(text + "You can say for example: what time is it, set a timer for five minutes, or what is twelve times seven.",
        sink);
}

RuleBrain::RuleBrain(const core::Clock& clock, std::uint32_t seed) : m_state(std::make_unique<State>(clock, seed)) {}

RuleBrain::~RuleBrain() = default;

core::Expected<std::optional<BrainUsage>, core::Error> RuleBrain::reply(
    const BrainRequest& request, BrainSink& sink, std::stop_token stop)
{
    m_state->think(request, sink, stop);
    return std::optional<BrainUsage>();
}

ReminderChanges RuleBrain::takeReminders()
{
    return std::exchange(m_state->context.reminders, {});
}

RuleBrainFactory::RuleBrainFactory(const core::Clock& clock, std::function<std::uint32_t()> seeds)
    : m_clock(clock), m_seeds(std::move(seeds))
{
    if (!m_seeds) {
        m_seeds = [] { return std::random_device{}(); };
    }
}

std::unique_ptr<Brain> RuleBrainFactory::create()
{
    return std::make_unique<RuleBrain>(m_clock, m_seeds());
}

} // namespace vivavoce::agent::skills
