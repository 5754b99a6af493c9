#include "ui/style/string_nodes.h"

#include <QPainter>
#include <QQuickWindow>
#include <QSGRendererInterface>
#include <QSGVertexColorMaterial>

#include <algorithm>
#include <cmath>

namespace vivavoce::ui {
namespace {

/// Over which the edge of a stroke fades out, in pixels of the scene.
constexpr qreal kFeather = 0.9;
constexpr int kVerticesPerPiece = 18;

using Vertex = QSGGeometry::ColoredPoint2D;

void put(Vertex*& at, QPointF point, const QColor& color, qreal strength)
{
    // The material wants colours multiplied by their opacity.
    const float alpha = static_cast<float>(strength) * color.alphaF();
    const auto part = [alpha](float value) { return static_cast<uchar>(std::lround(value * alpha * 255.0F)); };
    (at++)->set(static_cast<float>(point.x()), static_cast<float>(point.y()), part(color.redF()), part(color.greenF()),
        part(color.blueF()), static_cast<uchar>(std::lround(alpha * 255.0F)));
}

/// Across the line at a point, one pixel long.
QPointF across(const std::vector<QPointF>& points, std::size_t i)
{
    const QPointF along = points[std::min(i + 1, points.size() - 1)] - points[i == 0 ? 0 : i - 1];
    const qreal length = std::hypot(along.x(), along.y());
    return length < 1e-6 ? QPointF(0, 1) : QPointF(-along.y() / length, along.x() / length);
}

/// One piece of a stroke: a solid core between two soft edges.
void putPiece(Vertex*& at, const Stroke& stroke, std::size_t i, qreal width)
{
    const QPointF a = stroke.points[i];
    const QPointF b = stroke.points[i + 1];
    const QPointF acrossA = across(stroke.points, i);
    const QPointF acrossB = across(stroke.points, i + 1);
    const QColor colorA = stroke.colorAt(a.x() / width);
    const QColor colorB = stroke.colorAt(b.x() / width);
    const qreal core = std::max(stroke.width / 2 - kFeather / 2, 0.1);
    const qreal reach = stroke.width / 2 + kFeather / 2;
    struct Band {
        qreal from, to, fromStrength, toStrength;
    };
    for (const Band& band : {Band{-reach, -core, 0, 1}, Band{-core, core, 1, 1}, Band{core, reach, 1, 0}}) {
        put(at, a + acrossA * band.from, colorA, band.fromStrength);
        put(at, a + acrossA * band.to, colorA, band.toStrength);
        put(at, b + acrossB * band.from, colorB, band.fromStrength);
        put(at, b + acrossB * band.from, colorB, band.fromStrength);
        put(at, a + acrossA * band.to, colorA, band.toStrength);
        put(at, b + acrossB * band.to, colorB, band.toStrength);
    }
}

} // namespace

StringGeometryNode::StringGeometryNode() : m_vertices(QSGGeometry::defaultAttributes_ColoredPoint2D(), 0)
{
    m_vertices.setDrawingMode(QSGGeometry::DrawTriangles);
    m_vertices.setVertexDataPattern(QSGGeometry::StreamPattern);
    setGeometry(&m_vertices);
    auto* material = new QSGVertexColorMaterial;
    material->setFlag(QSGMaterial::Blending);
    setMaterial(material);
    setFlag(OwnsMaterial);
}

void StringGeometryNode::setStrokes(const std::vector<Stroke>& strokes, qreal width)
{
    std::size_t pieces = 0;
    for (const Stroke& stroke : strokes) {
        pieces += stroke.points.empty() ? 0 : stroke.points.size() - 1;
    }
    m_vertices.allocate(static_cast<int>(pieces) * kVerticesPerPiece);
    Vertex* at = m_vertices.vertexDataAsColoredPoint2D();
    for (const Stroke& stroke : strokes) {
        for (std::size_t i = 0; i + 1 < stroke.points.size(); ++i) {
            putPiece(at, stroke, i, width);
        }
    }
    markDirty(DirtyGeometry);
}

void StringPainterNode::setStrokes(std::vector<Stroke> strokes, const QRectF& room)
{
    m_strokes = std::move(strokes);
    m_room = room;
    markDirty(DirtyMaterial);
}

void StringPainterNode::render(const RenderState* state)
{
    auto* painter = static_cast<QPainter*>(
        m_window->rendererInterface()->getResource(m_window, QSGRendererInterface::PainterResource));
    if (painter == nullptr) {
        return;
    }
    painter->save();
    if (const QRegion* clip = state->clipRegion(); clip != nullptr && !clip->isEmpty()) {
        painter->setClipRegion(*clip, Qt::ReplaceClip);
    }
    painter->setTransform(matrix()->toTransform());
    painter->setOpacity(inheritedOpacity());
    painter->setRenderHint(QPainter::Antialiasing);
    for (const Stroke& stroke : m_strokes) {
        QLinearGradient along(m_room.topLeft(), m_room.topRight());
        for (const Stroke::Stop& stop : stroke.colors) {
            along.setColorAt(stop.at, stop.color);
        }
        painter->setPen(QPen(QBrush(along), stroke.width, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter->drawPolyline(stroke.points.data(), static_cast<int>(stroke.points.size()));
    }
    painter->restore();
}

} // namespace vivavoce::ui
