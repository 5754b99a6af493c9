#pragma once

#include <QColor>
#include <QQuickPaintedItem>
#include <QtQml/qqmlregistration.h>

class QSvgRenderer;

namespace vivavoce::ui {

/// One of resources/icons in one colour, sharp at every scale. An unknown name shows nothing.
class Icon : public QQuickPaintedItem {
    Q_OBJECT
    QML_ELEMENT
    Q_PROPERTY(QString name READ name WRITE setName NOTIFY nameChanged)
    Q_PROPERTY(QColor color READ color WRITE setColor NOTIFY colorChanged)

public:
    explicit Icon(QQuickItem* parent = nullptr);
    ~Icon() override;

    [[nodiscard]] QString name() const { return m_name; }
    void setName(const QString& name);
    [[nodiscard]] QColor color() const { return m_color; }
    void setColor(const QColor& color);

    void paint(QPainter* painter) override;

Q_SIGNALS:
    void nameChanged();
    void colorChanged();

private:
    void forgetDrawing();

    QString m_name;
    QColor m_color = Qt::black;
    std::unique_ptr<QSvgRenderer> m_drawing;
};

} // namespace vivavoce::ui
