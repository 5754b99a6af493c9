#include "core/protocol/openai/client_secret.h"

#include "core/protocol/openai/internal/session_fields.h"

#include <nlohmann/json.hpp>

namespace vivavoce::core::openai {
namespace internal {
namespace {

template <typename A, Is<ClientSecretRequest> E>
void requestFields(A& a, E& e)
{
    a.group("expires_after", e.expiresAfterSeconds.has_value(), [&](auto& expires) {
        if constexpr (A::kReads) {
            std::optional<std::string> anchor;
            expires.optional("anchor", anchor);
            expires.check("anchor", anchor.value_or("created_at") == "created_at", kUnsupported);
        } else {
            expires.required("anchor", std::string("created_at"));
        }
        expires.optional("seconds", e.expiresAfterSeconds);
        expires.check("seconds", isWithin<std::int64_t>(e.expiresAfterSeconds, 10, 7200), kOutOfRange);
    });
    a.optional("session", e.session);
}

/// The tree of an object, or why there is none.
Expected<Json, ProtocolError> parseObject(std::string_view text)
{
    auto tree = parseJson(text);
    if (!tree) {
        return Unexpected<ProtocolError>(
            {ProtocolError::Fault::NotJson, {}, "The text is not JSON: " + tree.error().detail + ".", {}});
    }
    if (!tree->is_object()) {
        return Unexpected<ProtocolError>({ProtocolError::Fault::NotObject, {}, "The body must be an object.", {}});
    }
    return std::move(*tree);
}

} // namespace
} // namespace internal

std::string encode(const ClientSecretRequest& request)
{
    Json tree;
    internal::Writer writer({Dialect::Ga, internal::Speaker::Client}, tree);
    internal::requestFields(writer, request);
    return writeJson(tree);
}

Expected<ClientSecretRequest, ProtocolError> decodeClientSecretRequest(std::string_view text)
{
    auto tree = internal::parseObject(text);
    if (!tree) {
        return Unexpected<ProtocolError>(std::move(tree.error()));
    }
    internal::ReadState state{internal::Reading::StrictGa, std::nullopt};
    internal::Reader reader(internal::Place(state, nullptr), *tree);
    ClientSecretRequest request;
    internal::requestFields(reader, request);
    reader.finish();
    if (state.fault) {
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    return request;
}

std::string encode(const ClientSecret& secret)
{
    Json tree = Json::object();
    tree["value"] = std::string(secret.value.reveal());
    tree["expires_at"] = secret.expiresAt;
    if (secret.session) {
        internal::writeValue({Dialect::Ga, internal::Speaker::Server}, tree["session"], *secret.session);
    }
    std::string text = writeJson(tree);
    wipeString(tree["value"].get_ref<std::string&>());
    return text;
}

Expected<ClientSecret, ProtocolError> decodeClientSecret(std::string_view text)
{
    auto tree = internal::parseObject(text);
    if (!tree) {
        return Unexpected<ProtocolError>(std::move(tree.error()));
    }
    internal::ReadState state{internal::Reading::Lenient, std::nullopt};
    internal::Reader reader(internal::Place(state, nullptr), *tree);
    ClientSecret secret;
    std::string value;
    reader.required("value", value);
    reader.required("expires_at", secret.expiresAt);
    reader.optional("session", secret.session);
    secret.value = Secret(value);
    wipeString(value);
    if (!state.fault && secret.value.empty()) {
        const internal::PathStep step{nullptr, "value"};
        internal::Place(state, &step).badValue("is empty");
    }
    if (state.fault) {
        return Unexpected<ProtocolError>(std::move(*state.fault));
    }
    return secret;
}

} // namespace vivavoce::core::openai
