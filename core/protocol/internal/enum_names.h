#pragma once

#include "core/protocol/openai/response.h"

#include <array>
#include <optional>
#include <string_view>

/// The words of the wire for each enumeration. The first row of a value is how it is written; all rows are read.
namespace vivavoce::core::openai::internal {

template <typename E>
struct NameOf {
    E value;
    std::string_view name;
};

// Clang 14 does not deduce the arguments of an aggregate.
template <typename E>
NameOf(E, std::string_view) -> NameOf<E>;

template <typename E>
struct EnumNames {
};

template <>
struct EnumNames<SessionType> {
    static constexpr std::array kRows{
        NameOf{SessionType::Realtime, "realtime"}, NameOf{SessionType::Transcription, "transcription"}};
};

template <>
struct EnumNames<Modality> {
    static constexpr std::array kRows{NameOf{Modality::Audio, "audio"}, NameOf{Modality::Text, "text"}};
};

template <>
struct EnumNames<AudioEncoding> {
    static constexpr std::array kRows{NameOf{AudioEncoding::Pcm, "audio/pcm"},
        NameOf{AudioEncoding::Pcmu, "audio/pcmu"}, NameOf{AudioEncoding::Pcma, "audio/pcma"}};
};

/// AudioFormat as the beta names it: rate and encoding in one word.
enum class FlatFormat { Pcm16, Ulaw, Alaw };

template <>
struct EnumNames<FlatFormat> {
    static constexpr std::array kRows{NameOf{FlatFormat::Pcm16, "pcm16"}, NameOf{FlatFormat::Ulaw, "g711_ulaw"},
        NameOf{FlatFormat::Alaw, "g711_alaw"}};
};

template <>
struct EnumNames<NoiseReductionType> {
    static constexpr std::array kRows{
        NameOf{NoiseReductionType::NearField, "near_field"}, NameOf{NoiseReductionType::FarField, "far_field"}};
};

template <>
struct EnumNames<Eagerness> {
    static constexpr std::array kRows{NameOf{Eagerness::Low, "low"}, NameOf{Eagerness::Medium, "medium"},
        NameOf{Eagerness::High, "high"}, NameOf{Eagerness::Auto, "auto"}};
};

template <>
struct EnumNames<ToolChoiceMode> {
    static constexpr std::array kRows{NameOf{ToolChoiceMode::Auto, "auto"}, NameOf{ToolChoiceMode::None, "none"},
        NameOf{ToolChoiceMode::Required, "required"}};
};

template <>
struct EnumNames<TruncationMode> {
    static constexpr std::array kRows{
        NameOf{TruncationMode::Auto, "auto"}, NameOf{TruncationMode::Disabled, "disabled"}};
};

template <>
struct EnumNames<ItemType> {
    static constexpr std::array kRows{NameOf{ItemType::Message, "message"},
        NameOf{ItemType::FunctionCall, "function_call"}, NameOf{ItemType::FunctionCallOutput, "function_call_output"},
        NameOf{ItemType::Reference, "item_reference"}};
};

template <>
struct EnumNames<ItemStatus> {
    static constexpr std::array kRows{NameOf{ItemStatus::Completed, "completed"},
        NameOf{ItemStatus::Incomplete, "incomplete"}, NameOf{ItemStatus::InProgress, "in_progress"}};
};

template <>
struct EnumNames<Role> {
    static constexpr std::array kRows{
        NameOf{Role::User, "user"}, NameOf{Role::Assistant, "assistant"}, NameOf{Role::System, "system"}};
};

template <>
struct EnumNames<ContentType> {
    static constexpr std::array kRows{NameOf{ContentType::InputText, "input_text"},
        NameOf{ContentType::InputAudio, "input_audio"}, NameOf{ContentType::InputImage, "input_image"},
        NameOf{ContentType::OutputText, "output_text"}, NameOf{ContentType::OutputAudio, "output_audio"},
        NameOf{ContentType::OutputText, "text"}, NameOf{ContentType::OutputAudio, "audio"}};
};

template <>
struct EnumNames<ResponseStatus> {
    static constexpr std::array kRows{NameOf{ResponseStatus::InProgress, "in_progress"},
        NameOf{ResponseStatus::Completed, "completed"}, NameOf{ResponseStatus::Cancelled, "cancelled"},
        NameOf{ResponseStatus::Failed, "failed"}, NameOf{ResponseStatus::Incomplete, "incomplete"}};
};

template <typename E>
concept Named = requires
{
    EnumNames<E>::kRows;
};

/// Empty for a value without a word (the Other kinds, which are written raw).
template <Named E>
[[nodiscard]] constexpr std::string_view nameOf(E value)
{
    for (const auto& row : EnumNames<E>::kRows) {
        if (row.value == value) {
            return row.name;
        }
    }
    return {};
}

template <Named E>
[[nodiscard]] constexpr std::optional<E> fromName(std::string_view name)
{
    for (const auto& row : EnumNames<E>::kRows) {
        if (row.name == name) {
            return row.value;
        }
    }
    return std::nullopt;
}

} // namespace vivavoce::core::openai::internal
