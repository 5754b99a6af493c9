#include "core/models/model_list.h"

#include "core/base/json.h"
#include "core/models/built_in_models.h"
#include "core/usage/dated_name.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace vivavoce::core {
namespace {

constexpr const char* kTranscriber = "transcriber";

/// Nothing: there is no such day.
std::optional<std::chrono::sys_days> dayOf(std::string_view text)
{
    if (!isDay(text)) {
        return std::nullopt;
    }
    const auto number = [&](std::size_t begin, std::size_t length) {
        unsigned value = 0;
        for (const char c : text.substr(begin, length)) {
            value = 10 * value + static_cast<unsigned>(c - '0');
        }
        return value;
    };
    const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
        std::chrono::month(number(5, 2)), std::chrono::day(number(8, 2))};
    return day.ok() ? std::optional(std::chrono::sys_days(day)) : std::nullopt;
}

bool readMember(const std::string& name, const Json& value, ModelRow& row)
{
    if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
        return false;
    }
    const auto text = value.get<std::string>();
    if (name == "kind") {
        row.isTranscriber = text == kTranscriber;
        return row.isTranscriber;
    }
    for (const auto& [known, member] : {std::pair("model", &ModelRow::model), {"provider", &ModelRow::provider},
             {"successor", &ModelRow::successor}}) {
        if (name == known) {
            row.*member = text;
            return true;
        }
    }
    if (name == "source") {
        row.source = text;
        return text.starts_with("https://");
    }
    for (const auto& [known, member] : {std::pair("read", &ModelRow::read), {"ends", &ModelRow::ends}}) {
        if (name == known) {
            row.*member = text;
            return dayOf(text).has_value();
        }
    }
    return false;
}

Expected<ModelRow, std::string> readRow(const Json& json)
{
    if (!json.is_object()) {
        return Unexpected<std::string>("it has to be an object");
    }
    ModelRow row;
    for (const auto& [name, value] : json.items()) {
        if (!readMember(name, value, row)) {
            return Unexpected<std::string>(name + " is not known, or not what it has to be");
        }
    }
    if (row.model.empty() || row.provider.empty() || row.read.empty()) {
        return Unexpected<std::string>("model, provider and read have to be there");
    }
    // An end that nobody can look up is a rumour.
    if (row.ends.empty() != row.source.empty() || (row.ends.empty() && !row.successor.empty())) {
        return Unexpected<std::string>("ends and source come together, and a successor with them");
    }
    return row;
}

} // namespace

Expected<ModelList, std::string> ModelList::parse(std::string_view json)
{
    const auto all = parseJson(json);
    if (!all) {
        return Unexpected<std::string>(all.error().detail);
    }
    const auto models = all->is_object() ? all->find("models") : all->end();
    if (!all->is_object() || models == all->end() || !models->is_array()) {
        return Unexpected<std::string>("it has to be an object with a list \"models\"");
    }
    ModelList list;
    for (const Json& one : *models) {
        auto row = readRow(one);
        if (row && std::any_of(list.m_rows.begin(), list.m_rows.end(), [&](const ModelRow& other) {
                return other.model == row->model;
            })) {
            row = Unexpected<std::string>(row->model + " is there twice");
        }
        if (!row) {
            return Unexpected<std::string>("row " + std::to_string(list.m_rows.size() + 1) + ": " + row.error());
        }
        list.m_rows.push_back(std::move(*row));
    }
    return list;
}

const ModelList& ModelList::builtIn()
{
    static const ModelList list = parse(builtInModels()).value_or(ModelList());
    return list;
}

const ModelRow* ModelList::find(std::string_view model) const
{
    for (const std::string_view name : {model, withoutDay(model)}) {
        const auto found =
            std::find_if(m_rows.begin(), m_rows.end(), [&](const ModelRow& row) { return row.model == name; });
        if (found != m_rows.end()) {
            return &*found;
        }
    }
    return nullptr;
}

std::optional<Sunset> ModelList::sunsetOf(std::string_view model, WallTime now, std::string_view provider) const
{
    const ModelRow* const row = find(model);
    const bool isTheirs = row != nullptr && (provider.empty() || row->provider == provider);
    const auto day = isTheirs ? dayOf(row->ends) : std::nullopt;
    if (!day) {
        return std::nullopt;
    }
    const auto left = (*day - std::chrono::floor<std::chrono::days>(now)).count();
    return left > kSunsetNoticeDays ? std::nullopt
                                    : std::optional(Sunset{std::string(model), row->ends, row->successor, left});
}

std::vector<std::string> ModelList::offered(std::string_view provider, WallTime now) const
{
    std::vector<std::string> names;
    for (const ModelRow& row : m_rows) {
        const bool isTheirs = provider.empty() || row.provider == provider;
        if (isTheirs && !row.isTranscriber && !sunsetOf(row.model, now)) {
            names.push_back(row.model);
        }
    }
    return names;
}

std::vector<std::string> ModelList::providers() const
{
    std::vector<std::string> names;
    for (const ModelRow& row : m_rows) {
        if (std::find(names.begin(), names.end(), row.provider) == names.end()) {
            names.push_back(row.provider);
        }
    }
    return names;
}

std::string sunsetText(const Sunset& sunset)
{
    std::string text =
        sunset.model + (sunset.isOver() ? " was to be shut down on " : " is to be shut down on ") + sunset.day;
    if (!sunset.isOver()) {
        text += sunset.daysLeft == 1 ? ", tomorrow" : ", in " + std::to_string(sunset.daysLeft) + " days";
    }
    return text + (sunset.successor.empty() ? std::string() : "; " + sunset.successor + " takes its place");
}

} // namespace vivavoce::core
