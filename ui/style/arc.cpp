#include "ui/style/arc.h"

#include <QPainter>

#include <algorithm>

namespace vivavoce::ui {
namespace {

constexpr qreal kThickness = 2;
/// QPainter counts in sixteenths of a degree, against the clock.
constexpr int kWhole = 360 * 16;

} // namespace

Arc::Arc(QQuickItem* parent) : QQuickPaintedItem(parent)
{
    setAntialiasing(true);
    connect(this, &Arc::changed, this, [this] { update(); });
}

void Arc::paint(QPainter* painter)
{
    const QRectF circle = boundingRect().adjusted(kThickness, kThickness, -kThickness, -kThickness);
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(m_track, kThickness));
    painter->drawEllipse(circle);
    painter->setPen(QPen(m_color, kThickness, Qt::SolidLine, Qt::FlatCap));
    painter->drawArc(circle, kWhole / 4, -qRound(std::clamp(m_fraction, 0.0, 1.0) * kWhole));
}

} // namespace vivavoce::ui
