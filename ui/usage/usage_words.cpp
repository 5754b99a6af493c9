#include "ui/usage/usage_words.h"

#include <QCoreApplication>
#include <QLocale>

namespace vivavoce::ui {
namespace {

constexpr double kNano = 1e9;
constexpr double kMinute = 60'000;
constexpr std::int64_t kSecond = 1'000;

QString number(std::int64_t count)
{
    return QLocale().toString(static_cast<qlonglong>(count));
}

QString writingOf(const core::TranscriptionTally& tally)
{
    const std::int64_t seconds = (tally.time.count() + kSecond - 1) / kSecond;
    QStringList words;
    if (tally.tokens > 0) {
        words += number(tally.tokens);
    }
    if (seconds > 0) {
        words += QCoreApplication::translate("UsageWords", "%1 s").arg(number(seconds));
    }
    return words.join(QStringLiteral(" + "));
}

QString moneyOf(const core::UsageFigures& figures)
{
    return (figures.unpriced > 0 ? QStringLiteral("≥ %1") : QStringLiteral("≈ %1")).arg(dollars(figures.nanoDollars));
}

QString pricesOf(const core::UsageSum& sum)
{
    const QString oldest = QString::fromStdString(sum.oldestPrices);
    const QString newest = QString::fromStdString(sum.newestPrices);
    return oldest == newest ? newest
                            : QCoreApplication::translate("UsageWords", "%1 to %2", "two days").arg(oldest, newest);
}

} // namespace

QString dollars(std::int64_t nanoDollars)
{
    const double value = static_cast<double>(nanoDollars) / kNano;
    return QLatin1Char('$') + QLocale().toString(value, 'f', value < 1 && nanoDollars != 0 ? 3 : 2);
}

UsageWords wordsOf(const core::UsageSum& sum)
{
    const core::UsageTally& tokens = sum.figures.tokens;
    UsageWords words;
    words.conversations = number(sum.sessions);
    words.turns = number(sum.figures.turns);
    words.minutes = QLocale().toString(static_cast<double>(sum.figures.connected.count()) / kMinute, 'f', 1);
    words.allIn = number(tokens.allIn());
    words.speechIn = number(tokens.audioIn);
    words.textIn = number(tokens.textIn + tokens.imageIn);
    words.cachedIn = number(tokens.cachedIn());
    words.allOut = number(tokens.allOut());
    words.speechOut = number(tokens.audioOut);
    words.textOut = number(tokens.textOut);
    words.writing = writingOf(sum.figures.transcription);
    words.money = moneyOf(sum.figures);
    words.pricesOf = pricesOf(sum);
    return words;
}

} // namespace vivavoce::ui
