#include "app/cli/usage_command.h"

#include "app/platform/sqlite_usage_book.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cstdio>

namespace vivavoce::cli {
namespace {

constexpr double kNano = 1e9;
constexpr double kMinute = 60'000;

core::Json fieldsOf(const core::UsageSum& sum)
{
    const core::UsageFigures& figures = sum.figures;
    const core::UsageTally& tokens = figures.tokens;
    return {{"sessions", sum.sessions}, {"turns", figures.turns},
        {"minutes", static_cast<double>(figures.connected.count()) / kMinute},
        {"cost", static_cast<double>(figures.nanoDollars) / kNano}, {"unpricedTurns", figures.unpriced},
        {"pricesFrom", sum.oldestPrices}, {"pricesTo", sum.newestPrices},
        {"tokens",
            {{"in", tokens.allIn()}, {"textIn", tokens.textIn}, {"audioIn", tokens.audioIn},
                {"imageIn", tokens.imageIn}, {"cachedTextIn", tokens.cachedTextIn},
                {"cachedAudioIn", tokens.cachedAudioIn}, {"cachedImageIn", tokens.cachedImageIn},
                {"out", tokens.allOut()}, {"textOut", tokens.textOut}, {"audioOut", tokens.audioOut},
                {"transcription", figures.transcription.tokens}}},
        {"transcribedSeconds", static_cast<double>(figures.transcription.time.count()) / 1'000}};
}

std::string lineOf(const std::string& name, const core::UsageSum& sum)
{
    const core::UsageFigures& figures = sum.figures;
    std::array<char, 200> text{};
    std::snprintf(text.data(), text.size(),
        "%-10s  %s $%.3f  conversations %lld, minutes %.1f, replies %lld; tokens in %lld (%lld from cache), out %lld",
        name.c_str(), figures.unpriced > 0 ? ">=" : "~", static_cast<double>(figures.nanoDollars) / kNano,
        static_cast<long long>(sum.sessions), static_cast<double>(figures.connected.count()) / kMinute,
        static_cast<long long>(figures.turns), static_cast<long long>(figures.tokens.allIn()),
        static_cast<long long>(figures.tokens.cachedIn()), static_cast<long long>(figures.tokens.allOut()));
    return text.data();
}

} // namespace

int runUsage(const UsageOptions& options)
{
    core::SystemClock clock;
    EventWriter events(clock, options.format);
    platform::SqliteUsageBook book(platform::SqliteUsageBook::defaultFolder());
    return tellUsage(events, book, options.isByMonth ? core::UsageGrouping::Month : core::UsageGrouping::Day);
}

int tellUsage(EventWriter& events, core::UsageBook& book, core::UsageGrouping by)
{
    core::UsageQuery query;
    query.by = by;
    const auto spans = book.sums(query);
    const auto all = book.sums({});
    if (!spans || !all || all->empty()) {
        const core::Error error = spans ? all.error() : spans.error();
        events.write("error", {{"code", core::codeText(error.code)}, {"message", error.detail}, {"fatal", true}});
        events.say("The figures cannot be read: " + error.detail);
        events.write("summary", {{"exitCode", core::exitCode(error.code)}});
        return core::exitCode(error.code);
    }
    for (const core::UsageSum& span : *spans) {
        core::Json fields = fieldsOf(span);
        fields["key"] = span.key;
        events.write("span", std::move(fields));
        events.say(lineOf(span.key, span));
    }
    core::Json whole = fieldsOf(all->front());
    whole["exitCode"] = 0;
    events.say(spans->empty() ? "Nothing was counted yet." : lineOf("in all", all->front()));
    events.write("summary", std::move(whole));
    return 0;
}

} // namespace vivavoce::cli
