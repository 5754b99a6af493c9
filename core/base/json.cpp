#include "core/base/json.h"

#include <nlohmann/json.hpp>

#include <vector>

namespace vivavoce::core {
namespace {

/// Builds the value while it guards depth and keys; nlohmann's own builder merges duplicates and recurses without bound.
class GuardedBuilder final : public nlohmann::json_sax<Json> {
public:
    explicit GuardedBuilder(Json& root) : m_root(root) {}

    bool null() override { return put(nullptr); }
    bool boolean(bool v) override { return put(v); }
    bool number_integer(number_integer_t v) override { return put(v); }
    bool number_unsigned(number_unsigned_t v) override { return put(v); }
    bool number_float(number_float_t v, const string_t&) override { return put(v); }
    bool string(string_t& v) override { return put(std::move(v)); }
    bool binary(binary_t&) override { return false; }

    bool start_object(std::size_t) override { return open(Json::object()); }
    bool key(string_t& k) override
    {
        Level& level = m_levels.back();
        if (level.container->contains(k)) {
            return refuse(JsonFault::DuplicateKey, "the same key twice in one object");
        }
        level.key = std::move(k);
        return true;
    }
    bool end_object() override { return close(); }
    bool start_array(std::size_t) override { return open(Json::array()); }
    bool end_array() override { return close(); }

    bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override
    {
        return refuse(JsonFault::Syntax, "not JSON at byte " + std::to_string(position));
    }

    [[nodiscard]] JsonError error() const { return m_error; }

private:
    struct Level {
        Json* container;
        std::string key;
    };

    bool refuse(JsonFault fault, std::string detail)
    {
        m_error = {fault, std::move(detail)};
        return false;
    }

    Json* place(Json&& value)
    {
        if (m_levels.empty()) {
            m_root = std::move(value);
            return &m_root;
        }
        Level& level = m_levels.back();
        if (level.container->is_array()) {
            level.container->push_back(std::move(value));
            return &level.container->back();
        }
        return &((*level.container)[level.key] = std::move(value));
    }

    bool put(Json value)
    {
        place(std::move(value));
        return true;
    }

    bool open(Json&& container)
    {
        if (m_levels.size() >= static_cast<std::size_t>(kJsonMaxDepth)) {
            return refuse(JsonFault::TooDeep, "nested deeper than " + std::to_string(kJsonMaxDepth));
        }
        // Pointers to open containers stay valid: while one is open, nothing is added to those above it.
        m_levels.push_back({place(std::move(container)), {}});
        return true;
    }

    bool close()
    {
        m_levels.pop_back();
        return true;
    }

    Json& m_root;
    std::vector<Level> m_levels;
    JsonError m_error;
};

} // namespace

Expected<Json, JsonError> parseJson(std::string_view text)
{
    // nlohmann's lexer takes a NUL as the end of input, wherever it stands.
    if (text.find('\0') != std::string_view::npos) {
        return Unexpected<JsonError>(JsonError{JsonFault::Syntax, "a NUL byte in the text"});
    }
    // It also skips a byte order mark, which RFC 8259 §8.1 lets a parser refuse and which a peer of ours never sends.
    if (text.starts_with("\xEF\xBB\xBF")) {
        return Unexpected<JsonError>(JsonError{JsonFault::Syntax, "a byte order mark before the text"});
    }
    Json root;
    GuardedBuilder builder(root);
    if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
        return Unexpected<JsonError>(builder.error());
    }
    return root;
}

std::string writeJson(const Json& value)
{
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace vivavoce::core
