#include "broker/relay/gemini_sound.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace vivavoce::broker::relay {
namespace {

std::string_view trimmed(std::string_view text)
{
    const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
    text.remove_prefix(begin);
    return text.substr(0, text.find_last_not_of(' ') + 1);
}

} // namespace

std::optional<core::Milliseconds> geminiSound(std::string_view mimeType, std::size_t bytes, core::SampleRate unnamed)
{
    constexpr std::string_view kRate = "rate=";
    constexpr std::int64_t kBytesOfASample = 2;
    core::SampleRate rate = unnamed;
    std::size_t semicolon = std::min(mimeType.find(';'), mimeType.size());
    if (trimmed(mimeType.substr(0, semicolon)) != "audio/pcm") {
        return std::nullopt;
    }
    while (semicolon < mimeType.size()) {
        mimeType.remove_prefix(semicolon + 1);
        semicolon = std::min(mimeType.find(';'), mimeType.size());
        const std::string_view parameter = trimmed(mimeType.substr(0, semicolon));
        std::uint32_t hz = 0;
        const char* const last = parameter.data() + parameter.size();
        if (!parameter.starts_with(kRate)) {
            return std::nullopt;
        }
        const auto [end, error] = std::from_chars(parameter.data() + kRate.size(), last, hz);
        rate = core::SampleRate(hz);
        if (error != std::errc() || end != last || !rate.isValid()) {
            return std::nullopt;
        }
    }
    return core::FrameCount{static_cast<std::int64_t>(bytes) / kBytesOfASample}.duration(rate);
}

} // namespace vivavoce::broker::relay
