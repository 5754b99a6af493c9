#pragma once

#include "core/base/base64.h"
#include "core/base/json.h"
#include "core/protocol/internal/enum_names.h"
#include "core/protocol/openai/presence.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace vivavoce::core::openai::internal {

enum class Speaker { Client, Server };

/// How a text is written.
struct Style {
    Dialect dialect = Dialect::Ga;
    Speaker speaker = Speaker::Client;
};

// What the templates below do to a tree; Json is incomplete here.
void put(Json& slot, std::string_view text);
void put(Json& slot, const char*) = delete;
void put(Json& slot, bool value);
void put(Json& slot, std::int64_t value);
void put(Json& slot, double value);
void put(Json& slot, const Bytes& bytes);
void put(Json& slot, const RawJson& raw);
void put(Json& slot, Null);
void makeArray(Json& slot);
[[nodiscard]] Json& append(Json& array);
void makeObject(Json& slot);
[[nodiscard]] Json& member(Json& object, const char* key);

template <typename T>
void writeValue(const Style& style, Json& slot, const T& value);

/// Writes one object field by field; the other half of Reader.
class Writer {
public:
    static constexpr bool kReads = false;

    Writer(const Style& style, Json& slot) : m_style(style), m_object(slot) { makeObject(slot); }

    /// What only servers say is left out of a client's events.
    [[nodiscard]] bool isStrict() const { return m_style.speaker == Speaker::Client; }
    [[nodiscard]] bool hasGa() const { return m_style.dialect == Dialect::Ga; }
    [[nodiscard]] bool hasBeta() const { return m_style.dialect == Dialect::Beta; }
    [[nodiscard]] bool mustHaveGa() const { return hasGa(); }

    template <typename T>
    void required(const char* key, const T& value)
    {
        writeValue(m_style, member(m_object, key), value);
    }

    template <typename T>
    void expected(const char* key, const T& value)
    {
        required(key, value);
    }

    template <typename T>
    void expected(const char* key, const std::optional<T>& value)
    {
        optional(key, value);
    }

    template <typename T>
    void optional(const char* key, const std::optional<T>& value)
    {
        if (value) {
            required(key, *value);
        }
    }

    template <typename T>
    void optional(const char* key, const Nullable<T>& value)
    {
        if (value.isNull()) {
            put(member(m_object, key), Null{});
        } else if (value.hasValue()) {
            required(key, *value.value());
        }
    }

    template <typename T>
    void nullIsAbsent(const char* key, const std::optional<T>& value)
    {
        optional(key, value);
    }

    template <typename T>
    void orNull(const char* key, const std::optional<T>& value)
    {
        if (!value && m_style.speaker == Speaker::Server) {
            put(member(m_object, key), Null{});
        }
        optional(key, value);
    }

    void optionalText(const char* key, const std::string& text)
    {
        if (!text.empty()) {
            required(key, text);
        }
    }

    void constant(const char* key, std::string_view word)
    {
        if (m_style.speaker == Speaker::Server) {
            put(member(m_object, key), word);
        }
    }

    /// `hasAny`: whether one of the fields inside will be written.
    template <typename Body>
    void group(const char* key, bool hasAny, Body body)
    {
        if (hasAny) {
            Writer inner(m_style, member(m_object, key));
            body(inner);
        }
    }

    void check(const char*, bool, std::string_view) {}

    /// The same object, with these fields in the words of the beta.
    [[nodiscard]] Writer inBetaWords()
    {
        Writer other = *this;
        other.m_style.dialect = Dialect::Beta;
        return other;
    }

private:
    Style m_style;
    Json& m_object;
};

template <typename T>
struct IsList : std::false_type {
};
template <typename T>
struct IsList<std::vector<T>> : std::true_type {
};

template <typename T>
void writeValue(const Style& style, Json& slot, const T& value)
{
    if constexpr (requires { writeCustom(style, slot, value); }) {
        writeCustom(style, slot, value);
    } else if constexpr (Named<T>) {
        put(slot, nameOf(value));
    } else if constexpr (requires { put(slot, value); }) {
        put(slot, value);
    } else if constexpr (IsList<T>::value) {
        makeArray(slot);
        for (const auto& element : value) {
            writeValue(style, append(slot), element);
        }
    } else {
        Writer writer(style, slot);
        fields(writer, value);
    }
}

} // namespace vivavoce::core::openai::internal
