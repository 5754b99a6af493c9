#pragma once

#include "core/base/base64.h"
#include "core/protocol/openai/presence.h"

#include <optional>
#include <string>
#include <vector>

namespace vivavoce::core::openai {

/// `Reference` names an item of the conversation (only in the input of response.create). `Other` (mcp_*, future kinds) is kept raw.
enum class ItemType { Message, FunctionCall, FunctionCallOutput, Reference, Other };
enum class ItemStatus { Completed, Incomplete, InProgress };
enum class Role { User, Assistant, System };
/// The beta wrote OutputText as "text" and OutputAudio as "audio"; both are read.
enum class ContentType { InputText, InputAudio, InputImage, OutputText, OutputAudio, Other };

struct ContentPart {
    ContentType type = ContentType::InputText;
    std::optional<std::string> text;
    std::optional<Bytes> audio;
    std::optional<std::string> transcript;
    /// A data: URL.
    std::optional<std::string> imageUrl;
    /// auto, low or high.
    std::optional<std::string> detail;
    /// The whole part, of type Other only.
    RawJson raw;
};

/// One entry of a conversation. Which fields count depends on the type.
struct Item {
    ItemType type = ItemType::Message;
    /// Empty: the server chooses.
    std::string id;
    std::optional<ItemStatus> status;

    // Message
    Role role = Role::User;
    std::vector<ContentPart> content;

    // FunctionCall: callId, name, arguments (JSON text). FunctionCallOutput: callId, output.
    std::string callId;
    std::string name;
    std::string arguments;
    std::string output;

    /// The whole item, of type Other only.
    RawJson raw;
};

} // namespace vivavoce::core::openai
