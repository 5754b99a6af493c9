#include "broker/projects/policy_json.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string_view>
#include <utility>

namespace vivavoce::broker {
namespace {

using core::Json;

constexpr std::size_t kMostNames = 100;
constexpr std::size_t kLongestName = 256;
constexpr std::size_t kLongestInstructions = 32 * 1024;
constexpr std::int64_t kLongestSession = 31'536'000;
constexpr std::int64_t kMostSessions = 100'000;
constexpr std::int64_t kMostTranscriptDays = 3'650;

struct List {
    const char* name;
    Allowed Policy::*member;
};
constexpr std::array kLists{List{"providers", &Policy::providers}, List{"models", &Policy::models},
    List{"voices", &Policy::voices}, List{"tools", &Policy::tools}};

/// Dollars and minutes, by whom and how long.
struct BudgetName {
    const char* dollars;
    const char* minutes;
    Budget Budgets::*member;
};
constexpr std::array kBudgets{BudgetName{"userDollarsPerDay", "userMinutesPerDay", &Budgets::userDay},
    BudgetName{"userDollarsPerMonth", "userMinutesPerMonth", &Budgets::userMonth},
    BudgetName{"projectDollarsPerDay", "projectMinutesPerDay", &Budgets::projectDay},
    BudgetName{"projectDollarsPerMonth", "projectMinutesPerMonth", &Budgets::projectMonth}};
constexpr double kMostDollars = 1e9;
constexpr double kNano = 1e9;
constexpr std::int64_t kMostMinutes = 1'000'000'000;

bool readNames(const Json& json, Allowed& names)
{
    if (!json.is_array() || json.size() > kMostNames) {
        return false;
    }
    names.emplace();
    for (const Json& name : json) {
        if (!name.is_string() || name.get_ref<const std::string&>().empty()
            || name.get_ref<const std::string&>().size() > kLongestName) {
            return false;
        }
        names->push_back(name.get<std::string>());
    }
    return true;
}

bool readInstructions(const Json& json, std::optional<std::string>& instructions)
{
    const bool isGood = json.is_string() && json.get_ref<const std::string&>().size() <= kLongestInstructions;
    if (isGood) {
        instructions = json.get<std::string>();
    }
    return isGood;
}

std::optional<std::int64_t> readNumber(const Json& json, std::int64_t lowest, std::int64_t highest)
{
    // What does not fit into 64 bits is a double here, and so none.
    if (!json.is_number_integer()
        || (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(highest))) {
        return std::nullopt;
    }
    const auto value = json.get<std::int64_t>();
    return value >= lowest && value <= highest ? std::optional(value) : std::nullopt;
}

bool readSessions(const Json& json, std::optional<std::size_t>& sessions)
{
    const auto value = readNumber(json, 0, kMostSessions);
    if (value) {
        sessions = static_cast<std::size_t>(*value);
    }
    return value.has_value();
}

/// Nothing: it is no budget's name.
std::optional<bool> readBudget(const std::string& name, const Json& value, Budgets& budgets)
{
    for (const BudgetName& budget : kBudgets) {
        if (name == budget.dollars) {
            const double dollars = value.is_number() ? value.get<double>() : -1;
            const bool isGood = dollars >= 0 && dollars <= kMostDollars;
            (budgets.*budget.member).nanoDollars = isGood ? std::llround(dollars * kNano) : 0;
            return isGood;
        }
        if (name == budget.minutes) {
            const auto minutes = readNumber(value, 0, kMostMinutes);
            (budgets.*budget.member).connected = std::chrono::minutes(minutes.value_or(0));
            return minutes.has_value();
        }
    }
    return std::nullopt;
}

bool readMember(const std::string& name, const Json& value, Policy& policy)
{
    const auto* const list =
        std::find_if(kLists.begin(), kLists.end(), [&](const List& one) { return one.name == name; });
    if (list != kLists.end()) {
        return readNames(value, policy.*list->member);
    }
    if (name == "instructions") {
        return readInstructions(value, policy.instructions);
    }
    if (name == "relay") {
        policy.isRelayed = value.is_boolean() && value.get<bool>();
        return value.is_boolean();
    }
    if (name == "transcripts") {
        policy.transcripts = value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
        return value.is_boolean();
    }
    if (name == "transcriptDays") {
        policy.transcriptDays = readNumber(value, 1, kMostTranscriptDays);
        return policy.transcriptDays.has_value();
    }
    if (const auto isRead = readBudget(name, value, policy.budgets)) {
        return *isRead;
    }
    if (name == "longestSession") {
        const auto seconds = readNumber(value, 1, kLongestSession);
        policy.longestSession = seconds ? std::optional(std::chrono::seconds(*seconds)) : std::nullopt;
        return seconds.has_value();
    }
    if (name == "sessionsOfProject") {
        return readSessions(value, policy.sessionsOfProject);
    }
    return name == "sessionsPerUser" && readSessions(value, policy.sessionsOfUser);
}

std::string range(std::int64_t lowest, std::int64_t highest)
{
    return " from " + std::to_string(lowest) + " to " + std::to_string(highest);
}

/// What a member may be; empty: there is none of that name.
std::string ruleOf(const std::string& name)
{
    if (std::any_of(kLists.begin(), kLists.end(), [&](const List& one) { return one.name == name; })) {
        return "a list of at most " + std::to_string(kMostNames) + " names, each with 1 to "
            + std::to_string(kLongestName) + " bytes; an empty list allows none";
    }
    for (const BudgetName& budget : kBudgets) {
        if (name == budget.dollars) {
            return "a number of dollars" + range(0, static_cast<std::int64_t>(kMostDollars)) + ", as 0.5";
        }
        if (name == budget.minutes) {
            return "a whole number of minutes" + range(0, kMostMinutes);
        }
    }
    if (name == "instructions") {
        return "a text of at most " + std::to_string(kLongestInstructions) + " bytes";
    }
    if (name == "relay" || name == "transcripts") {
        return "true or false";
    }
    if (name == "transcriptDays") {
        return "a whole number of days" + range(1, kMostTranscriptDays);
    }
    if (name == "longestSession") {
        return "a whole number of seconds" + range(1, kLongestSession);
    }
    const bool isCount = name == "sessionsOfProject" || name == "sessionsPerUser";
    return isCount ? "a whole number" + range(0, kMostSessions) : std::string();
}

/// Foreign text goes no further unless it is short and plain.
bool isPlainName(const std::string& name)
{
    constexpr std::size_t kLongest = 64;
    return !name.empty() && name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'
            || c == '.';
    });
}

/// At most so many bytes of a value, none of them a part of a letter of UTF-8.
std::string shortened(const Json& value)
{
    constexpr std::size_t kLongest = 80;
    std::string text = core::writeJson(value);
    if (text.size() <= kLongest) {
        return text;
    }
    std::size_t size = kLongest;
    while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) {
        --size;
    }
    return text.substr(0, size) + "... (" + std::to_string(text.size()) + " bytes)";
}

} // namespace

std::vector<std::string> policyNames()
{
    std::vector<std::string> names;
    for (const List& list : kLists) {
        names.emplace_back(list.name);
    }
    for (const char* const name : {"instructions", "relay", "transcripts", "transcriptDays"}) {
        names.emplace_back(name);
    }
    for (const BudgetName& budget : kBudgets) {
        names.emplace_back(budget.dollars);
        names.emplace_back(budget.minutes);
    }
    for (const char* const name : {"longestSession", "sessionsOfProject", "sessionsPerUser"}) {
        names.emplace_back(name);
    }
    return names;
}

std::string unknownInPolicy(const std::string& name)
{
    std::string text = isPlainName(name) ? "policy." + name + " is not known" : "policy has a member that is not known";
    const char* before = "; there are ";
    for (const std::string& known : policyNames()) {
        text += before + known;
        before = ", ";
    }
    return text;
}

std::string policyFault(const Json& json)
{
    if (!json.is_object()) {
        return "policy has to be an object";
    }
    Policy policy;
    for (const auto& [name, value] : json.items()) {
        const std::string rule = ruleOf(name);
        if (rule.empty()) {
            return unknownInPolicy(name);
        }
        if (!readMember(name, value, policy)) {
            return "policy." + name + " has to be " + rule;
        }
    }
    return {};
}

std::string policyChanges(const Policy& before, const Policy& after, std::size_t most)
{
    constexpr std::string_view kSeparator = ", ";
    struct Change {
        std::string name;
        std::string whole;
    };
    const Json old = writePolicy(before);
    const Json made = writePolicy(after);
    const auto valueIn = [](const Json& policy, const std::string& name) {
        return policy.contains(name) ? shortened(policy.at(name)) : std::string("unset");
    };
    std::vector<Change> changes;
    std::size_t named = 0;
    for (const std::string& name : policyNames()) {
        const bool isSame =
            old.contains(name) == made.contains(name) && (!old.contains(name) || old.at(name) == made.at(name));
        if (!isSame) {
            changes.push_back({name, name + ' ' + valueIn(old, name) + " -> " + valueIn(made, name)});
            named += kSeparator.size() + name.size();
        }
    }
    // The short ones first, so that figures are not left out for the sake of long texts.
    std::stable_sort(changes.begin(), changes.end(),
        [](const Change& a, const Change& b) { return a.whole.size() < b.whole.size(); });
    std::string text;
    for (const Change& change : changes) {
        named -= kSeparator.size() + change.name.size();
        text += text.empty() ? std::string_view() : kSeparator;
        const bool isWhole = text.size() + change.whole.size() + named <= most;
        text += isWhole ? change.whole : change.name;
    }
    return text;
}

core::Expected<Policy, std::string> readPolicy(const Json& json)
{
    if (!json.is_object()) {
        return core::Unexpected<std::string>("policy");
    }
    Policy policy;
    for (const auto& [name, value] : json.items()) {
        if (!readMember(name, value, policy)) {
            // A name is foreign text: only one of ours is repeated.
            return core::Unexpected<std::string>(ruleOf(name).empty() ? "policy" : "policy." + name);
        }
    }
    return policy;
}

Json writePolicy(const Policy& policy)
{
    Json json = Json::object();
    for (const List& list : kLists) {
        if (policy.*list.member) {
            json[list.name] = *(policy.*list.member);
        }
    }
    if (policy.instructions) {
        json["instructions"] = *policy.instructions;
    }
    if (policy.isRelayed) {
        json["relay"] = true;
    }
    if (policy.transcripts) {
        json["transcripts"] = *policy.transcripts;
    }
    if (policy.transcriptDays) {
        json["transcriptDays"] = *policy.transcriptDays;
    }
    for (const BudgetName& budget : kBudgets) {
        const Budget& one = policy.budgets.*budget.member;
        if (one.nanoDollars) {
            json[budget.dollars] = static_cast<double>(*one.nanoDollars) / kNano;
        }
        if (one.connected) {
            json[budget.minutes] = std::chrono::floor<std::chrono::minutes>(*one.connected).count();
        }
    }
    if (policy.longestSession) {
        json["longestSession"] = policy.longestSession->count();
    }
    if (policy.sessionsOfProject) {
        json["sessionsOfProject"] = *policy.sessionsOfProject;
    }
    if (policy.sessionsOfUser) {
        json["sessionsPerUser"] = *policy.sessionsOfUser;
    }
    return json;
}

} // namespace vivavoce::broker
