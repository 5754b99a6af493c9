#include "ui/usage/usage_span_model.h"

#include "ui/usage/usage_words.h"

#include <QDate>
#include <QLocale>

#include <utility>

namespace vivavoce::ui {
namespace {

/// Of "2026-11-29" or "2026-11".
QString whenOf(const std::string& key)
{
    const QString text = QString::fromStdString(key);
    const QDate day = QDate::fromString(text, Qt::ISODate);
    if (day.isValid()) {
        return QLocale().toString(day, UsageSpanModel::tr("d MMM yyyy", "a day, as QLocale writes it"));
    }
    const QDate month = QDate::fromString(text + QStringLiteral("-01"), Qt::ISODate);
    return QLocale().toString(month, UsageSpanModel::tr("MMMM yyyy", "a month, as QLocale writes it"));
}

QString detailOf(const core::UsageSum& span)
{
    const UsageWords words = wordsOf(span);
    return span.sessions == 1
        ? UsageSpanModel::tr("1 conversation · %1 min · replies: %2").arg(words.minutes, words.turns)
        : UsageSpanModel::tr("%1 conversations · %2 min · replies: %3")
              .arg(words.conversations, words.minutes, words.turns);
}

QString partsOf(const core::UsageSum& span)
{
    const UsageWords words = wordsOf(span);
    QString parts = UsageSpanModel::tr("In %1: %2 speech, %3 text, %4 from cache")
                        .arg(words.allIn, words.speechIn, words.textIn, words.cachedIn)
        + QLatin1Char('\n')
        + UsageSpanModel::tr("Out %1: %2 speech, %3 text").arg(words.allOut, words.speechOut, words.textOut);
    if (!words.writing.isEmpty()) {
        parts += QLatin1Char('\n') + UsageSpanModel::tr("Writing down: %1").arg(words.writing);
    }
    return parts;
}

} // namespace

void UsageSpanModel::set(std::vector<core::UsageSum> spans)
{
    beginResetModel();
    m_spans = std::move(spans);
    endResetModel();
    Q_EMIT countChanged();
}

int UsageSpanModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : count();
}

QVariant UsageSpanModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid)) {
        return {};
    }
    const core::UsageSum& span = m_spans[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case When:
        return whenOf(span.key);
    case Money:
        return wordsOf(span).money;
    case Detail:
        return detailOf(span);
    case Parts:
        return partsOf(span);
    default:
        return {};
    }
}

QHash<int, QByteArray> UsageSpanModel::roleNames() const
{
    return {{When, "when"}, {Money, "money"}, {Detail, "detail"}, {Parts, "parts"}};
}

} // namespace vivavoce::ui
