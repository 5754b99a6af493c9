#include "core/protocol/internal/reader.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

namespace vivavoce::core::openai::internal {
namespace {

std::string pathText(const PathStep* step)
{
    std::vector<const PathStep*> steps;
    for (; step != nullptr; step = step->parent) {
        steps.push_back(step);
    }
    std::string text;
    std::for_each(steps.rbegin(), steps.rend(), [&text](const PathStep* one) {
        if (one->key.empty()) {
            text += "[" + std::to_string(one->index) + "]";
        } else {
            text += (text.empty() ? "" : ".") + std::string(one->key);
        }
    });
    return text;
}

/// A key of the peer's may be long, odd or a secret put in the wrong place: only what looks like a field's name is repeated.
std::string tameKey(const std::string& key)
{
    constexpr std::size_t kLongest = 64;
    const bool isTame = !key.empty() && key.size() <= kLongest && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
    return isTame ? key : std::string("?");
}

} // namespace

void Place::fail(ProtocolError::Fault fault, std::string_view what) const
{
    if (m_state->fault) {
        return;
    }
    ProtocolError error;
    error.fault = fault;
    error.param = pathText(m_path);
    error.message = "The field '" + error.param + "' " + std::string(what) + ".";
    m_state->fault = std::move(error);
}

void Place::wrongType(std::string_view wanted) const
{
    fail(ProtocolError::Fault::WrongType, "must be " + std::string(wanted));
}

void Place::read(Json& json, std::string& target) const
{
    if (auto* text = json.get_ptr<std::string*>()) {
        target = std::move(*text);
    } else {
        wrongType("a string");
    }
}

void Place::read(Json& json, bool& target) const
{
    if (const auto* value = json.get_ptr<const bool*>()) {
        target = *value;
    } else {
        wrongType("true or false");
    }
}

void Place::read(Json& json, std::int64_t& target) const
{
    // Beyond this a double does not count single ones any more.
    constexpr double kLargestExact = 9007199254740992.0;
    if (json.is_number_unsigned()) {
        const auto value = json.get<std::uint64_t>();
        if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            badValue("is too large");
            return;
        }
        target = static_cast<std::int64_t>(value);
    } else if (json.is_number_integer()) {
        target = json.get<std::int64_t>();
    } else if (json.is_number_float() && isLenient() && std::abs(json.get<double>()) <= kLargestExact) {
        // Some servers count in floating point.
        target = static_cast<std::int64_t>(json.get<double>());
    } else {
        wrongType("an integer");
    }
}

void Place::read(Json& json, double& target) const
{
    if (json.is_number()) {
        target = json.get<double>();
    } else {
        wrongType("a number");
    }
}

void Place::read(Json& json, Bytes& target) const
{
    const auto* text = json.get_ptr<const std::string*>();
    if (text == nullptr) {
        wrongType("a base64 string");
        return;
    }
    if (auto bytes = decodeBase64(*text)) {
        target = std::move(*bytes);
    } else {
        badValue("is not base64");
    }
}

void Place::read(Json& json, RawJson& target) const
{
    target.text = writeJson(json);
}

bool Place::expectArray(const Json& json) const
{
    if (!json.is_array()) {
        wrongType("an array");
    }
    return json.is_array();
}

bool Place::expectObject(const Json& json) const
{
    if (!json.is_object()) {
        wrongType("an object");
    }
    return json.is_object();
}

bool isNull(const Json& json)
{
    return json.is_null();
}

bool isText(const Json& json)
{
    return json.is_string();
}

std::string_view textOf(const Json& json)
{
    const auto* text = json.get_ptr<const std::string*>();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

std::string_view textOf(const Json& json, const char* key)
{
    const auto found = json.find(key);
    return found == json.end() ? std::string_view() : textOf(*found);
}

std::size_t sizeOf(const Json& json)
{
    return json.size();
}

Json& elementOf(Json& array, std::size_t index)
{
    return array[index];
}

Json* Reader::find(const char* key)
{
    m_known.emplace_back(key);
    if (m_place.hasFault()) {
        return nullptr;
    }
    const auto found = m_object.find(key);
    return found == m_object.end() ? nullptr : &*found;
}

bool Reader::forgivenFault()
{
    if (m_place.hasFault() && !isStrict()) {
        m_place.state().fault.reset();
        return true;
    }
    return m_place.hasFault();
}

void Reader::missing(const char* key)
{
    const PathStep step{m_place.path(), key};
    Place(m_place.state(), &step).fail(ProtocolError::Fault::MissingField, "is missing");
}

void Reader::optionalText(const char* key, std::string& target)
{
    std::optional<std::string> text;
    nullIsAbsent(key, text);
    if (text) {
        target = std::move(*text);
    }
}

void Reader::constant(const char* key, std::string_view word)
{
    const Json* json = find(key);
    check(key, json == nullptr || textOf(*json) == word, "has a value that is not supported");
}

void Reader::check(const char* key, bool isGood, std::string_view what)
{
    if (isStrict() && !isGood) {
        const PathStep step{m_place.path(), key};
        Place(m_place.state(), &step).badValue(what);
    }
}

void Reader::finish()
{
    if (!isStrict() || m_place.hasFault()) {
        return;
    }
    for (const auto& member : m_object.items()) {
        if (std::find(m_known.begin(), m_known.end(), member.key()) == m_known.end()) {
            const std::string key = tameKey(member.key());
            const PathStep step{m_place.path(), key};
            Place(m_place.state(), &step).fail(ProtocolError::Fault::UnknownField, "is not known");
            return;
        }
    }
}

} // namespace vivavoce::core::openai::internal
