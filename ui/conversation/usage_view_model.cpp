#include "ui/conversation/usage_view_model.h"

#include "core/usage/price_list.h"

#include <QLocale>

namespace vivavoce::ui {

void UsageViewModel::add(const core::UsageTally& tally)
{
    m_tally += tally;
    Q_EMIT changed();
}

void UsageViewModel::addTranscription(std::string transcriber, const core::TranscriptionTally& tally)
{
    m_transcriber = std::move(transcriber);
    m_transcription += tally;
    Q_EMIT changed();
}

void UsageViewModel::clear()
{
    m_tally = {};
    m_transcription = {};
    Q_EMIT changed();
}

void UsageViewModel::setModel(std::string model, bool isFree)
{
    m_model = std::move(model);
    m_isFree = isFree;
    Q_EMIT changed();
}

QString UsageViewModel::money() const
{
    if (m_isFree) {
        return tr("Free");
    }
    const auto estimate = core::estimate(m_model, m_tally);
    if (!estimate) {
        return {};
    }
    const auto writing = core::estimate(m_transcriber, m_transcription);
    const bool isAll = m_transcription.isEmpty() || writing;
    // Providers bill in US dollars, whatever is usual here.
    const double dollars = static_cast<double>(estimate->nanoDollars + (writing ? writing->nanoDollars : 0)) / 1e9;
    return (isAll ? QStringLiteral("≈ $%1") : QStringLiteral("≥ $%1"))
        .arg(QLocale().toString(dollars, 'f', dollars < 1 ? 3 : 2));
}

bool UsageViewModel::isPriceUnknown() const
{
    return !m_isFree && !m_model.empty() && !core::estimate(m_model, m_tally);
}

QString UsageViewModel::transcription() const
{
    if (m_transcription.tokens > 0) {
        return number(m_transcription.tokens);
    }
    const auto seconds = (m_transcription.time.count() + 999) / 1000;
    return seconds > 0 ? tr("%1 s").arg(number(seconds)) : QString();
}

QString UsageViewModel::pricesAsOf() const
{
    const auto estimate = m_isFree ? std::nullopt : core::estimate(m_model, m_tally);
    return estimate ? QString::fromStdString(estimate->asOf) : QString();
}

QString UsageViewModel::number(std::int64_t count)
{
    return QLocale().toString(static_cast<qlonglong>(count));
}

} // namespace vivavoce::ui
