#include "core/protocol/gemini/auth_token.h"

#include "core/protocol/gemini/internal/fields.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::gemini {

template <typename A, Is<AuthTokenRequest> E>
void fields(A& a, E& e)
{
    a.optional("uses", e.uses);
    a.optional("expireTime", e.expireTime);
    a.optional("newSessionExpireTime", e.newSessionExpireTime);
    a.optional("bidiGenerateContentSetup", e.setup);
    a.optional("fieldMask", e.fieldMask);
}

std::string encode(const AuthTokenRequest& request)
{
    Json tree = Json::object();
    Writer writer({openai::Dialect::Ga, openai::internal::Speaker::Client}, tree);
    fields(writer, request);
    return writeJson(tree);
}

Expected<AuthTokenRequest, ProtocolError> decodeAuthTokenRequest(std::string_view text)
{
    auto tree = parseObject(text);
    if (!tree) {
        return Unexpected<ProtocolError>(std::move(tree.error()));
    }
    ReadState state{openai::internal::Reading::StrictGa, std::nullopt};
    Reader reader(Place(state, nullptr), *tree);
    AuthTokenRequest request;
    fields(reader, request);
    reader.finish();
    if (state.fault) {
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    return request;
}

Expected<AuthToken, ProtocolError> decodeAuthToken(std::string_view text)
{
    auto tree = parseObject(text);
    if (!tree) {
        return Unexpected<ProtocolError>(std::move(tree.error()));
    }
    const auto name = tree->find("name");
    if (name == tree->end() || !name->is_string()) {
        return Unexpected<ProtocolError>(
            {ProtocolError::Fault::MissingField, "name", "The field 'name' is missing or no string.", {}});
    }
    auto& value = name->get_ref<std::string&>();
    AuthToken token;
    token.name = Secret(value);
    wipeString(value);
    return token;
}

} // namespace vivavoce::core::gemini
