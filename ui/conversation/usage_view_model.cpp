#include "ui/conversation/usage_view_model.h"

#include "core/usage/price_list.h"

#include <QLocale>

namespace vivavoce::ui {

void UsageViewModel::setTally(const core::UsageTally& tally)
{
    m_tally = tally;
    Q_EMIT changed();
}

void UsageViewModel::add(const core::UsageTally& tally)
{
    m_tally += tally;
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
    // Providers bill in US dollars, whatever is usual here.
    const double dollars = static_cast<double>(estimate->nanoDollars) / 1e9;
    return QStringLiteral("≈ $%1").arg(QLocale().toString(dollars, 'f', dollars < 1 ? 3 : 2));
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
