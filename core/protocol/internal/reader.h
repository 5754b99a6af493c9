#pragma once

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/protocol/internal/enum_names.h"
#include "core/protocol/openai/presence.h"
#include "core/protocol/openai/protocol_error.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vivavoce::core::openai::internal {

enum class Reading { StrictGa, StrictBeta, Lenient };

/// One decoding under way: how it is done, and the first fault.
struct ReadState {
    Reading reading = Reading::Lenient;
    std::optional<ProtocolError> fault;

    [[nodiscard]] bool isLenient() const { return reading == Reading::Lenient; }
};

/// A step of the path to a value; lives on the stack of whoever descends. `key` is empty for an array's element.
struct PathStep {
    const PathStep* parent = nullptr;
    std::string_view key;
    std::size_t index = 0;
};

/// A value's place: reads plain values and knows what to say when they are not what they should be.
class Place {
public:
    Place(ReadState& state, const PathStep* path) : m_state(&state), m_path(path) {}

    [[nodiscard]] bool hasFault() const { return m_state->fault.has_value(); }
    [[nodiscard]] bool isLenient() const { return m_state->isLenient(); }
    [[nodiscard]] ReadState& state() const { return *m_state; }
    [[nodiscard]] const PathStep* path() const { return m_path; }

    /// Keeps the first fault of a decoding. `what` continues "The field 'x' …".
    void fail(ProtocolError::Fault fault, std::string_view what) const;
    void wrongType(std::string_view wanted) const;
    void badValue(std::string_view what) const { fail(ProtocolError::Fault::BadValue, what); }

    // Values are moved out of the tree where that saves a copy.
    void read(Json& json, std::string& target) const;
    void read(Json& json, bool& target) const;
    void read(Json& json, std::int64_t& target) const;
    void read(Json& json, double& target) const;
    void read(Json& json, Bytes& target) const;
    /// Any value.
    void read(Json& json, RawJson& target) const;

    [[nodiscard]] bool expectArray(const Json& json) const;
    [[nodiscard]] bool expectObject(const Json& json) const;

private:
    ReadState* m_state;
    const PathStep* m_path;
};

// The few questions to a tree that the templates below have; Json is incomplete here.
[[nodiscard]] bool isNull(const Json& json);
[[nodiscard]] bool isText(const Json& json);
/// Empty where it is no string.
[[nodiscard]] std::string_view textOf(const Json& json);
/// Empty where the member is absent or no string. `json` may be anything.
[[nodiscard]] std::string_view textOf(const Json& json, const char* key);
[[nodiscard]] std::size_t sizeOf(const Json& json);
[[nodiscard]] Json& elementOf(Json& array, std::size_t index);

template <typename T>
void readValue(const Place& place, Json& json, T& target);

/// Reads one object field by field. The same calls in the same order make a Writer write it, so that one function per struct
/// (`fields`) tells both directions. After a fault every call does nothing.
class Reader {
public:
    static constexpr bool kReads = true;

    /// `object` must be an object.
    Reader(const Place& place, Json& object) : m_place(place), m_object(object) {}

    [[nodiscard]] bool isStrict() const { return !m_place.isLenient(); }
    [[nodiscard]] bool hasGa() const { return true; }
    [[nodiscard]] bool hasBeta() const { return m_place.state().reading != Reading::StrictGa; }
    [[nodiscard]] bool mustHaveGa() const { return m_place.state().reading == Reading::StrictGa; }

    /// Must be there and be right.
    template <typename T>
    void required(const char* key, T& target)
    {
        readMember(key, target, true);
    }

    /// Must be there for a strict reader; keeps its default where a lenient one finds nothing or null.
    template <typename T>
    void expected(const char* key, T& target)
    {
        readMember(key, target, isStrict());
    }

    template <typename T>
    void expected(const char* key, std::optional<T>& target)
    {
        if (isStrict()) {
            readMember(key, target.emplace(), true);
        } else {
            optional(key, target);
        }
    }

    /// May be absent; a lenient reader takes null and wrong types for absent.
    template <typename T>
    void optional(const char* key, std::optional<T>& target)
    {
        Json* json = find(key);
        if (json == nullptr || (!isStrict() && isNull(*json))) {
            return;
        }
        T value{};
        const PathStep step{m_place.path(), key};
        readValue(Place(m_place.state(), &step), *json, value);
        if (forgivenFault()) {
            return;
        }
        target = std::move(value);
    }

    template <typename T>
    void optional(const char* key, Nullable<T>& target)
    {
        Json* json = find(key);
        if (json == nullptr) {
            return;
        }
        if (isNull(*json)) {
            target = Null{};
            return;
        }
        std::optional<T> value;
        optional(key, value);
        if (value) {
            target = std::move(*value);
        }
    }

    /// Here null is no different from absent, not even to a strict reader. A writer leaves it out.
    template <typename T>
    void nullIsAbsent(const char* key, std::optional<T>& target)
    {
        const Json* json = find(key);
        if (json != nullptr && !isNull(*json)) {
            optional(key, target);
        }
    }

    /// The same to a reader; a server writes null where it has nothing to tell.
    template <typename T>
    void orNull(const char* key, std::optional<T>& target)
    {
        nullIsAbsent(key, target);
    }

    /// A string that is empty where it is absent.
    void optionalText(const char* key, std::string& target);

    /// Always the same word; a lenient reader does not look.
    void constant(const char* key, std::string_view word);

    /// An object that is only a bracket around some fields.
    template <typename Body>
    void group(const char* key, bool, Body body)
    {
        Json* json = find(key);
        if (json == nullptr || (!isStrict() && isNull(*json))) {
            return;
        }
        const PathStep step{m_place.path(), key};
        const Place place(m_place.state(), &step);
        if (place.expectObject(*json)) {
            Reader inner(place, *json);
            body(inner);
            inner.finish();
        }
        (void)forgivenFault();
    }

    /// A rule about a field just read; only a strict reader minds.
    void check(const char* key, bool isGood, std::string_view what);

    /// These fields as the beta names them.
    [[nodiscard]] Reader& inBetaWords() { return *this; }

    /// Marks a field as known without reading it.
    void skip(const char* key) { m_known.emplace_back(key); }

    /// Call last: a strict reader refuses fields that nobody asked for.
    void finish();

private:
    /// Nothing after a fault.
    [[nodiscard]] Json* find(const char* key);
    [[nodiscard]] bool forgivenFault();
    void missing(const char* key);

    template <typename T>
    void readMember(const char* key, T& target, bool isMust)
    {
        Json* json = find(key);
        if (m_place.hasFault()) {
            return;
        }
        if (json == nullptr || (!isMust && isNull(*json))) {
            if (isMust) {
                missing(key);
            }
            return;
        }
        const PathStep step{m_place.path(), key};
        readValue(Place(m_place.state(), &step), *json, target);
    }

    Place m_place;
    Json& m_object;
    std::vector<std::string_view> m_known;
};

template <typename T>
struct IsVector : std::false_type {
};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {
};

template <typename T>
void readElements(const Place& place, Json& json, std::vector<T>& target)
{
    if (!place.expectArray(json)) {
        return;
    }
    const std::size_t size = sizeOf(json);
    target.reserve(size);
    for (std::size_t i = 0; i < size && !place.hasFault(); ++i) {
        const PathStep step{place.path(), {}, i};
        readValue(Place(place.state(), &step), elementOf(json, i), target.emplace_back());
    }
}

template <typename T>
void readObject(const Place& place, Json& json, T& target)
{
    if (place.expectObject(json)) {
        Reader reader(place, json);
        fields(reader, target);
        reader.finish();
    }
}

template <typename T>
void readValue(const Place& place, Json& json, T& target)
{
    if constexpr (Named<T> && !requires { readCustom(place, json, target); }) {
        if (!isText(json)) {
            place.wrongType("a string");
        } else if (const auto value = fromName<T>(textOf(json))) {
            target = *value;
        } else {
            place.badValue("has a value that is not supported");
        }
    } else if constexpr (requires { readCustom(place, json, target); }) {
        readCustom(place, json, target);
    } else if constexpr (requires { place.read(json, target); }) {
        place.read(json, target);
    } else if constexpr (IsVector<T>::value) {
        readElements(place, json, target);
    } else {
        readObject(place, json, target);
    }
}

} // namespace vivavoce::core::openai::internal
