#include "ui/style/icon.h"

#include <QFile>
#include <QPainter>
#include <QSvgRenderer>

namespace vivavoce::ui {

Icon::Icon(QQuickItem* parent) : QQuickPaintedItem(parent)
{
    setAntialiasing(true);
}

Icon::~Icon() = default;

void Icon::setName(const QString& name)
{
    if (m_name != name) {
        m_name = name;
        forgetDrawing();
        Q_EMIT nameChanged();
    }
}

void Icon::setColor(const QColor& color)
{
    if (m_color != color) {
        m_color = color;
        forgetDrawing();
        Q_EMIT colorChanged();
    }
}

void Icon::forgetDrawing()
{
    m_drawing.reset();
    update();
}

void Icon::paint(QPainter* painter)
{
    if (m_name.isEmpty()) {
        return;
    }
    if (!m_drawing) {
        QFile file(QStringLiteral(":/qt/qml/Vivavoce/Style/icons/%1.svg").arg(m_name));
        if (!file.open(QIODevice::ReadOnly)) {
            return;
        }
        // Qt SVG knows no currentColor of ours.
        m_drawing = std::make_unique<QSvgRenderer>(file.readAll().replace("currentColor", m_color.name().toLatin1()));
        m_drawing->setAspectRatioMode(Qt::KeepAspectRatio);
    }
    painter->setRenderHint(QPainter::Antialiasing);
    m_drawing->render(painter, boundingRect());
}

} // namespace vivavoce::ui
