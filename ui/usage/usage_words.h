#pragma once

#include "core/ports/usage_book.h"

#include <QObject>
#include <QString>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// A sum in the reader's own way of writing numbers.
struct UsageWords {
    Q_GADGET
    QML_VALUE_TYPE(usageWords)
    Q_PROPERTY(QString conversations MEMBER conversations)
    Q_PROPERTY(QString turns MEMBER turns)
    Q_PROPERTY(QString minutes MEMBER minutes)
    /// What came from a cache is a part of all that went in, beside speech and text.
    Q_PROPERTY(QString allIn MEMBER allIn)
    Q_PROPERTY(QString speechIn MEMBER speechIn)
    Q_PROPERTY(QString textIn MEMBER textIn)
    Q_PROPERTY(QString cachedIn MEMBER cachedIn)
    Q_PROPERTY(QString allOut MEMBER allOut)
    Q_PROPERTY(QString speechOut MEMBER speechOut)
    Q_PROPERTY(QString textOut MEMBER textOut)
    /// What writing down the user's words took: "104", "12 s", or both; empty: nothing.
    Q_PROPERTY(QString writing MEMBER writing)
    /// "≈ $0.012"; "≥ $0.012" where some of it has no known price.
    Q_PROPERTY(QString money MEMBER money)
    /// "2026-10-09", or "2026-10-09 to 2026-11-01"; empty: nothing had a price.
    Q_PROPERTY(QString pricesOf MEMBER pricesOf)

public:
    QString conversations;
    QString turns;
    QString minutes;
    QString allIn;
    QString speechIn;
    QString textIn;
    QString cachedIn;
    QString allOut;
    QString speechOut;
    QString textOut;
    QString writing;
    QString money;
    QString pricesOf;

    bool operator==(const UsageWords&) const = default;
};

[[nodiscard]] UsageWords wordsOf(const core::UsageSum& sum);
/// "$0.012": providers bill in US dollars, whatever is usual here.
[[nodiscard]] QString dollars(std::int64_t nanoDollars);

} // namespace vivavoce::ui
