#pragma once

#include "core/base/expected.h"
#include "core/base/voice_rates.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::broker {

/// How a server that speaks OpenAI Realtime, or nearly, wants to be asked: a row of resources/providers/profiles.json, which is all that a
/// further one takes. [any thread]
struct Profile {
    enum class KeyHeader { Bearer, ApiKey };

    std::string name;
    /// When its server was looked at: "2026-08-21".
    std::string from;
    /// Before "/realtime", "/realtime/client_secrets" and "/models": "/openai/v1".
    std::string root;
    /// Of the stream's address; "{model}" stands for the model.
    std::string query;
    KeyHeader keyHeader = KeyHeader::Bearer;
    /// It mints tokens that settings are pinned to. Where not, sessions go through the relay.
    bool pins = false;
    /// As ConnectInfo has it.
    std::string dialect;
    /// What its server takes and gives: 24 kHz where the row says nothing.
    core::VoiceRates rates;
};

/// In the file's order. A failure's text says what is wrong with the file.
[[nodiscard]] core::Expected<std::vector<Profile>, std::string> parseProfiles(std::string_view file);
/// Those of the file as it came with the program; one that is wrong gives none.
[[nodiscard]] const std::vector<Profile>& profiles();
/// What is wrong with it: no broker starts with that.
[[nodiscard]] const std::optional<std::string>& faultOfProfiles();
/// Nothing: there is none of that name.
[[nodiscard]] const Profile* profileNamed(std::string_view name);
/// OpenAI's own; without anything in it where the file is wrong.
[[nodiscard]] const Profile& openAiProfile();
/// The file as it came with the program.
[[nodiscard]] std::string_view builtInProfiles();

} // namespace vivavoce::broker
