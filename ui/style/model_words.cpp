#include "ui/style/model_words.h"

#include <QCoreApplication>

namespace vivavoce::ui {
namespace {

QString translated(const char* text)
{
    return QCoreApplication::translate("ModelWords", text);
}

} // namespace

QString sunsetWords(const core::Sunset& sunset)
{
    const char* const text = sunset.isOver() ? QT_TRANSLATE_NOOP("ModelWords", "%1 was to be shut down on %2.")
        : sunset.daysLeft == 1 ? QT_TRANSLATE_NOOP("ModelWords", "%1 is to be shut down on %2, which is tomorrow.")
                               : QT_TRANSLATE_NOOP("ModelWords", "%1 is to be shut down on %2, in %3 days.");
    QString words = translated(text).replace(QLatin1String("%2"), QString::fromStdString(sunset.day));
    words.replace(QLatin1String("%3"), QString::number(sunset.daysLeft));
    if (!sunset.successor.empty()) {
        words += QLatin1Char(' ')
            + translated(QT_TRANSLATE_NOOP("ModelWords", "Its successor is %1."))
                  .arg(QString::fromStdString(sunset.successor));
    }
    // Last: what a broker calls its model may hold anything.
    return words.replace(QLatin1String("%1"), QString::fromStdString(sunset.model));
}

} // namespace vivavoce::ui
