#pragma once

#include "core/base/base64.h"
#include "core/protocol/openai/presence.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What both sides say (Gemini Live, BidiGenerateContent v1beta). Nearly everything is optional, as in proto3.
namespace vivavoce::core::gemini {

using openai::RawJson;

/// A number that proto3 writes as a string; both are read.
struct Int64 {
    std::int64_t value = 0;
    bool operator==(const Int64&) const = default;
};

/// An object without fields, which says something by being there.
struct Mark {
    bool operator==(const Mark&) const = default;
};

struct Blob {
    /// "audio/pcm;rate=24000".
    std::string mimeType;
    Bytes data;
    /// What a server sent is not base64.
    bool isGarbled = false;
    bool operator==(const Blob&) const = default;
};

struct FunctionCall {
    /// Empty: none was given.
    std::string id;
    std::string name;
    /// An object.
    std::optional<RawJson> args;
    bool operator==(const FunctionCall&) const = default;
};

struct FunctionResponse {
    std::string id;
    std::string name;
    /// An object.
    std::optional<RawJson> response;
    /// SILENT, WHEN_IDLE or INTERRUPT.
    std::optional<std::string> scheduling{};
    std::optional<bool> willContinue{};
    bool operator==(const FunctionResponse&) const = default;
};

struct Part {
    std::optional<std::string> text;
    /// Not meant for the user.
    std::optional<bool> thought;
    std::optional<Blob> inlineData;
    std::optional<FunctionCall> functionCall;
    std::optional<FunctionResponse> functionResponse;
    bool operator==(const Part&) const = default;
};

struct Content {
    /// "user" or "model"; empty: not said.
    std::string role;
    std::vector<Part> parts;
    bool operator==(const Content&) const = default;
};

} // namespace vivavoce::core::gemini
