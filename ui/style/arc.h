#pragma once

#include <QColor>
#include <QQuickPaintedItem>
#include <QtQml/qqmlregistration.h>

namespace vivavoce::ui {

/// A part of a circle that starts at twelve o'clock.
class Arc : public QQuickPaintedItem {
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(qreal fraction MEMBER m_fraction NOTIFY changed)
    Q_PROPERTY(QColor color MEMBER m_color NOTIFY changed)
    Q_PROPERTY(QColor track MEMBER m_track NOTIFY changed)

public:
    explicit Arc(QQuickItem* parent = nullptr);
    void paint(QPainter* painter) override;

Q_SIGNALS:
    void changed();

private:
    qreal m_fraction = 0;
    QColor m_color;
    QColor m_track;
};

} // namespace vivavoce::ui
