#include "broker/config_toml.h"

#include "broker/config_secrets.h"

#include <algorithm>
#include <numeric>

namespace vivavoce::broker {
namespace {

constexpr std::size_t kLongestKey = 128;
constexpr std::size_t kFarthest = 2;

/// A key is foreign text: only a tame one is repeated.
bool isTame(std::string_view key)
{
    return key.size() <= kLongestKey
        && std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7F; });
}

/// Letters to change, add or leave out (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
        }
    }
    return row.back();
}

std::string placeOf(const toml::node& node)
{
    return "line " + std::to_string(node.source().begin.line);
}

bool hasPlaceholder(const toml::node& node)
{
    if (const auto* text = node.as_string()) {
        return text->get().find(kPlaceholder) != std::string::npos;
    }
    const auto* list = node.as_array();
    return list != nullptr && std::any_of(list->begin(), list->end(), [](const toml::node& item) {
        return item.is_string() && item.as_string()->get().find(kPlaceholder) != std::string::npos;
    });
}

} // namespace

std::vector<std::pair<std::string, toml::node*>> inFileOrder(toml::table& table)
{
    std::vector<std::pair<std::string, toml::node*>> entries;
    for (auto&& [name, node] : table) {
        entries.emplace_back(name.str(), &node);
    }
    std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
        const auto& one = a.second->source().begin;
        const auto& other = b.second->source().begin;
        return one.line != other.line ? one.line < other.line : one.column < other.column;
    });
    return entries;
}

bool enterKey(const std::string& key, const toml::node& node, Problems& problems)
{
    problems.setOrigin(key, placeOf(node));
    if (!hasPlaceholder(node)) {
        return true;
    }
    problems.add(key, "has still to be filled in: it says " + std::string(kPlaceholder));
    return false;
}

void tellUnknownKey(
    const std::string& key, const toml::node& node, const std::vector<std::string>& known, Problems& problems)
{
    if (!isTame(key)) {
        problems.addAt("a key", "is not a key of this file", placeOf(node));
        return;
    }
    const auto nearest = std::min_element(known.begin(), known.end(),
        [&](const std::string& a, const std::string& b) { return distance(key, a) < distance(key, b); });
    const bool isNear = nearest != known.end() && distance(key, *nearest) <= kFarthest;
    problems.addAt(key, "is not a key of this file" + (isNear ? ": did you mean " + *nearest + "?" : std::string()),
        placeOf(node));
}

std::vector<std::pair<std::string, toml::table*>> tablesOf(std::string_view key, toml::node& node, Problems& problems)
{
    constexpr std::size_t kMostTables = 1'000;
    std::vector<std::pair<std::string, toml::table*>> tables;
    auto* list = node.as_array();
    const auto isTable = [](const toml::node& item) { return item.is_table(); };
    if (list == nullptr || list->size() > kMostTables || !std::all_of(list->begin(), list->end(), isTable)) {
        problems.add(key, "has to be a list of tables: [[" + std::string(key) + "]]");
        return tables;
    }
    for (auto& item : *list) {
        const std::string entry = std::string(key) + "[" + std::to_string(tables.size()) + "]";
        static_cast<void>(enterKey(entry, item, problems));
        tables.emplace_back(entry + ".", item.as_table());
    }
    return tables;
}

Written readText(std::string_view key, toml::node& node, std::string& into)
{
    constexpr std::size_t kLongestText = 2048;
    const auto value = node.value_exact<std::string>();
    if (!value || value->empty() || value->size() > kLongestText) {
        return badConfig(key, "has to be a text that is not empty");
    }
    into = *value;
    return {};
}

Written readTexts(std::string_view key, toml::node& node, std::vector<std::string>& into)
{
    constexpr std::size_t kMostEntries = 100;
    auto* list = node.as_array();
    if (list == nullptr || list->size() > kMostEntries) {
        return badConfig(key, "has to be a list of texts");
    }
    into.clear();
    for (auto& item : *list) {
        std::string text;
        if (auto read = readText(key, item, text); !read) {
            return badConfig(key, "has to be a list of texts");
        }
        into.push_back(std::move(text));
    }
    return {};
}

std::optional<core::Secret> readSecretText(const std::string& key, toml::node& node, Problems& problems)
{
    auto* value = node.as_string();
    if (value == nullptr || value->get().empty()) {
        problems.add(key, "has to be a text that is not empty");
        return std::nullopt;
    }
    core::Secret secret{std::string_view(value->get())};
    core::wipeString(value->get());
    return secret;
}

std::optional<core::Secret> readSecretPath(const std::string& key, toml::node& node, Problems& problems)
{
    std::string path;
    if (auto read = readText(key, node, path); !read) {
        problems.add(key, read.error());
        return std::nullopt;
    }
    return readGuardedSecret(key, path, problems);
}

toml::array listOf(const std::vector<std::string>& texts)
{
    toml::array list;
    for (const std::string& text : texts) {
        list.push_back(text);
    }
    return list;
}

std::vector<std::string> prefixed(const std::string& prefix, std::vector<std::string> names)
{
    for (std::string& name : names) {
        name.insert(0, prefix);
    }
    return names;
}

} // namespace vivavoce::broker
