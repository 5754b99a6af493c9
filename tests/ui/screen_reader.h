#pragma once

#include <QObject>
#include <QStringList>

class QQuickItem;

namespace vivavoce::tests {

/// What a screen reader finds and does, for the QML tests: everything goes through Qt's own accessible interfaces.
class ScreenReader final : public QObject {
    Q_OBJECT

public:
    ScreenReader();

    /// What can be done with an item, "Press" for one.
    Q_INVOKABLE QStringList actions(QQuickItem* item) const;
    /// Whether the item offers it.
    Q_INVOKABLE bool act(QQuickItem* item, const QString& action) const;
    Q_INVOKABLE bool isChecked(QQuickItem* item) const;
    Q_INVOKABLE QString description(QQuickItem* item) const;
    Q_INVOKABLE QString name(QQuickItem* item) const;
    /// The names of all that is read out in the item's window and can be seen, in order; what has no name is left out.
    Q_INVOKABLE QStringList names(QQuickItem* item) const;
};

} // namespace vivavoce::tests
