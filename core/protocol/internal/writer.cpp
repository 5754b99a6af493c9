#include "core/protocol/internal/writer.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::openai::internal {

void put(Json& slot, std::string_view text)
{
    slot = std::string(text);
}

void put(Json& slot, bool value)
{
    slot = value;
}

void put(Json& slot, std::int64_t value)
{
    slot = value;
}

void put(Json& slot, double value)
{
    slot = value;
}

void put(Json& slot, const Bytes& bytes)
{
    slot = encodeBase64(bytes);
}

void put(Json& slot, const RawJson& raw)
{
    auto value = parseJson(raw.text);
    slot = value ? std::move(*value) : Json();
}

void put(Json& slot, Null)
{
    slot = nullptr;
}

void makeArray(Json& slot)
{
    slot = Json::array();
}

Json& append(Json& array)
{
    return array.emplace_back();
}

void makeObject(Json& slot)
{
    if (!slot.is_object()) {
        slot = Json::object();
    }
}

Json& member(Json& object, const char* key)
{
    return object[key];
}

} // namespace vivavoce::core::openai::internal
