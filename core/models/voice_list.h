#pragma once

#include "core/base/expected.h"

#include <string>
#include <string_view>
#include <vector>

namespace vivavoce::core {

/// The voices that a provider offers.
struct VoiceRow {
    /// As brokers name it; of a server that a broker lists, its profile.
    std::string provider;
    std::vector<std::string> voices;
    /// "2026-11-22": the day on which this was read.
    std::string read;
    /// Where.
    std::string source;
};

/// Voices, as far as they are known: others work, where their provider has them. Immutable. [any thread]
class VoiceList {
public:
    /// As resources/models/voices.json is written. The text of a failure names the row and what is wrong with it.
    [[nodiscard]] static Expected<VoiceList, std::string> parse(std::string_view json);
    /// What came with the program.
    [[nodiscard]] static const VoiceList& builtIn();

    /// Null: nobody knows that provider's.
    [[nodiscard]] const VoiceRow* find(std::string_view provider) const;
    /// That provider's are known, and it is none of them.
    [[nodiscard]] bool isUnknown(std::string_view voice, std::string_view provider) const;

private:
    std::vector<VoiceRow> m_rows;
};

/// Capitals do not count.
[[nodiscard]] bool isSameVoice(std::string_view one, std::string_view other);

/// "openai is not known to have a voice \"marvin\": alloy, ash". English, one line, for logs and scripts.
[[nodiscard]] std::string unknownVoiceText(std::string_view voice, const VoiceRow& row);

} // namespace vivavoce::core
