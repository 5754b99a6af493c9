#include "core/usage/price_list.h"

#include <array>
#include <cctype>

namespace vivavoce::core {
namespace {

constexpr std::string_view kRead = "2026-10-09";

// Providers' public price pages, USD for a million tokens × 1000. A provider without a cached price bills the full one.
constexpr std::array kPrices{
    PriceRow{"gpt-realtime-2.1", kRead, 4000, 400, 24000, 32000, 400, 64000, 5000, 500},
    PriceRow{"gpt-realtime-2", kRead, 4000, 400, 24000, 32000, 400, 64000, 5000, 500},
    PriceRow{"gpt-realtime-1.5", kRead, 4000, 400, 16000, 32000, 400, 64000, 5000, 500},
    PriceRow{"gpt-realtime", kRead, 4000, 400, 16000, 32000, 400, 64000, 5000, 500},
    PriceRow{"gpt-realtime-2.1-mini", kRead, 600, 60, 2400, 10000, 300, 20000, 800, 80},
    PriceRow{"gpt-realtime-mini", kRead, 600, 60, 2400, 10000, 300, 20000, 800, 80},
    PriceRow{"gemini-3.8-live", kRead, 750, 750, 4500, 3000, 3000, 12000, 1000, 1000},
    PriceRow{"gemini-3.8-live-extended-thinking", kRead, 750, 750, 4500, 3000, 3000, 12000, 1000, 1000},
    PriceRow{"gemini-3.1-flash-live-preview", kRead, 750, 750, 4500, 3000, 3000, 12000, 1000, 1000},
    PriceRow{"gemini-2.5-flash-native-audio-preview-12-2025", kRead, 500, 500, 2000, 3000, 3000, 12000, 3000, 3000},
};

/// "-2026-01-15" at the end.
std::string_view withoutDate(std::string_view model)
{
    constexpr std::string_view kShape = "-dddd-dd-dd";
    if (model.size() <= kShape.size()) {
        return model;
    }
    const std::string_view end = model.substr(model.size() - kShape.size());
    for (std::size_t i = 0; i < kShape.size(); ++i) {
        const bool isDigit = std::isdigit(static_cast<unsigned char>(end[i])) != 0;
        if (kShape[i] == 'd' ? !isDigit : end[i] != kShape[i]) {
            return model;
        }
    }
    return model.substr(0, model.size() - kShape.size());
}

} // namespace

std::span<const PriceRow> priceList()
{
    return kPrices;
}

std::optional<Estimate> estimate(std::string_view model, const UsageTally& tally)
{
    const std::string_view undated = withoutDate(model);
    for (const PriceRow& row : kPrices) {
        if (row.model == model || row.model == undated) {
            return Estimate{tally.textIn * row.textIn + tally.cachedTextIn * row.cachedTextIn
                    + tally.textOut * row.textOut + tally.audioIn * row.audioIn
                    + tally.cachedAudioIn * row.cachedAudioIn + tally.audioOut * row.audioOut
                    + tally.imageIn * row.imageIn + tally.cachedImageIn * row.cachedImageIn,
                row.asOf};
        }
    }
    return std::nullopt;
}

} // namespace vivavoce::core
