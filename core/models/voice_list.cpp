#include "core/models/voice_list.h"

#include "core/base/json.h"
#include "core/models/built_in_models.h"
#include "core/usage/dated_name.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace vivavoce::core {
namespace {

bool readVoices(const Json& list, VoiceRow& row)
{
    if (!list.is_array()) {
        return false;
    }
    for (const Json& voice : list) {
        if (!voice.is_string() || voice.get_ref<const std::string&>().empty()) {
            return false;
        }
        row.voices.push_back(voice.get<std::string>());
    }
    return !row.voices.empty();
}

Expected<VoiceRow, std::string> readRow(const Json& json)
{
    if (!json.is_object()) {
        return Unexpected<std::string>("it has to be an object");
    }
    VoiceRow row;
    for (const auto& [name, value] : json.items()) {
        const std::string text = value.is_string() ? value.get<std::string>() : std::string();
        bool isGood = !text.empty();
        if (name == "provider") {
            row.provider = text;
        } else if (name == "read") {
            row.read = text;
            isGood = isDay(text);
        } else if (name == "source") {
            row.source = text;
            isGood = text.starts_with("https://");
        } else {
            isGood = name == "voices" && readVoices(value, row);
        }
        if (!isGood) {
            return Unexpected<std::string>(name + " is not known, or not what it has to be");
        }
    }
    if (row.provider.empty() || row.read.empty() || row.source.empty() || row.voices.empty()) {
        return Unexpected<std::string>("provider, read, source and voices have to be there");
    }
    return row;
}

} // namespace

Expected<VoiceList, std::string> VoiceList::parse(std::string_view json)
{
    const auto all = parseJson(json);
    if (!all) {
        return Unexpected<std::string>(all.error().detail);
    }
    const auto voices = all->is_object() ? all->find("voices") : all->end();
    if (!all->is_object() || voices == all->end() || !voices->is_array()) {
        return Unexpected<std::string>("it has to be an object with a list \"voices\"");
    }
    VoiceList list;
    for (const Json& one : *voices) {
        auto row = readRow(one);
        if (row && list.find(row->provider) != nullptr) {
            row = Unexpected<std::string>(row->provider + " is there twice");
        }
        if (!row) {
            return Unexpected<std::string>("row " + std::to_string(list.m_rows.size() + 1) + ": " + row.error());
        }
        list.m_rows.push_back(std::move(*row));
    }
    return list;
}

const VoiceList& VoiceList::builtIn()
{
    static const VoiceList list = parse(builtInVoices()).value_or(VoiceList());
    return list;
}

const VoiceRow* VoiceList::find(std::string_view provider) const
{
    const auto found =
        std::find_if(m_rows.begin(), m_rows.end(), [&](const VoiceRow& row) { return row.provider == provider; });
    return found == m_rows.end() ? nullptr : &*found;
}

bool VoiceList::isUnknown(std::string_view voice, std::string_view provider) const
{
    const VoiceRow* const row = find(provider);
    return row != nullptr && std::none_of(row->voices.begin(), row->voices.end(), [&](const std::string& known) {
        return isSameVoice(known, voice);
    });
}

bool isSameVoice(std::string_view one, std::string_view other)
{
    const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
        [&](char left, char right) { return small(left) == small(right); });
}

std::string unknownVoiceText(std::string_view voice, const VoiceRow& row)
{
    std::string text = row.provider + " is not known to have a voice \"" + std::string(voice) + "\"";
    const char* before = ": ";
    for (const std::string& known : row.voices) {
        text += std::exchange(before, ", ") + known;
    }
    return text;
}

} // namespace vivavoce::core
